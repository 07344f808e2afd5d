/** Paths put together from pieces that are right, odd or wrong, and what origins read out of one. */
import fc from 'fast-check';

const PIECES = [
  '/',
  '/',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%2F',
  ';',
  '%3b',
  '%25',
  '2e',
  '2f',
  '%61',
  '%7C',
  '|',
  'a',
  '%C3%a9',
  '//',
  '%5c',
  '%00',
  '\\',
  '%',
  'é',
  '5c',
];
/** A path as it may stand in a request or an object, canonical or not, or none. */
export const RAW_PATH = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 8 })
  .map((parts) => `/${parts.join('')}`);

/** What origins are known to make of a path: decode it up to three times, take "\" for "/", cut path parameters. */
export function readings(path: string): string[] {
  const decode = (text: string) =>
    text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  const found = [path];
  for (let i = 0; i < 3; i++) found.push(decode(found.at(-1)!));
  const slashes = [...found, ...found.map((each) => each.replaceAll('\\', '/'))];
  return [...slashes, ...slashes.map((each) => each.replace(/;[^/]*/g, ''))];
}

/** What fuzzing of each target begins with: messages picked by hand for the differential tests, and what was found before. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PICKED } from '../differential/messages.ts';
import { PICKED_RESPONSES } from '../differential/messages-back.ts';

/** What failed once, one file each, named after its target: `request-1f2e3d.bin`. */
export const FINDS = join(import.meta.dirname, 'finds');

export function findsOf(target: string): Buffer[] {
  if (!existsSync(FINDS)) return [];
  return readdirSync(FINDS)
    .filter((name) => name.startsWith(`${target}-`))
    .map((name) => readFileSync(join(FINDS, name)));
}

const LONGEST = 2_000;
const requests = PICKED.map(([, text]) => text);
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);

const SEEDS: Readonly<Record<string, readonly string[]>> = {
  request: requests,
  response: PICKED_RESPONSES.map(([, text]) => text),
  chunks: requests.filter((text) => text.includes('chunked')).map(bodyOf),
  target: requests.map(
    (text) => `${/^\S* (\S*)/.exec(text)?.[1] ?? ''}\n${/\r\nHost: ?(.*)\r\n/i.exec(text)?.[1] ?? ''}`,
  ),
};

export const seedsOf = (target: string): Buffer[] => {
  const texts = new Set(SEEDS[target]!.filter(({ length }) => length > 0 && length <= LONGEST));
  return [...[...texts].map((text) => Buffer.from(text, 'latin1')), ...findsOf(target)];
};

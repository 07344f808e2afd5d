/** Who has a URL, however it is spelt: as the gateway reads it. */
import { domainToASCII } from 'node:url';
import type { Explained } from '../../gateway-runtime/explain/explanation.ts';
import { type AskedRequest, parseRequest } from '../../gateway-runtime/explain/request.ts';
import { hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import { CommandError, EXIT } from '../terminal.ts';
import type { Holding } from './holdings.ts';
import { isAtOrBelow } from './used-by.ts';

/** Throws a CommandError for what is no URL. */
export function parseUrl(url: string): AskedRequest {
  const asked = parseRequest(inAscii(url));
  if (!('problem' in asked)) return asked;
  throw new CommandError(
    `error --url ${url}: ${asked.problem.replace(/expected a method and .*/, 'expected a URL such as https://shop.example.com/checkout')}.`,
    EXIT.usage,
  );
}

/** Letters of other alphabets as clients send them in a Host header: in punycode. */
function inAscii(url: string): string {
  const [, before = '', host = '', after = ''] = /^([a-z]+:\/\/)([^/?#:]*)(.*)$/i.exec(url) ?? [];
  if (/^[\x21-\x7e]*$/.test(host)) return url;
  return `${before}${domainToASCII(host) || host}${after}`;
}

/** Those that have it, the most specific path first; several where each has the same. None where no listener takes the host. */
export function ownersOf(explained: Explained, holdings: readonly Holding[]): Holding[] {
  const listener = explained.listeners.find(({ serves }) => serves);
  if (!listener) return [];
  const { host, path } = explained.request;
  const key = `listener/${listener.kind}/${listener.namespace}/${listener.name}/${listener.listener}`;
  const own = holdings.filter(
    (each) =>
      each.places.some((place) => place.key === key) &&
      hostnameMatches(each.host, host) &&
      isAtOrBelow(path, each.path),
  );
  return [...own, ...own.flatMap((each) => givenOn(each, host, path, own))].sort(
    (a, b) => b.path.length - a.path.length || b.host.length - a.host.length,
  );
}

/** Those that it was given on to and whose own Grants are not among the objects, as in the repository of one team. */
function givenOn(from: Holding, host: string, path: string, known: readonly Holding[]): Holding[] {
  return from.delegated
    .filter(
      (each) =>
        isAtOrBelow(path, each.path) &&
        each.hostnames.some((hostname) => hostnameMatches(hostname, host)) &&
        !known.some(({ holder, path }) => holder === each.team && path === each.path),
    )
    .map(({ path, team, namespace }) => ({
      ...from,
      path,
      holder: team,
      namespaces: [namespace],
      grant: `${from.grant}/${team}`,
      delegated: [],
    }));
}

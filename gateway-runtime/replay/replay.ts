/**
 * `gatewright replay`: the requests of an access log, line by line, matched against a configuration and against the one before it. What
 * the log leaves out is not guessed: a request is undecided where the answer depends on it.
 */

import { NOT_SERVED } from '../diff/outcome.ts';
import { hostPort, normalizeHost } from '../match/normalize.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { MatchRequest } from '../match/request.ts';
import { readTarget } from '../proxy/request-target.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { DecisionCache } from './decision-cache.ts';
import type { LogFormat, LoggedRequest } from './logged-request.ts';
import { type Place, type Reached, Side } from './side.ts';
import { type ReplayTotals, ruleName, Totals, teamOf } from './totals.ts';
import { UnknownValues, unknownValue } from './unknown-values.ts';
import { type Change, changeBetween, changeSince, loggedInWords } from './verdict.ts';

export interface ReplayOptions {
  readonly format: LogFormat;
  /** By `namespace/name` of the Gateway. */
  readonly against: ReadonlyMap<string, Snapshot>;
  /** What served before. Without it, what the log says of the answers. */
  readonly from?: ReadonlyMap<string, Snapshot>;
  readonly regex: RegexEngine;
  /** Of requests for which the log has none. */
  readonly host?: string;
  /** Port of the Gateway, for all requests. */
  readonly port?: number;
  /** `namespace/name`, for all requests. */
  readonly gateway?: string;
}

/** What becomes of a request in both configurations; undecided for want of `missing`. */
type Decision =
  | { readonly before: Reached | undefined; readonly after: Reached; readonly change: Change | undefined }
  | { readonly missing: string; readonly after: Reached };

/** Where rules ask for so many values that the log has not that not all ways are tried in which they may be. */
export const TOO_MANY = 'more headers and query parameters than are tried';

const BAD_REQUEST: Reached = {
  outcome: { ...NOT_SERVED, key: '400', status: 400, text: '400: its host or path is not valid' },
};

export class Replay {
  readonly #options: ReplayOptions;
  readonly #totals = new Totals();
  readonly #unknown: UnknownValues;
  readonly #after: Side;
  readonly #before: Side | undefined;
  readonly #places: readonly Place[];
  readonly #ports: ReadonlySet<number>;
  readonly #headerNames: readonly string[];
  readonly #queryNames: readonly string[];
  readonly #cache = new DecisionCache<Decision>();

  constructor(options: ReplayOptions) {
    const { against, from, regex } = options;
    this.#options = options;
    this.#unknown = new UnknownValues(regex);
    this.#after = new Side(against, this.#unknown);
    this.#before = from && new Side(from, this.#unknown);
    const sides = [this.#after, ...(this.#before ? [this.#before] : [])];
    const places = sides.flatMap((side) => side.places);
    this.#places = [...new Map(places.map((each) => [`${each.gateway} ${each.port}`, each])).values()];
    this.#ports = new Set(places.map(({ port }) => port));
    this.#headerNames = [...new Set(sides.flatMap((side) => [...side.headerNames]))];
    this.#queryNames = [...new Set(sides.flatMap((side) => [...side.queryNames]))];
  }

  get result(): ReplayTotals {
    return this.#totals.result;
  }

  /** A line that is longer than any is read. */
  tooLong(beginning: string): void {
    this.#totals.lines++;
    this.#totals.unread('it is longer than 64 KiB', beginning);
  }

  line(text: string): void {
    if (text === '') return;
    const totals = this.#totals;
    totals.lines++;
    const request = this.#options.format.read(text);
    if ('problem' in request) totals.unread(request.problem, text);
    else if ('noRequest' in request) totals.noRequests++;
    else this.#request(request, text);
  }

  #request(request: LoggedRequest, text: string): void {
    const host = request.host ?? this.#options.host;
    if (host === undefined) {
      this.#totals.unread('it has no host, so name one with --host', text);
      return;
    }
    // Nor could it be told from what follows it in the key.
    if (host.includes(' ')) {
      this.#totals.unread(`found the host ${JSON.stringify(host)}, expected no space in it`, text);
      return;
    }
    const key = this.#keyOf(request, host);
    let decision = this.#cache.get(key);
    if (!decision) {
      decision = this.#decide(request, host);
      this.#cache.set(key, decision);
    }
    this.#count(request, host, decision);
  }

  #count(request: LoggedRequest, host: string, decision: Decision): void {
    const totals = this.#totals;
    const { after } = decision;
    if ('missing' in decision) {
      totals.undecided(decision.missing, teamOf(after.rule));
      return;
    }
    const { before } = decision;
    const change = before ? decision.change : changeSince(request, after);
    const team = before?.rule ? teamOf(before.rule) : (request.served?.team ?? teamOf(after.rule));
    if (change === undefined) {
      totals.undecided('what the gateway would have answered itself (say --from)', team);
      return;
    }
    totals.changed(change, team);
    if (change === 'unchanged') return;
    const was = before ? before.outcome.text : loggedInWords(request);
    const wasRule = before?.rule ? ruleName(before.rule) : request.served?.rule;
    const key = `${change}\0${wasRule}\0${was}\0${after.rule?.key}\0${after.outcome.key}`;
    const is404 = change === 'lost' && after.outcome.errors === 1 && after.outcome.status === 404;
    totals.grouped(key, is404, () => ({
      severity: change,
      team,
      before: { outcome: was, ...(wasRule === undefined ? {} : { rule: wasRule }) },
      after: { outcome: after.outcome.text, ...(after.rule ? { rule: ruleName(after.rule) } : {}) },
      example: exampleOf(request, host),
    }));
  }

  /** Whatever a decision depends on. */
  #keyOf(request: LoggedRequest, host: string): string {
    const { method, target, query, headers, port = '', scheme = '', gateway = '', serverName = '' } = request;
    // What no match asks for makes no difference; without it, more requests are alike.
    const question = this.#queryNames.length === 0 && query === undefined ? target.indexOf('?') : -1;
    const end = question < 0 ? target.length : question;
    let key = `${method} ${host} ${port} ${scheme} ${gateway} ${serverName} ${target.slice(0, end)}`;
    for (const name of this.#headerNames) key += `\0${valueKey(headers.get(name))}`;
    if (query) for (const name of this.#queryNames) key += `\0${valueKey(query.get(name))}`;
    return key;
  }

  #decide(request: LoggedRequest, rawHost: string): Decision {
    const target = readTarget(request.target, rawHost, 1);
    if ('status' in target) {
      return { before: this.#before && BAD_REQUEST, after: BAD_REQUEST, change: 'unchanged' };
    }
    const { host, path } = target;
    const match: MatchRequest = {
      method: request.method,
      host,
      path,
      query: request.query ? this.#knownQuery(request) : target.query,
      header: (name) => {
        const value = request.headers.get(name);
        if (value === null) return undefined;
        if (typeof value !== 'string') return unknownValue('header', name);
        return name === 'host' ? target.authority : value;
      },
    };
    const places = this.#placesOf(request, host, target.authority);
    if (typeof places === 'string') return { missing: places, after: { outcome: NOT_SERVED } };
    return this.#compare(places, match, request);
  }

  #compare(places: readonly Place[], match: MatchRequest, request: LoggedRequest): Decision {
    const serverName = serverNameOf(request);
    const isLogOfGateway = request.served !== undefined;
    const missing = new Set<string>();
    let first: Decision | undefined;
    for (const place of places) {
      let differs: 'value' | 'place' | undefined;
      let isFirstHere = true;
      const names = this.#unknown.each(() => {
        const after = this.#after.reach(place, match, serverName);
        const before = this.#before?.reach(place, match, serverName);
        const change = before && changeBetween(before, after);
        const decision: Decision = { before, after, change };
        first ??= decision;
        if (!isSame(first, decision, isLogOfGateway)) differs = isFirstHere ? 'place' : 'value';
        isFirstHere = false;
        return differs === undefined;
      });
      if (names === undefined) return { missing: TOO_MANY, after: first!.after };
      if (differs === 'place') missing.add('the listener port, or the Gateway');
      else if (differs === 'value') for (const name of names) missing.add(inWords(name));
      if (differs !== undefined) break;
    }
    const after = first!.after;
    if (after.isConnection || ('before' in first! && first.before?.isConnection)) {
      return { missing: 'connections that TLSRoutes decide about', after };
    }
    return missing.size === 0 ? first! : { missing: [...missing].sort().join(', '), after };
  }

  /** The query as far as matches ask for it, where the log says something of single parameters alone. */
  #knownQuery({ query }: LoggedRequest): string {
    const parts: string[] = [];
    for (const name of this.#queryNames) {
      const value = query!.get(name);
      if (value === null) continue;
      const text = typeof value === 'string' ? value : unknownValue('query', name);
      parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(text)}`);
    }
    return parts.join('&');
  }

  /** Where the request may have arrived: one place, or several where the log does not say. What is missing, where there is none. */
  #placesOf({ port: logged, scheme, gateway: named }: LoggedRequest, host: string, authority: string) {
    const gateway = this.#options.gateway ?? named;
    let port = this.#options.port ?? logged;
    const given = hostPort(authority);
    if (port === undefined && given !== undefined && this.#ports.has(given)) port = given;
    const found = this.#places.filter(
      (place) =>
        (gateway === undefined || place.gateway === gateway) &&
        (port === undefined ? scheme === undefined || place.scheme === scheme : place.port === port),
    );
    if (found.length === 0) {
      const isKnown = gateway === undefined || this.#places.some((place) => place.gateway === gateway);
      if (!isKnown) return `the Gateway ${gateway}`;
      // The Gateway had the port when it wrote the log.
      if (gateway !== undefined && logged !== undefined && scheme !== undefined && port === logged)
        return [{ gateway, port, scheme }];
      return 'a listener for its port or scheme (say --port)';
    }
    const taking = found.filter(
      (place) => this.#after.takes(place, host) || this.#before?.takes(place, host),
    );
    return taking.length > 0 ? taking : found.slice(0, 1);
  }
}

/** Whether two decisions are told alike. Where only the after is known, a log of others sees no more of it than whether there is an answer. */
function isSame(a: Decision, b: Decision, isLogOfGateway: boolean): boolean {
  if (!('change' in a) || !('change' in b)) return false;
  if (a.before) return a.change === b.change;
  const [one, other] = [a.after, b.after];
  if (isLogOfGateway || one.outcome.errors === 1) return one.outcome.key === other.outcome.key;
  return other.outcome.errors < 1 && teamOf(one.rule) === teamOf(other.rule);
}

const serverNameOf = ({ serverName }: LoggedRequest): string | undefined => {
  if (serverName === undefined) return undefined;
  const name = normalizeHost(serverName);
  return typeof name === 'string' ? name : serverName;
};

/** Texts that no value begins with, for what is no text. */
const valueKey = (value: string | null | true | undefined) =>
  typeof value === 'string' ? `=${value}` : `${value}`;

/** `header x-tier` and `query p`, as `UnknownValues` has them. */
const inWords = (name: string) => name.replace(/^query /, 'query parameter ');

function exampleOf({ method, target, scheme }: LoggedRequest, host: string): string {
  const end = target.indexOf('?');
  const path = end < 0 ? target : target.slice(0, end);
  const likely = scheme ?? (host.endsWith(':443') ? 'https' : 'http');
  const url = path.startsWith('/') ? `${likely}://${host.replace(/:(80|443)$/, '')}${path}` : path;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a log can hold what a terminal obeys
  const text = `${method} ${url}`.slice(0, LONGEST_EXAMPLE).replace(/[\x00-\x1f\x7f-\uffff]/g, '?');
  // A text of its own: as a part of what was read, it would keep all of that.
  return Buffer.from(text, 'latin1').toString('latin1');
}

const LONGEST_EXAMPLE = 300;

/**
 * Matches that no request reaches, since another goes first for every request that they take: of the same paths and conditions in
 * an older or earlier rule, under an expression that takes every path, or at a more specific listener. Whether one
 * expression takes what another does is not asked: expressions count as equal where they are the same text.
 */
import type { ExampleRequest } from '../snapshot/diagnostic.ts';
import type { HttpMatch, Listener, Snapshot, ValueMatch } from '../snapshot/snapshot.ts';
import { exampleRequest } from './example.ts';
import { ANY_HOST, compareHostnames, hostnameMatches } from './hostname.ts';
import { type Contender, comparePrecedence, decidingLine, type PrecedenceLine } from './precedence.ts';

export interface Shadow {
  /** What is never reached, at this listener and for this hostname of its rule. */
  readonly lost: Contender;
  readonly listener: Listener;
  /** What takes its requests; absent where a listener does. */
  readonly by?: Contender;
  /** The line of precedence by which `by` goes first. */
  readonly line?: PrecedenceLine;
  /** Both take exactly the same requests. */
  readonly identical: boolean;
  /** The listener that takes the requests, and to which the rule is not attached. */
  readonly byListener?: Listener;
}

/** Everything in a snapshot that is never reached, in the order of its resources. */
export function shadows(snapshot: Snapshot): Shadow[] {
  const listeners = new Map<string, Listener>();
  const entries = new Map<string, Contender[]>();
  for (const resource of snapshot.resources) {
    if (resource.type === 'listener') listeners.set(resource.key, resource);
    if (resource.type !== 'http-rule') continue;
    for (const { listener, hostnames } of resource.parents) {
      const ofListener = entries.get(listener) ?? [];
      for (const hostname of hostnames) {
        for (const match of resource.matches.keys()) ofListener.push({ rule: resource, match, hostname });
      }
      entries.set(listener, ofListener);
    }
  }
  return [...entries].flatMap(([key, contenders]) => {
    const listener = listeners.get(key);
    if (!listener) return [];
    return [...lostToListeners(listener, contenders, listeners), ...lostToMatches(listener, contenders)];
  });
}

/** A more specific listener of the port takes the whole hostname, and the rule is not attached there. */
function lostToListeners(
  listener: Listener,
  contenders: readonly Contender[],
  listeners: ReadonlyMap<string, Listener>,
): Shadow[] {
  const narrower = [...listeners.values()]
    .filter((other) => other.port === listener.port && compareHostnames(hostOf(other), hostOf(listener)) < 0)
    .sort((a, b) => compareHostnames(hostOf(a), hostOf(b)));
  return contenders.flatMap((lost) => {
    const byListener = narrower.find((other) => hostnameMatches(hostOf(other), lost.hostname));
    const isAttached = lost.rule.parents.some((parent) => parent.listener === byListener?.key);
    return byListener && !isAttached ? [{ lost, listener, byListener, identical: false }] : [];
  });
}

const hostOf = ({ hostname = ANY_HOST }: Listener) => hostname;

function lostToMatches(listener: Listener, contenders: readonly Contender[]): Shadow[] {
  const byHostAndPath = new Map<string, Contender[]>();
  const everyPath: Contender[] = [];
  for (const contender of contenders) {
    const { path } = matchOf(contender);
    if (path.type === 'RegularExpression' && TAKES_EVERY_PATH.has(path.value)) everyPath.push(contender);
    const key = keyOf(contender);
    const same = byHostAndPath.get(key);
    if (same) same.push(contender);
    else byHostAndPath.set(key, [contender]);
  }
  return contenders.flatMap((lost) => {
    const by = [...byHostAndPath.get(keyOf(lost))!, ...everyPath].find(
      (other) =>
        other !== lost &&
        hostnameMatches(other.hostname, lost.hostname) &&
        takesAllOf(matchOf(other), matchOf(lost)) &&
        comparePrecedence(other, lost) < 0,
    );
    if (!by) return [];
    const identical =
      by.hostname === lost.hostname && takesAllOf(matchOf(lost), matchOf(by)) && keyOf(by) === keyOf(lost);
    return [{ lost, listener, by, line: decidingLine(by, lost)!, identical }];
  });
}

const matchOf = ({ rule, match }: Contender): HttpMatch => rule.matches[match]!;

/** Only an equal hostname goes first and takes as much, and of the paths only an equal one or an expression for all. */
function keyOf(contender: Contender): string {
  const { type, value } = matchOf(contender).path;
  return `${contender.hostname} ${type} ${value}`;
}

const TAKES_EVERY_PATH: ReadonlySet<string> = new Set(['.*', '.+', '/.*']);

/** Whether the conditions of `b`, paths aside, include those of `a`. */
function takesAllOf(a: HttpMatch, b: HttpMatch): boolean {
  return (
    (a.method === undefined || a.method === b.method) &&
    includes(b.headers, a.headers) &&
    includes(b.queryParams, a.queryParams)
  );
}

const includes = (all: readonly ValueMatch[], some: readonly ValueMatch[]) =>
  some.every((condition, index) => {
    // "Only the first entry with an equivalent name MUST be considered for a match" (HTTPHeaderMatch.name).
    if (some.findIndex(({ name }) => name === condition.name) < index) return true;
    const first = all.find(({ name }) => name === condition.name);
    return first?.type === condition.type && first.value === condition.value;
  });

/** A request that should have reached what is never reached. */
export function exampleOf({ lost: { rule, match, hostname }, listener }: Shadow): ExampleRequest {
  return exampleRequest({ ...listener, hostname }, rule.matches[match]);
}

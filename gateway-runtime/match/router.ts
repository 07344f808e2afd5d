/**
 * The router: port, then listener, then hostname, then path, then the few candidates left. Nothing is allocated per request. A router
 * never changes: `with` gives the next one, which shares all that a delta does not touch, so requests in flight finish on theirs.
 * `reference.ts` says the same slowly, and a property test holds that they agree.
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type {
  HttpMatch,
  HttpRule,
  Listener,
  ListenerKey,
  RuleKey,
  SnapshotDelta,
} from '../snapshot/snapshot.ts';
import { compileConditions, compileRegex } from './conditions.ts';
import { allThatMatch, hostChild, hostKey, isHostEnd, mostSpecific } from './host-table.ts';
import { ANY_HOST } from './hostname.ts';
import { type Candidate, PathTable, type RouteEntry } from './path-table.ts';
import { EMPTY_RADIX, type RadixNode, radixGet, radixUpdate, radixValues } from './radix.ts';
import type { RegexEngine } from './regex.ts';
import type { MatchRequest } from './request.ts';

export type { RouteEntry } from './path-table.ts';

export interface RouterOptions<P> {
  readonly regex: RegexEngine;
  /** Runs once per match of a rule, and again only when the rule changes. May throw: requests that match then get 500. */
  readonly compile: (rule: HttpRule, match: HttpMatch) => P;
}

/** The rules of one listener. */
export class ListenerTable<P> {
  readonly listener: Listener;
  readonly #hosts: RadixNode<PathTable<P>>;
  /**
   * What was found in the tree for exact hostnames of rules, so that a request meets a few places in memory rather than a few for each
   * node. By strings of the rules: no request adds a name of its own, and none is kept for its Host.
   */
  readonly #found = new Map<string, PathTable<P> | readonly PathTable<P>[]>();

  constructor(listener: Listener, hosts: RadixNode<PathTable<P>>) {
    this.listener = listener;
    this.#hosts = hosts;
  }

  /** The rule that serves a request to this listener, and the match of it that decided; undefined is 404. */
  find(request: MatchRequest): RouteEntry<P> | undefined {
    const { host } = request;
    const tables = this.#found.get(host);
    if (tables instanceof PathTable) return tables.find(request);
    if (tables) {
      for (let i = 0; i < tables.length; i++) {
        const found = tables[i]!.find(request);
        if (found) return found;
      }
      return undefined;
    }
    const found = this.#findBelow(this.#hosts, 0, request);
    if (found && found.hostname === host) {
      this.#found.set(found.hostname, onlyOrAll(allThatMatch(this.#hosts, host)));
    }
    return found;
  }

  /** A less specific hostname is asked where none of the more specific ones has a rule that matches. */
  #findBelow(
    node: RadixNode<PathTable<P>>,
    consumed: number,
    request: MatchRequest,
  ): RouteEntry<P> | undefined {
    const child = hostChild(node, request.host, consumed);
    const found = child && this.#findBelow(child, consumed + child.label.length, request);
    if (found || !node.value || !isHostEnd(request.host, consumed)) return found;
    return node.value.find(request);
  }
}

interface State<P> {
  readonly rules: RadixNode<HttpRule>;
  readonly listeners: RadixNode<Listener>;
  /** Rules of each listener by hostname, whether the listener exists (yet) or not. */
  readonly hosts: RadixNode<RadixNode<PathTable<P>>>;
  /** Listeners by hostname. More than one has a hostname only where a snapshot is at fault; then the first by key serves. */
  readonly ports: ReadonlyMap<number, RadixNode<readonly ListenerTable<P>[]>>;
  readonly problems: RadixNode<readonly Diagnostic[]>;
}

const NO_STATE: State<never> = {
  rules: EMPTY_RADIX,
  listeners: EMPTY_RADIX,
  hosts: EMPTY_RADIX,
  ports: new Map(),
  problems: EMPTY_RADIX,
};

export class Router<P> {
  readonly #options: RouterOptions<P>;
  readonly #state: State<P>;

  private constructor(options: RouterOptions<P>, state: State<P>) {
    this.#options = options;
    this.#state = state;
  }

  static empty<P>(options: RouterOptions<P>): Router<P> {
    return new Router<P>(options, NO_STATE);
  }

  /** Rules that could not be compiled as a whole: what matches them is answered 500. */
  get problems(): readonly Diagnostic[] {
    return [...radixValues(this.#state.problems)].flat();
  }

  /** The most specific listener of a port for a host, or for a server name of TLS (empty where the client sends none). */
  listener(port: number, host: string): ListenerTable<P> | undefined {
    const listeners = this.#state.ports.get(port);
    return listeners && mostSpecific(listeners, host)?.[0];
  }

  /** The router after a delta. One without `from` holds everything, but what has the same hash is still not compiled again. */
  with(delta: SnapshotDelta): Router<P> {
    const next = new Edit(this.#options, this.#state);
    if (delta.from === undefined) {
      const kept = new Set(delta.put.map(({ key }) => key));
      for (const { key } of radixValues(this.#state.rules)) if (!kept.has(key)) next.removeRule(key);
      for (const { key } of radixValues(this.#state.listeners)) if (!kept.has(key)) next.removeListener(key);
    }
    for (const key of delta.remove) {
      next.removeRule(key);
      next.removeListener(key);
    }
    for (const resource of delta.put) {
      if (resource.type === 'http-rule') next.putRule(resource);
      else if (resource.type === 'listener') next.putListener(resource);
    }
    return new Router(this.#options, next.done());
  }
}

/** One application of a delta: collects what changes, and knows which listeners it touched. */
class Edit<P> {
  readonly #options: RouterOptions<P>;
  readonly #before: State<P>;
  readonly #touched = new Set<ListenerKey>();
  #rules: State<P>['rules'];
  #listeners: State<P>['listeners'];
  #hosts: State<P>['hosts'];
  #problems: State<P>['problems'];

  constructor(options: RouterOptions<P>, before: State<P>) {
    this.#options = options;
    this.#before = before;
    this.#rules = before.rules;
    this.#listeners = before.listeners;
    this.#hosts = before.hosts;
    this.#problems = before.problems;
  }

  putListener(listener: Listener): void {
    this.#listeners = radixUpdate(this.#listeners, listener.key, () => listener);
    this.#touched.add(listener.key);
  }

  removeListener(key: ListenerKey): void {
    this.#listeners = radixUpdate(this.#listeners, key, () => undefined);
    this.#touched.add(key);
  }

  putRule(rule: HttpRule): void {
    if (radixGet(this.#rules, rule.key)?.hash === rule.hash) return;
    this.removeRule(rule.key);
    this.#rules = radixUpdate(this.#rules, rule.key, () => rule);
    const problems: Diagnostic[] = [];
    for (const index of rule.matches.keys()) {
      const candidateFor = this.#compile(rule, index, problems);
      this.#eachPlace(rule, (hosts, hostname) =>
        radixUpdate(hosts, hostKey(hostname), (table = new PathTable()) =>
          table.with(candidateFor(hostname)),
        ),
      );
    }
    if (problems.length) this.#problems = radixUpdate(this.#problems, rule.key, () => problems);
  }

  removeRule(key: RuleKey): void {
    const rule = radixGet(this.#rules, key);
    if (!rule) return;
    this.#rules = radixUpdate(this.#rules, key, () => undefined);
    this.#problems = radixUpdate(this.#problems, key, () => undefined);
    for (const match of rule.matches) {
      this.#eachPlace(rule, (hosts, hostname) =>
        radixUpdate(hosts, hostKey(hostname), (table) => {
          const rest = table?.without(rule, match);
          return rest?.isEmpty ? undefined : rest;
        }),
      );
    }
  }

  /** Changes the hosts of every listener of a rule, once per hostname. */
  #eachPlace(
    rule: HttpRule,
    change: (hosts: RadixNode<PathTable<P>>, hostname: string) => RadixNode<PathTable<P>>,
  ): void {
    for (const parent of rule.parents) {
      this.#touched.add(parent.listener);
      this.#hosts = radixUpdate(this.#hosts, parent.listener, (hosts = EMPTY_RADIX) => {
        const changed = parent.hostnames.reduce(change, hosts);
        return changed.value || changed.children.length ? changed : undefined;
      });
    }
  }

  #compile(rule: HttpRule, index: number, problems: Diagnostic[]): (hostname: string) => Candidate<P> {
    const match = rule.matches[index]!;
    const { source } = rule;
    const report = (message: string) => {
      problems.push({
        severity: 'error',
        code: 'rule/not-compiled',
        object: {
          group: GATEWAY_GROUP,
          kind: source.kind,
          namespace: source.namespace,
          name: source.name,
        },
        field: `spec.rules[${source.rule}].matches[${index}]`,
        message,
      });
    };
    const conditions = compileConditions(match, this.#options.regex, report);
    const regex =
      match.path.type === 'RegularExpression'
        ? compileRegex(this.#options.regex, match.path.value, report)
        : undefined;
    let payload: P | undefined;
    try {
      payload = this.#options.compile(rule, match);
    } catch (error) {
      report(`it can't be served: ${error instanceof Error ? error.message : String(error)}`);
    }
    // One for a hostname, at however many listeners.
    const made = new Map<string, Candidate<P>>();
    return (hostname) => {
      const candidate = made.get(hostname) ?? { rule, match, hostname, payload, conditions, regex, index };
      made.set(hostname, candidate);
      return candidate;
    };
  }

  done(): State<P> {
    const ports = new Map(this.#before.ports);
    for (const key of this.#touched) {
      const before = radixGet(this.#before.listeners, key);
      if (before) {
        updatePort(ports, before, (tables) => tables.filter(({ listener }) => listener.key !== key));
      }
      const listener = radixGet(this.#listeners, key);
      if (listener) {
        const table = new ListenerTable(listener, radixGet(this.#hosts, key) ?? EMPTY_RADIX);
        updatePort(ports, listener, (tables) =>
          [...tables, table].sort((a, b) => (a.listener.key < b.listener.key ? -1 : 1)),
        );
      }
    }
    return {
      rules: this.#rules,
      listeners: this.#listeners,
      hosts: this.#hosts,
      ports,
      problems: this.#problems,
    };
  }
}

/** Of most hosts there is one table, and no list to be fetched for a request. */
const onlyOrAll = <T>(all: readonly T[]): T | readonly T[] => (all.length === 1 ? all[0]! : all);

function updatePort<P>(
  ports: Map<number, RadixNode<readonly ListenerTable<P>[]>>,
  { port, hostname = ANY_HOST }: Listener,
  change: (tables: readonly ListenerTable<P>[]) => readonly ListenerTable<P>[],
): void {
  const listeners = radixUpdate(ports.get(port) ?? EMPTY_RADIX, hostKey(hostname), (tables = []) => {
    const changed = change(tables);
    return changed.length ? changed : undefined;
  });
  if (listeners.value || listeners.children.length) ports.set(port, listeners);
  else ports.delete(port);
}

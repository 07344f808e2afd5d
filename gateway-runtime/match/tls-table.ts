/**
 * Which rule of a listener serves a server name: the most specific hostname, and of several rules with it the first in precedence. A
 * table never changes: `with` gives the next one, which shares all that a delta does not touch. Which listener a server name is for is
 * the router's to say, as for HTTP; `tls-reference.ts` says the same slowly, and a property test holds that they agree.
 */
import type { ListenerKey, RuleKey, SnapshotDelta, TlsRule } from '../snapshot/snapshot.ts';
import { hostKey, mostSpecific } from './host-table.ts';
import { EMPTY_RADIX, type RadixNode, radixGet, radixUpdate, radixValues } from './radix.ts';

export interface TlsEntry<P> {
  readonly rule: TlsRule;
  readonly payload: P;
}

/** In order of precedence; at least one. */
type Hosts<P> = RadixNode<readonly TlsEntry<P>[]>;

export class TlsTable<P> {
  readonly #compile: (rule: TlsRule) => P;
  readonly #entries: RadixNode<TlsEntry<P>>;
  readonly #listeners: RadixNode<Hosts<P>>;

  private constructor(
    compile: (rule: TlsRule) => P,
    entries: RadixNode<TlsEntry<P>>,
    listeners: RadixNode<Hosts<P>>,
  ) {
    this.#compile = compile;
    this.#entries = entries;
    this.#listeners = listeners;
  }

  /** `compile` runs once per rule, and again only when the rule changes. */
  static empty<P>(compile: (rule: TlsRule) => P): TlsTable<P> {
    return new TlsTable<P>(compile, EMPTY_RADIX, EMPTY_RADIX);
  }

  /** @param serverName canonical; empty where the client sends none, which no rule with a hostname takes */
  find(listener: ListenerKey, serverName: string): TlsEntry<P> | undefined {
    const hosts = radixGet(this.#listeners, listener);
    return hosts && mostSpecific(hosts, serverName)?.[0];
  }

  /** The table after a delta; the same one where no rule of it changes. One without `from` holds everything. */
  with(delta: SnapshotDelta): TlsTable<P> {
    let entries = this.#entries;
    let listeners = this.#listeners;
    const remove = (key: RuleKey) => {
      const entry = radixGet(entries, key);
      if (!entry) return;
      entries = radixUpdate(entries, key, () => undefined);
      listeners = placed(listeners, entry.rule, (list) => list.filter(({ rule }) => rule.key !== key));
    };
    if (delta.from === undefined) {
      const kept = new Set(delta.put.map(({ key }) => key));
      for (const { rule } of radixValues(this.#entries)) if (!kept.has(rule.key)) remove(rule.key);
    }
    for (const key of delta.remove) remove(key);
    for (const rule of delta.put) {
      if (rule.type !== 'tls-rule' || radixGet(entries, rule.key)?.rule.hash === rule.hash) continue;
      remove(rule.key);
      const entry = { rule, payload: this.#compile(rule) };
      entries = radixUpdate(entries, rule.key, () => entry);
      listeners = placed(listeners, rule, (list) => [...list, entry].sort(byPrecedence));
    }
    return entries === this.#entries ? this : new TlsTable(this.#compile, entries, listeners);
  }
}

/** With the entries of every hostname of a rule as `change` makes them. */
function placed<P>(
  listeners: RadixNode<Hosts<P>>,
  { parents }: TlsRule,
  change: (list: readonly TlsEntry<P>[]) => readonly TlsEntry<P>[],
): RadixNode<Hosts<P>> {
  return parents.reduce(
    (all, { listener, hostnames }) =>
      radixUpdate(all, listener, (hosts: Hosts<P> = EMPTY_RADIX) => {
        const changed = hostnames.reduce(
          (each, hostname) =>
            radixUpdate(each, hostKey(hostname), (list = []) => {
              const next = change(list);
              return next.length > 0 ? next : undefined;
            }),
          hosts,
        );
        return changed.value || changed.children.length > 0 ? changed : undefined;
      }),
    listeners,
  );
}

/** A route without a timestamp is not in a cluster yet, so it counts as the newest: "~" sorts after every date. */
const orderOf = ({ source }: TlsRule) =>
  `${source.created || '~'}\0${source.namespace}/${source.name}\0${String(source.rule).padStart(2, '0')}`;

/** Of rules with one hostname: negative where `a` goes first. */
export const compareTlsRules = (a: TlsRule, b: TlsRule) => (orderOf(a) < orderOf(b) ? -1 : 1);
const byPrecedence = (a: TlsEntry<unknown>, b: TlsEntry<unknown>) => compareTlsRules(a.rule, b.rule);

/** Which entries of a bucket the other side has not, in the same form and with the same outcome. */
import { canonicalJson } from '../snapshot/canonical.ts';
import type { BackendKey, FilterConfig, HttpRule, Listener } from '../snapshot/snapshot.ts';
import type { GatewaySide } from './gateway-side.ts';
import type { Entry } from './rule-bucket.ts';

export interface ChangedEntries {
  readonly before: readonly Entry[];
  readonly after: readonly Entry[];
}

const NONE: ChangedEntries = { before: [], after: [] };

export class BucketChanges {
  readonly #before: GatewaySide;
  readonly #after: GatewaySide;
  readonly #known = new Map<string, ChangedEntries>();
  /** Backends that are reached in another way than before. */
  readonly #backends: ReadonlySet<BackendKey>;

  constructor(before: GatewaySide, after: GatewaySide) {
    this.#before = before;
    this.#after = after;
    const keys = [before, after].flatMap(({ snapshot }) =>
      (snapshot?.resources ?? []).flatMap(({ type, key }) => (type === 'backend' ? [key] : [])),
    );
    this.#backends = new Set(
      keys.filter(
        (key) =>
          before.outcomes.wayTo(key) !== after.outcomes.wayTo(key) ||
          before.outcomes.isRefused(key) !== after.outcomes.isRefused(key),
      ),
    );
  }

  /** Of one hostname at a listener of each side. */
  of(hostname: string, before: Listener | undefined, after: Listener | undefined): ChangedEntries {
    const key = `${before?.key} ${after?.key} ${hostname}`;
    const known = this.#known.get(key);
    if (known) return known;
    const changed = this.#compare(hostname, before, after);
    this.#known.set(key, changed);
    return changed;
  }

  #compare(hostname: string, before: Listener | undefined, after: Listener | undefined): ChangedEntries {
    const was = this.#changedRules(this.#before.rules(before, hostname), this.#after.rules(after, hostname));
    const is = this.#changedRules(this.#after.rules(after, hostname), this.#before.rules(before, hostname));
    if (was.length + is.length === 0) return NONE;
    const entriesOf = (side: GatewaySide, listener: Listener | undefined, rules: readonly HttpRule[]) => {
      const bucket = rules.length === 0 ? undefined : side.bucket(listener, hostname);
      return new Map(
        rules
          .flatMap((rule) => bucket!.entriesOf(rule))
          .map((entry) => [this.#formOf(entry, side), entry] as const),
      );
    };
    const then = entriesOf(this.#before, before, was);
    const now = entriesOf(this.#after, after, is);
    return {
      before: [...then].flatMap(([form, entry]) => (now.has(form) ? [] : [entry])),
      after: [...now].flatMap(([form, entry]) => (then.has(form) ? [] : [entry])),
    };
  }

  /** Those whose hash the others have not, which most never get beyond, or whose backends are reached in another way. */
  #changedRules(rules: readonly HttpRule[], others: readonly HttpRule[]): HttpRule[] {
    const hashes = new Set(others.map(({ hash }) => hash));
    return rules.filter((rule) => !hashes.has(rule.hash) || this.#sendsToChanged(rule));
  }

  #sendsToChanged({ backends, filters }: HttpRule): boolean {
    if (this.#backends.size === 0) return false;
    const names = ({ config }: FilterConfig) =>
      this.#backends.has((config as { backend?: BackendKey } | null)?.backend ?? '');
    return (
      filters.some(names) ||
      backends.some((each) => this.#backends.has(each.backend ?? '') || each.filters.some(names))
    );
  }

  /** All that decides which requests an entry takes, when it goes first, and what becomes of them. */
  #formOf({ rule, match, condition }: Entry, side: GatewaySide): string {
    const { namespace, name, created } = rule.source;
    const { key } = side.outcomes.of(rule, match);
    return canonicalJson([namespace, name, created, rule.source.rule, match, condition, key]);
  }
}

/** What one data plane has counted. Counting is a few additions; the numbers get their form when they are asked for. */
import type { BackendKey, Listener, RouteRule, RuleKey } from '../../snapshot/snapshot.ts';
import type { ExchangeTotals, HandshakeCause, Outcome } from '../exchange.ts';
import type { Refusal } from '../pipeline/admission.ts';
import type { TlsConnection } from '../tls-routes/tls-connection.ts';
import type { UpstreamFigures } from '../upstream/upstream.ts';
import { RuleSeries } from './rule-series.ts';
import { type Counts, Series } from './series.ts';

export type GatewayEvent =
  | 'snapshot-accepted'
  | 'snapshot-refused'
  | 'malformed-request'
  | 'connection-dropped'
  | 'mirror-dropped'
  | 'authorization-failed'
  | 'session-refused'
  | 'request-waited'
  | 'tls-handshake-failed'
  | 'tls-not-routed'
  | HandshakeCause
  | Refusal
  | 'internal-error';

/** For one rule, listener and backend; each is empty where there was none. */
export interface SeriesCounts {
  readonly rule: RuleKey | '';
  readonly listener: string;
  readonly backend: BackendKey | '';
  readonly counts: Counts;
}

/** What was counted, as plain data: on its way from a worker to the process that tells the counts of all of them. */
export interface GatewayCounts {
  readonly events: readonly (readonly [GatewayEvent, number])[];
  readonly series: readonly SeriesCounts[];
}

export class GatewayMetrics {
  /** `namespace/name`. */
  readonly name: string;
  readonly events = new Map<GatewayEvent, number>();
  /** Asked when the numbers are. */
  figures: () => Iterable<readonly [BackendKey, UpstreamFigures]> = () => [];
  readonly #listeners = new Set<string>();
  readonly #rules = new Map<RuleKey, RuleSeries>();
  /** By listener: requests that no rule served, or one that is gone. */
  readonly #unrouted = new Map<string, Series>();

  constructor(name: string) {
    this.name = name;
  }

  putListener(listener: Listener): void {
    this.#listeners.add(listenerName(listener));
  }

  removeListener(listener: Listener): void {
    const name = listenerName(listener);
    this.#listeners.delete(name);
    this.#unrouted.delete(name);
    for (const ofRule of this.#rules.values()) ofRule.leave(name);
  }

  /** From now on this rule has series of its own. */
  putRule(rule: RouteRule): void {
    const ofRule = this.#rules.get(rule.key);
    if (ofRule) ofRule.become(rule);
    else this.#rules.set(rule.key, new RuleSeries(this.name, rule));
  }

  removeRule(key: RuleKey): void {
    this.#rules.get(key)?.end();
    this.#rules.delete(key);
  }

  count(event: GatewayEvent, times = 1): void {
    this.events.set(event, (this.events.get(event) ?? 0) + times);
  }

  request(outcome: Outcome, totals: ExchangeTotals): void {
    const series = this.#seriesOf(outcome);
    series.request(totals);
    const { failure, tried, session, endpoint } = outcome;
    if (tried.length > 1) series.repeat(tried.length - 1);
    if (session && endpoint) series.session(session.wordFor(endpoint));
    if (failure) series.fail(failure);
  }

  /** One that no rule is for has no series: its server name is the client's choice. */
  tlsConnection({ listener, outcome, received, sent, begun }: TlsConnection): void {
    const { rule, backend, failure } = outcome;
    if (!rule) this.count('tls-not-routed');
    const ofRule = rule && this.#rules.get(rule.key);
    // None, or one that has gone meanwhile.
    if (!ofRule) return;
    const series = this.#seriesAt(ofRule, listenerName(listener), backend ?? '');
    series.connection((performance.now() - begun) / 1_000, received, sent);
    if (failure) series.fail(failure);
  }

  *series(): Iterable<Series> {
    yield* this.#unrouted.values();
    for (const { all } of this.#rules.values()) yield* all;
  }

  /** What was counted since the last time: nothing is counted twice, and nothing is left here. */
  take(): GatewayCounts {
    const taken: SeriesCounts[] = [];
    const take = (rule: SeriesCounts['rule'], all: Iterable<Series>) => {
      for (const series of all) {
        const counts = series.take();
        if (counts) taken.push({ rule, listener: series.listener, backend: series.backend, counts });
      }
    };
    take('', this.#unrouted.values());
    for (const [key, { all }] of this.#rules) take(key, all);
    const events = [...this.events];
    this.events.clear();
    return { events, series: taken };
  }

  /** What another process counted for this Gateway. */
  add({ events, series }: GatewayCounts): void {
    for (const [event, times] of events) this.count(event, times);
    for (const { rule, listener, backend, counts } of series) {
      const ofRule = rule ? this.#rules.get(rule) : undefined;
      this.#seriesAt(ofRule, listener, backend).add(counts);
    }
  }

  /** What went while a request was under way gets no series again: a label is empty then. */
  #seriesOf({ listener, rule, backend, plan, chosen }: Outcome): Series {
    const noted = chosen ?? plan;
    const known = noted?.series;
    if (known && noted.listener === listener && !known.isGone) return known;
    const ofRule = rule && this.#rules.get(rule.key);
    const series = this.#seriesAt(ofRule, listener ? listenerName(listener) : '', backend ?? '');
    if (noted) {
      noted.series = series;
      noted.listener = listener;
    }
    return series;
  }

  #seriesAt(ofRule: RuleSeries | undefined, listener: string, backend: BackendKey | ''): Series {
    const at = this.#listeners.has(listener) ? listener : '';
    if (ofRule) return ofRule.at(at, backend);
    let series = this.#unrouted.get(at);
    if (!series) {
      series = new Series(this.name, undefined, at, '');
      this.#unrouted.set(at, series);
    }
    return series;
  }
}

/** A listener among all of its Gateway: its name, or `namespace/set/name` where it comes from a ListenerSet. */
function listenerName({ source: { kind, namespace, name, listener } }: Listener): string {
  return kind === 'Gateway' ? listener : `${namespace}/${name}/${listener}`;
}

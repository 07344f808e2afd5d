/** What one data plane has counted. Counting is a few additions; the numbers get their form when they are asked for. */
import type { BackendKey, Listener, RouteRule, RuleKey } from '../../snapshot/snapshot.ts';
import type { ExchangeTotals, HandshakeCause, Outcome, UpstreamFailure } from '../exchange.ts';
import type { SessionWord } from '../sessions/rule-sessions.ts';
import type { TlsConnection, TlsFailure } from '../tls-routes/tls-connection.ts';
import type { UpstreamFigures } from '../upstream/upstream.ts';
import { addCounts, type GatewayCounts, type SeriesCounts, takeCounts } from './counts.ts';

/** Upper bounds in seconds. */
export const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30] as const;
export const CODE_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly labels: Labels;
  /** By class of status: `CODE_CLASSES`. */
  readonly codes: number[];
  /** Requests in each bucket alone, the last above all bounds. */
  readonly buckets: number[];
  readonly failures: Map<UpstreamFailure | TlsFailure, number>;
  /** Of a TLSRoute: connections are counted, as class `none`. */
  readonly isOfConnections: boolean;
  /** Times that requests were sent to a backend again. */
  repeated: number;
  /** Requests by what became of their session, where the rule has sessions. */
  readonly sessions: Map<SessionWord, number>;
  seconds: number;
  received: number;
  sent: number;
}

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
  | 'internal-error';

interface RuleSeries {
  readonly rule: RouteRule;
  readonly backends: ReadonlySet<BackendKey>;
  /** By listener and backend. */
  readonly series: Map<string, Series>;
  /** The same by what requests carry, so that none puts a key together. */
  readonly recent: RecentSeries[];
}

interface RecentSeries {
  readonly listener: Listener | undefined;
  readonly backend: BackendKey | undefined;
  readonly series: Series;
}

/** Of a rule; more are looked up by key. */
const MOST_RECENT = 8;

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
    this.#forgetRecent();
  }

  removeListener(listener: Listener): void {
    const name = listenerName(listener);
    this.#listeners.delete(name);
    this.#unrouted.delete(name);
    this.#forgetRecent();
  }

  /** What is remembered of listeners may be of one that has gone. */
  #forgetRecent(): void {
    for (const { recent } of this.#rules.values()) recent.length = 0;
  }

  /** From now on this rule has series of its own; those of backends that it has no more go. */
  putRule(rule: RouteRule): void {
    const { key, backends } = rule;
    const named = new Set(backends.flatMap(({ backend }) => (backend ? [backend] : [])));
    const series = this.#rules.get(key)?.series ?? new Map<string, Series>();
    for (const [each, { labels }] of series) {
      if (labels.backend && !named.has(`backend/${labels.backend}`)) series.delete(each);
    }
    this.#rules.set(key, { rule, backends: named, series, recent: [] });
  }

  removeRule(key: RuleKey): void {
    this.#rules.delete(key);
  }

  count(event: GatewayEvent, times = 1): void {
    this.events.set(event, (this.events.get(event) ?? 0) + times);
  }

  request(outcome: Outcome, totals: ExchangeTotals): void {
    const series = this.#seriesOf(outcome);
    series.codes[Math.min(5, Math.floor(totals.status / 100))]!++;
    const seconds = totals.duration / 1_000;
    series.seconds += seconds;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]!) bucket++;
    series.buckets[bucket]!++;
    series.received += totals.bytesReceived;
    series.sent += totals.bytesSent;
    const { failure, tried, session, endpoint } = outcome;
    if (tried.length > 1) series.repeated += tried.length - 1;
    if (session && endpoint) {
      const word = session.wordFor(endpoint);
      series.sessions.set(word, (series.sessions.get(word) ?? 0) + 1);
    }
    if (failure) series.failures.set(failure, (series.failures.get(failure) ?? 0) + 1);
  }

  /** One that no rule is for has no series: its server name is the client's choice. */
  tlsConnection({ listener, outcome, received, sent, begun }: TlsConnection): void {
    const { rule, backend, failure } = outcome;
    if (!rule) this.count('tls-not-routed');
    const ofRule = rule && this.#rules.get(rule.key);
    // None, or one that has gone meanwhile.
    if (!ofRule) return;
    const series = this.#seriesAt(ofRule, listenerName(listener), backend ?? '');
    series.codes[0]!++;
    series.seconds += (performance.now() - begun) / 1_000;
    series.received += received;
    series.sent += sent;
    if (failure) series.failures.set(failure, (series.failures.get(failure) ?? 0) + 1);
  }

  *series(): Iterable<Series> {
    yield* this.#unrouted.values();
    for (const { series } of this.#rules.values()) yield* series.values();
  }

  /** What was counted since the last time: nothing is counted twice, and nothing is left here. */
  take(): GatewayCounts {
    const taken: SeriesCounts[] = [];
    const take = (rule: SeriesCounts['rule'], all: Iterable<Series>) => {
      for (const series of all) {
        const counts = takeCounts(series);
        const { listener, backend } = series.labels as { listener: string; backend: string };
        const to = backend ? (`backend/${backend}` as BackendKey) : '';
        if (counts) taken.push({ rule, listener, backend: to, counts });
      }
    };
    take('', this.#unrouted.values());
    for (const [key, { series }] of this.#rules) take(key, series.values());
    const events = [...this.events];
    this.events.clear();
    return { events, series: taken };
  }

  /** What another process counted for this Gateway. */
  add({ events, series }: GatewayCounts): void {
    for (const [event, times] of events) this.count(event, times);
    for (const { rule, listener, backend, counts } of series) {
      const ofRule = rule ? this.#rules.get(rule) : undefined;
      addCounts(this.#seriesAt(ofRule, listener, backend), counts);
    }
  }

  /** What went while a request was under way gets no series again: a label is empty then. */
  #seriesOf({ listener, rule, backend }: Outcome): Series {
    const ofRule = rule && this.#rules.get(rule.key);
    if (ofRule) {
      for (const each of ofRule.recent) {
        if (each.listener === listener && each.backend === backend) return each.series;
      }
    }
    const series = this.#seriesAt(ofRule, listener ? listenerName(listener) : '', backend ?? '');
    if (ofRule && ofRule.recent.length < MOST_RECENT) ofRule.recent.push({ listener, backend, series });
    return series;
  }

  #seriesAt(ofRule: RuleSeries | undefined, listener: string, backend: BackendKey | ''): Series {
    const at = this.#listeners.has(listener) ? listener : '';
    if (!ofRule) return get(this.#unrouted, at, () => this.#create(at));
    const to = backend && ofRule.backends.has(backend) ? backend : '';
    return get(ofRule.series, `${at} ${to}`, () => this.#create(at, ofRule.rule, to));
  }

  #create(listener: string, rule?: RouteRule, backend = ''): Series {
    return {
      labels: {
        gateway: this.name,
        listener,
        route: rule ? `${rule.source.namespace}/${rule.source.name}` : '',
        rule: rule ? (rule.source.ruleName ?? String(rule.source.rule)) : '',
        backend: backend.slice('backend/'.length),
      },
      codes: CODE_CLASSES.map(() => 0),
      buckets: [...BUCKETS, 0].map(() => 0),
      failures: new Map(),
      isOfConnections: rule?.type === 'tls-rule',
      repeated: 0,
      sessions: new Map(),
      seconds: 0,
      received: 0,
      sent: 0,
    };
  }
}

function get(table: Map<string, Series>, key: string, create: () => Series): Series {
  let series = table.get(key);
  if (!series) {
    series = create();
    table.set(key, series);
  }
  return series;
}

/** A listener among all of its Gateway: its name, or `namespace/set/name` where it comes from a ListenerSet. */
function listenerName({ source: { kind, namespace, name, listener } }: Listener): string {
  return kind === 'Gateway' ? listener : `${namespace}/${name}/${listener}`;
}

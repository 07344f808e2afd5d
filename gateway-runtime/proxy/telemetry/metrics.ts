/**
 * Metrics of requests, for Prometheus. Labels come from the snapshot only, never from a request, and the series of a rule go when it
 * goes: their number is bounded by the configuration. Counting is a few additions; prom-client sees the numbers when it is asked.
 */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { type GatewayId, gatewayKey, type HttpRule, type RuleKey } from '../../snapshot/snapshot.ts';
import type { ExchangeTotals, Outcome, UpstreamFailure } from '../exchange.ts';

/** Upper bounds in seconds. */
const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30] as const;
const CODE_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly labels: Labels;
  /** By class of status: `CODE_CLASSES`. */
  readonly codes: number[];
  /** Requests in each bucket alone. */
  readonly buckets: number[];
  readonly failures: Map<UpstreamFailure, number>;
  seconds: number;
  received: number;
  sent: number;
}

interface Sample {
  labels: Labels;
  value: number;
  metricName?: string;
}

export class Metrics {
  readonly registry = new Registry();
  readonly #gateways = new Map<string, GatewayMetrics>();

  /** `process`: with prom-client's metrics of the Node process. */
  constructor({ process = false }: { process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.registry });
    const each = (samples: (series: Series) => Sample[]) => () =>
      [...this.#gateways.values()].flatMap((gateway) => [...gateway.series()].flatMap(samples));
    this.#register('gatewright_requests_total', 'Requests by class of status.', 'counter', each(codes));
    this.#register(
      'gatewright_request_duration_seconds',
      'From the head of a request to the end of its response.',
      'histogram',
      each(durations),
    );
    this.#register(
      'gatewright_received_bytes_total',
      'Bytes of request bodies.',
      'counter',
      each(({ labels, received }) => [{ labels, value: received }]),
    );
    this.#register(
      'gatewright_sent_bytes_total',
      'Bytes of response bodies.',
      'counter',
      each(({ labels, sent }) => [{ labels, value: sent }]),
    );
    this.#register(
      'gatewright_upstream_failures_total',
      'Requests without a whole response of a backend, by reason.',
      'counter',
      each(failures),
    );
    this.#register('gatewright_events_total', 'What happened beside requests, by event.', 'counter', () =>
      [...this.#gateways.values()].flatMap((gateway) => gateway.events()),
    );
  }

  /** For a new data plane, which counts from 0. */
  gateway(id: GatewayId): GatewayMetrics {
    const gateway = new GatewayMetrics(gatewayKey(id));
    this.#gateways.set(gateway.name, gateway);
    return gateway;
  }

  /** Another data plane of the same Gateway may have come meanwhile; it stays. */
  remove(gateway: GatewayMetrics): void {
    if (this.#gateways.get(gateway.name) === gateway) this.#gateways.delete(gateway.name);
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  #register(name: string, help: string, type: string, samples: () => Sample[]): void {
    // The registry asks no more of a metric than this; prom-client's own classes would hash the labels of every request.
    const metric = { name, help, type, get: async () => ({ name, help, type, values: samples() }) };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}

export type GatewayEvent =
  | 'snapshot-accepted'
  | 'snapshot-refused'
  | 'malformed-request'
  | 'connection-dropped'
  | 'tls-handshake-failed'
  | 'internal-error';

export class GatewayMetrics {
  /** `namespace/name`. */
  readonly name: string;
  readonly #rules = new Map<RuleKey, Map<string, Series>>();
  /** By listener: requests that no rule of the snapshot served. */
  readonly #unrouted = new Map<string, Series>();
  readonly #events = new Map<GatewayEvent, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** From now on this rule has series of its own. */
  putRule(key: RuleKey): void {
    if (!this.#rules.has(key)) this.#rules.set(key, new Map());
  }

  removeRule(key: RuleKey): void {
    this.#rules.delete(key);
  }

  removeListener(name: string): void {
    this.#unrouted.delete(name);
  }

  count(event: GatewayEvent): void {
    this.#events.set(event, (this.#events.get(event) ?? 0) + 1);
  }

  request({ listener, rule, backend, failure }: Outcome, totals: ExchangeTotals): void {
    const series = this.#seriesOf(listener?.source.listener ?? '', rule, backend ?? '');
    series.codes[Math.min(5, Math.floor(totals.status / 100))]!++;
    const seconds = totals.duration / 1_000;
    series.seconds += seconds;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    series.buckets[bucket < 0 ? BUCKETS.length : bucket]!++;
    series.received += totals.bytesReceived;
    series.sent += totals.bytesSent;
    if (failure) series.failures.set(failure, (series.failures.get(failure) ?? 0) + 1);
  }

  *series(): Iterable<Series> {
    yield* this.#unrouted.values();
    for (const series of this.#rules.values()) yield* series.values();
  }

  events(): Sample[] {
    return [...this.#events].map(([event, value]) => ({ labels: { gateway: this.name, event }, value }));
  }

  #seriesOf(listener: string, rule: HttpRule | undefined, backend: string): Series {
    const ofRule = rule && this.#rules.get(rule.key);
    // A rule that went while its request was under way has no series left.
    const table = ofRule ?? this.#unrouted;
    const key = ofRule ? `${listener} ${backend}` : listener;
    let series = table.get(key);
    if (!series) {
      const { namespace, name, ruleName, rule: index } = rule?.source ?? {};
      series = {
        labels: {
          gateway: this.name,
          listener,
          route: ofRule ? `${namespace}/${name}` : '',
          rule: ofRule ? (ruleName ?? String(index)) : '',
          backend: ofRule ? backend.slice('backend/'.length) : '',
        },
        codes: CODE_CLASSES.map(() => 0),
        buckets: [...BUCKETS, 0].map(() => 0),
        failures: new Map(),
        seconds: 0,
        received: 0,
        sent: 0,
      };
      table.set(key, series);
    }
    return series;
  }
}

function codes({ labels, codes }: Series): Sample[] {
  return CODE_CLASSES.map((code, index) => ({ labels: { ...labels, code }, value: codes[index]! })).filter(
    ({ value }) => value > 0,
  );
}

function failures({ labels, failures }: Series): Sample[] {
  return [...failures].map(([failure, value]) => ({ labels: { ...labels, failure }, value }));
}

function durations({ labels, buckets, seconds }: Series): Sample[] {
  const name = 'gatewright_request_duration_seconds';
  let count = 0;
  const samples: Sample[] = buckets.map((inBucket, index) => {
    count += inBucket;
    const le = index < BUCKETS.length ? String(BUCKETS[index]) : '+Inf';
    return { labels: { ...labels, le }, value: count, metricName: `${name}_bucket` };
  });
  samples.push({ labels, value: seconds, metricName: `${name}_sum` });
  samples.push({ labels, value: count, metricName: `${name}_count` });
  return samples;
}

/**
 * Metrics of requests, for Prometheus. Labels come from the snapshot only, never from a request, and the series of a rule go when it
 * goes: their number is bounded by the configuration.
 */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { type GatewayId, gatewayKey } from '../../snapshot/snapshot.ts';
import type { UpstreamFigures } from '../upstream/upstream.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { BUCKETS, CODE_CLASSES, type Labels, type Series } from './series.ts';

interface Sample {
  labels: Labels;
  value: number;
  metricName?: string;
}

/** Of the processes that serve one Gateway. */
export interface WorkerTotals {
  readonly serving: number;
  /** Processes that came in place of one that ended. */
  readonly restarts: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export interface WorkersSource {
  readonly totals: () => WorkerTotals;
  /** Has them tell what they counted; resolves soon, whatever they do. */
  readonly refresh: () => Promise<void>;
}

export class Metrics {
  readonly registry = new Registry();
  readonly #gateways = new Map<string, GatewayMetrics>();
  /** Of Gateways that processes of their own serve. */
  readonly #workers = new Map<GatewayMetrics, WorkersSource>();

  /** `process`: with prom-client's metrics of the Node process. */
  constructor({ process = false }: { process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.registry });
    const every = (ofConnections: boolean) => (samples: (series: Series) => Sample[]) => () =>
      [...this.#gateways.values()].flatMap((gateway) =>
        [...gateway.series()].filter((one) => one.isOfConnections === ofConnections).flatMap(samples),
      );
    const each = every(false);
    this.#registerConnections(every(true));
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
      'gatewright_repeated_requests_total',
      'Times that requests were sent to a backend again.',
      'counter',
      each(({ labels, repeated }) => (repeated > 0 ? [{ labels, value: repeated }] : [])),
    );
    this.#register(
      'gatewright_session_requests_total',
      'Requests of rules with session persistence: new, kept at their endpoint, or moved to another.',
      'counter',
      each(({ labels, sessions }) =>
        [...sessions].map(([session, value]) => ({ labels: { ...labels, session }, value })),
      ),
    );
    this.#register(
      'gatewright_upstream_failures_total',
      'Requests without a whole response of a backend, by reason.',
      'counter',
      each(failures),
    );
    const ofBackends = (samples: (labels: Labels, figures: UpstreamFigures) => Sample[]) => () =>
      [...this.#gateways.values()].flatMap(({ name, figures }) =>
        [...figures()].flatMap(([key, each]) =>
          samples({ gateway: name, backend: key.slice('backend/'.length) }, each),
        ),
      );
    this.#register(
      'gatewright_backend_endpoints',
      'Endpoints of a backend by condition: usable, ejected, unreachable, terminating.',
      'gauge',
      ofBackends((labels, { endpoints }) =>
        Object.entries(endpoints).map(([condition, value]) => ({ labels: { ...labels, condition }, value })),
      ),
    );
    this.#register(
      'gatewright_backend_active_requests',
      'Requests under way at the endpoints of a backend.',
      'gauge',
      ofBackends((labels, { active }) => [{ labels, value: active }]),
    );
    this.#register(
      'gatewright_endpoint_ejections_total',
      'Times that an endpoint of a backend was ejected for failing one request after the other.',
      'counter',
      ofBackends((labels, { ejections }) => (ejections > 0 ? [{ labels, value: ejections }] : [])),
    );
    this.#register('gatewright_events_total', 'What happened beside requests, by event.', 'counter', () =>
      [...this.#gateways.values()].flatMap(({ name, events }) =>
        [...events].map(([event, value]) => ({ labels: { gateway: name, event }, value })),
      ),
    );
  }

  /** Of the data planes in this process. */
  get gateways(): readonly GatewayMetrics[] {
    return [...this.#gateways.values()];
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
    this.#workers.delete(gateway);
  }

  /** @param lost lines of the access log so far that could not be written */
  putLog(lost: () => number): void {
    this.#register(
      'gatewright_access_log_lines_lost_total',
      'Lines of the access log that could not be written, or not fast enough.',
      'counter',
      () => [{ labels: {}, value: lost() }],
    );
  }

  /** Of workers, which count what is told as of this Gateway. */
  putWorkers(gateway: GatewayMetrics, source: WorkersSource): void {
    if (this.#workers.size === 0) this.#registerWorkers();
    this.#workers.set(gateway, source);
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    await Promise.all([...this.#workers.values()].map(({ refresh }) => refresh()));
    return this.registry.metrics();
  }

  /** Of TLSRoutes. */
  #registerConnections(each: (samples: (series: Series) => Sample[]) => () => Sample[]): void {
    const register = (name: string, help: string, samples: (series: Series) => Sample[]) =>
      this.#register(name, help, 'counter', each(samples));
    register(
      'gatewright_tls_connections_total',
      'Connections of TLSRoutes that have ended.',
      ({ labels, codes }) => [{ labels, value: codes[0]! }],
    );
    register('gatewright_tls_connection_seconds_total', 'For which they lasted.', ({ labels, seconds }) => [
      { labels, value: seconds },
    ]);
    register('gatewright_tls_received_bytes_total', 'Bytes of their clients.', ({ labels, received }) => [
      { labels, value: received },
    ]);
    register('gatewright_tls_sent_bytes_total', 'Bytes of their backends.', ({ labels, sent }) => [
      { labels, value: sent },
    ]);
    register('gatewright_tls_failures_total', 'Of them that failed, by reason.', failures);
  }

  #registerWorkers(): void {
    const register = (name: string, help: string, type: string, of: (totals: WorkerTotals) => number) => {
      if (this.registry.getSingleMetric(name)) return;
      this.#register(name, help, type, () =>
        [...this.#workers].map(([{ name }, { totals }]) => ({
          labels: { gateway: name },
          value: of(totals()),
        })),
      );
    };
    register('gatewright_workers', 'Workers that serve.', 'gauge', ({ serving }) => serving);
    register(
      'gatewright_worker_restarts_total',
      'Workers that came in place of one that ended.',
      'counter',
      ({ restarts }) => restarts,
    );
    register(
      'gatewright_workers_cpu_seconds_total',
      'CPU time of all workers.',
      'counter',
      ({ cpuSeconds }) => cpuSeconds,
    );
    register(
      'gatewright_workers_resident_memory_bytes',
      'Memory of all workers that run; what they share is counted for each.',
      'gauge',
      ({ residentBytes }) => residentBytes,
    );
  }

  #register(name: string, help: string, type: string, samples: () => Sample[]): void {
    // The registry asks no more of a metric than this; prom-client's own classes would hash the labels of every request.
    const metric = { name, help, type, get: async () => ({ name, help, type, values: samples() }) };
    this.registry.registerMetric(metric as unknown as Metric);
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

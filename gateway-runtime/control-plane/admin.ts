/** What operators ask a replica of the control plane, over HTTP. Read-only, and without a secret in it. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { AdminServer, type AdminServerOptions, text } from '../admin/server.ts';
import { snapshotAnswer } from '../admin/snapshot-answer.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** What is asked of the control plane whenever somebody looks. */
export interface Inspected {
  /** Undefined where it can take data planes, else why it can't. */
  readonly unready: string | undefined;
  readonly leads: boolean;
  readonly statusWrites: number;
  /** By severity. */
  readonly problems: Readonly<Record<string, number>>;
  /** By kind, whether it is read as of now. */
  readonly informers: Readonly<Record<string, boolean>>;
  /** By Gateway, the data planes whose streams end here. */
  readonly streams: Readonly<Record<string, number>>;
  readonly snapshots: () => Iterable<Snapshot>;
}

export interface ControlAdminOptions extends Omit<AdminServerOptions, 'answer'> {
  readonly inspect: () => Inspected;
}

const PATHS = `/healthz     200 while the process runs
/readyz      200 while everything was read and data planes can dial, else 503 and why
/metrics     for Prometheus
/snapshot    what is handed out, as JSON; ?gateway=<namespace>/<name> for one
`;

/** In seconds. */
const BUCKETS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

export class ControlAdmin {
  readonly #server: AdminServer;
  readonly #registry = new Registry();
  readonly #translate: Histogram;
  readonly #events: Counter;

  constructor({ inspect, ...server }: ControlAdminOptions) {
    this.#server = new AdminServer({
      ...server,
      answer: async (path, query) => {
        switch (path) {
          case '/healthz':
            return text(200, 'ok');
          case '/readyz': {
            const { unready } = inspect();
            return unready ? text(503, `not ready: ${unready}`) : text(200, 'ready');
          }
          case '/metrics':
            return {
              status: 200,
              type: this.#registry.contentType,
              body: await this.#registry.metrics(),
            };
          case '/snapshot':
            return snapshotAnswer([...inspect().snapshots()], query.get('gateway'));
          default:
            return text(404, `404: no such path; there are:\n${PATHS}`);
        }
      },
    });
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('gatewright_leader', 'Whether this replica leads.', [], () => [[{}, inspect().leads]]);
    this.#gauge(
      'gatewright_problems',
      'What is wrong with the cluster or our rights in it.',
      ['severity'],
      () => labelled('severity', inspect().problems),
    );
    this.#gauge('gatewright_informer_synced', 'Whether a kind is read as of now.', ['kind'], () =>
      labelled('kind', inspect().informers),
    );
    this.#gauge('gatewright_streams', 'Data planes whose streams end at this replica.', ['gateway'], () =>
      labelled('gateway', inspect().streams),
    );
    new Counter({
      name: 'gatewright_status_writes_total',
      help: 'Status writes that the API server has taken.',
      registers,
      collect() {
        this.reset();
        this.inc(inspect().statusWrites);
      },
    });
    this.#translate = new Histogram({
      name: 'gatewright_translate_duration_seconds',
      help: 'Time to translate one batch of changes.',
      buckets: BUCKETS,
      registers,
    });
    this.#events = new Counter({
      name: 'gatewright_events_total',
      help: 'What was told to operators: refused data planes, lost streams, writes that failed.',
      registers,
    });
  }

  /** A batch of changes was translated in so many milliseconds. */
  translated(milliseconds: number): void {
    this.#translate.observe(milliseconds / 1000);
  }

  told(): void {
    this.#events.inc();
  }

  listen(): Promise<number> {
    return this.#server.listen();
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    samples: () => Iterable<readonly [Readonly<Record<string, string>>, number | boolean]>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.set(labels, Number(value));
      },
    });
  }
}

const labelled = (label: string, values: Readonly<Record<string, number | boolean>>) =>
  Object.entries(values).map(([key, value]) => [{ [label]: key }, value] as const);

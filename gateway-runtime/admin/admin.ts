/**
 * What operators ask a running data plane, over HTTP: health, metrics, the snapshot that serves, and why a request goes where it
 * goes. Read-only. On loopback unless told otherwise, since it tells about every team.
 */
import type { KnownObjects } from '../explain/explained.ts';
import { explainedText } from '../explain/text.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { Metrics } from '../proxy/telemetry/metrics.ts';
import { type GatewayId, gatewayKey, type Snapshot } from '../snapshot/snapshot.ts';
import { explainRequest } from './explain-request.ts';
import { type AdminAnswer, AdminServer, type AdminServerOptions, json, text } from './server.ts';
import { snapshotAnswer } from './snapshot-answer.ts';

/** A Gateway that is served in this process; `Agent` is one. */
export interface AdminGateway {
  readonly gateway: GatewayId;
  readonly ready: boolean;
  readonly snapshot: Snapshot | undefined;
  /** The port bound for a listener port. */
  boundPort(port: number): number | undefined;
  /** The port under which clients reach a listener port. */
  publicPort(port: number): number;
}

export interface AdminOptions extends Omit<AdminServerOptions, 'answer'> {
  /** Those served now, asked at each request. */
  readonly gateways: () => Iterable<AdminGateway>;
  readonly metrics: Metrics;
  readonly regex: RegexEngine;
  /** Routes for a host that are not attached where they say. Default: none are known, since a snapshot has none. */
  readonly refused?: KnownObjects['refused'];
  /** Where an object stands. Default: that is not known. */
  readonly originOf?: KnownObjects['originOf'];
}

const PATHS = `/healthz                 200 while the process runs
/readyz                  200 while every Gateway is served, else 503 and which is not
/metrics                 for Prometheus
/snapshot                what is served, as JSON; ?gateway=<namespace>/<name> for one
/explain?url=<url>       where a request goes and why; &method=, &header=<name>:<value> (repeated), &gateway=;
                         as JSON for Accept: application/json
`;

export class Admin {
  readonly #options: AdminOptions;
  readonly #server: AdminServer;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = new AdminServer({
      ...options,
      answer: (path, query, accept) => this.#answer(path, query, accept),
    });
  }

  /** Listens; resolves with the port. Rejects where it can't be bound. */
  listen(): Promise<number> {
    return this.#server.listen();
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  async #answer(path: string, query: URLSearchParams, accept: string): Promise<AdminAnswer> {
    switch (path) {
      case '/healthz':
        return text(200, 'ok');
      case '/readyz':
        return this.#readiness();
      case '/metrics': {
        const { metrics } = this.#options;
        return { status: 200, type: metrics.registry.contentType, body: await metrics.text() };
      }
      case '/snapshot':
        return snapshotAnswer(
          [...this.#options.gateways()].flatMap(({ snapshot }) => (snapshot ? [snapshot] : [])),
          query.get('gateway'),
        );
      case '/explain':
        return this.#explain(query, accept);
      default:
        return text(404, `404: no such path; there are:\n${PATHS}`);
    }
  }

  #readiness(): AdminAnswer {
    const gateways = [...this.#options.gateways()];
    const unready = gateways.filter(({ ready }) => !ready).map(({ gateway }) => gatewayKey(gateway));
    if (gateways.length === 0) return text(503, 'no Gateway is served');
    return unready.length ? text(503, `not ready: ${unready.join(', ')}`) : text(200, 'ready');
  }

  #explain(query: URLSearchParams, accept: string): AdminAnswer {
    const { gateways, regex, refused = () => [], originOf } = this.#options;
    const known = originOf ? { refused, originOf } : { refused };
    const explained = explainRequest(query, [...gateways()], regex, known);
    if ('message' in explained) return text(explained.status, `${explained.status}: ${explained.message}`);
    if (accept.includes('application/json')) return json(explained);
    return text(
      200,
      explainedText(explained, (gateway) => `Gateway ${gateway}`),
    );
  }
}

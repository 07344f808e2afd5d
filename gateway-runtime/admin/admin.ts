/**
 * What operators ask a running data plane, over HTTP: health, metrics, the snapshot that serves, and why a request goes where it
 * goes. Read-only. On loopback unless told otherwise, since it tells about every team.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { explanationText } from '../explain/text.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { Metrics } from '../proxy/telemetry/metrics.ts';
import { type GatewayId, gatewayKey, type Snapshot } from '../snapshot/snapshot.ts';
import { explainRequest } from './explain-request.ts';
import { redactSnapshot } from './redact.ts';

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

export interface AdminOptions {
  /** Those served now, asked at each request. */
  readonly gateways: () => Iterable<AdminGateway>;
  readonly metrics: Metrics;
  readonly regex: RegexEngine;
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** 0 is any free one. Default: 9902. */
  readonly port?: number;
  /** Host names under which it is asked, beside addresses and localhost. */
  readonly hosts?: readonly string[];
}

interface AdminAnswer {
  readonly status: number;
  readonly type: 'text/plain; charset=utf-8' | 'application/json' | string;
  readonly body: string;
}

const PATHS = `/healthz                 200 while the process runs
/readyz                  200 while every Gateway is served, else 503 and which is not
/metrics                 for Prometheus
/snapshot                what is served, as JSON; ?gateway=<namespace>/<name> for one
/explain?url=<url>       where a request goes and why; &method=, &header=<name>:<value> (repeated), &gateway=;
                         as JSON for Accept: application/json
`;

const text = (status: number, body: string): AdminAnswer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: body.endsWith('\n') ? body : `${body}\n`,
});

const json = (value: unknown): AdminAnswer => ({
  status: 200,
  type: 'application/json',
  body: `${JSON.stringify(value, undefined, 2)}\n`,
});

export class Admin {
  readonly #options: AdminOptions;
  readonly #server: Server;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16 * 1024 });
    this.#server.on('request', (message, response) => {
      this.#answer(message)
        .catch(() => text(500, '500: the admin server failed on this request'))
        .then((answer) => send(response, message.method, answer))
        .catch(() => response.destroy());
    });
  }

  /** Listens; resolves with the port. Rejects where it can't be bound. */
  async listen(): Promise<number> {
    const { address = '127.0.0.1', port = 9902 } = this.#options;
    this.#server.listen(port, address);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer({ method, url = '/', headers }: IncomingMessage): Promise<AdminAnswer> {
    if (!this.#isOwnHost(headers.host)) {
      return text(421, '421: the Host is not one of this server; ask by address or as localhost');
    }
    if (method !== 'GET' && method !== 'HEAD') return text(405, '405: only GET is answered');
    const question = url.indexOf('?');
    const path = question < 0 ? url : url.slice(0, question);
    const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
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
        return this.#snapshot(query.get('gateway'));
      case '/explain':
        return this.#explain(query, headers.accept);
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

  #snapshot(named: string | null): AdminAnswer {
    const snapshots = [...this.#options.gateways()].flatMap(({ snapshot }) => (snapshot ? [snapshot] : []));
    if (named === null) return json(snapshots.map(redactSnapshot));
    const found = snapshots.find(({ gateway }) => gatewayKey(gateway) === named);
    if (found) return json(redactSnapshot(found));
    const known = snapshots.map(({ gateway }) => gatewayKey(gateway)).join(', ');
    return text(404, `404: no such Gateway is served; served are: ${known || 'none'}`);
  }

  #explain(query: URLSearchParams, accept = ''): AdminAnswer {
    const { gateways, regex } = this.#options;
    const explained = explainRequest(query, [...gateways()], regex);
    if ('message' in explained) return text(explained.status, `${explained.status}: ${explained.message}`);
    if (accept.includes('application/json')) return json(explained);
    return text(
      200,
      explained.map((each) => `Gateway ${each.gateway}\n${explanationText(each)}`).join('\n\n'),
    );
  }

  /**
   * A page of another site can make a browser ask this server under a name of that site (DNS rebinding); addresses and localhost
   * are nobody's to point elsewhere.
   */
  #isOwnHost(host = ''): boolean {
    const name = host.replace(/:\d*$/, '').toLowerCase();
    if (name === 'localhost' || isIP(name.replace(/^\[|\]$/g, ''))) return true;
    return this.#options.hosts?.includes(name) ?? false;
  }
}

function send(
  response: ServerResponse,
  method: string | undefined,
  { status, type, body }: AdminAnswer,
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/** Connections to endpoints: kept alive per endpoint, bounded, and closed before the backend would close them. */

import { Agent, type AgentOptions, type ClientRequest, type RequestOptions, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../engine-http1/clock.ts';
import type { ExchangeHandler, TargetEndpoint } from '../exchange.ts';
import type { Limits } from '../limits.ts';
import { Http2Sessions } from '../upstream/http2/sessions.ts';
import type { UpstreamTls } from '../upstream/upstream-tls.ts';

/** For one trust and name: what is checked belongs to the agent, or Node would use no connection and no session of it again. */
interface TlsAgents {
  readonly reusing: TlsAgent;
  readonly fresh: TlsAgent;
}

export class ConnectionPool {
  /** Idle connections are used again, the most recent first; `Keep-Alive: timeout` of a backend shortens their time. */
  readonly #reusing: Agent;
  /** One connection per request. */
  readonly #fresh: Agent;
  readonly #tls = new WeakMap<UpstreamTls, TlsAgents>();
  readonly #tlsSockets = new Set<Socket>();
  readonly #keeping: AgentOptions;
  readonly http2: Http2Sessions;
  readonly #limit: number;

  /** @param most requests under way to one endpoint */
  constructor(handler: ExchangeHandler, limits: Limits, clock: Clock, most: number) {
    this.#keeping = {
      keepAlive: true,
      scheduling: 'lifo',
      timeout: limits.upstreamIdle,
      maxFreeSockets: limits.idleConnectionsPerEndpoint,
    };
    this.#reusing = new Agent(this.#keeping);
    this.#fresh = new Agent({ keepAlive: false });
    this.http2 = new Http2Sessions({ handler, limits, clock }, most);
    this.#limit = most;
  }

  /** Begins a request to an endpoint. `fresh`: on a connection that no request used before. */
  request(endpoint: TargetEndpoint, fresh: boolean, options: RequestOptions): ClientRequest {
    const { address: host, port, tls } = endpoint;
    if (!tls) return request({ ...options, host, port, agent: fresh ? this.#fresh : this.#reusing });
    const agents = this.#agentsFor(tls);
    const sent = tlsRequest({ ...options, host, port, agent: fresh ? agents.fresh : agents.reusing });
    sent.once('socket', (socket) => {
      if (this.#tlsSockets.has(socket)) return;
      this.#tlsSockets.add(socket);
      socket.once('close', () => this.#tlsSockets.delete(socket));
    });
    return sent;
  }

  #agentsFor(tls: UpstreamTls): TlsAgents {
    let agents = this.#tls.get(tls);
    if (!agents) {
      agents = {
        reusing: new TlsAgent({ ...this.#keeping, ...tls.options }),
        fresh: new TlsAgent({ keepAlive: false, ...tls.options }),
      };
      this.#tls.set(tls, agents);
    }
    return agents;
  }

  /** Whether an endpoint has as many requests under way as it may have. */
  isFull({ address: host, port, tls }: TargetEndpoint): boolean {
    const { reusing, fresh } = tls ? this.#agentsFor(tls) : { reusing: this.#reusing, fresh: this.#fresh };
    const name = reusing.getName({ host, port });
    const busy = (reusing.sockets[name]?.length ?? 0) + (fresh.sockets[name]?.length ?? 0);
    return busy >= this.#limit;
  }

  close(): void {
    this.#reusing.destroy();
    this.#fresh.destroy();
    for (const socket of this.#tlsSockets) socket.destroy();
    this.http2.close();
  }
}

/** Connections to endpoints: kept alive per endpoint, bounded, and closed before the backend would close them. */
import { Agent } from 'node:http';
import type { Endpoint } from '../../snapshot/snapshot.ts';
import type { Clock } from '../engine-http1/clock.ts';
import type { Limits } from '../limits.ts';
import { Http2Sessions } from '../upstream/http2/sessions.ts';

export class ConnectionPool {
  /** Idle connections are used again, the most recent first; `Keep-Alive: timeout` of a backend shortens their time. */
  readonly reusing: Agent;
  /** One connection per request. */
  readonly fresh: Agent;
  readonly http2: Http2Sessions;
  readonly #limit: number;

  /** @param most requests under way to one endpoint */
  constructor(limits: Limits, clock: Clock, most: number) {
    this.reusing = new Agent({
      keepAlive: true,
      scheduling: 'lifo',
      timeout: limits.upstreamIdle,
      maxFreeSockets: limits.idleConnectionsPerEndpoint,
    });
    this.fresh = new Agent({ keepAlive: false });
    this.http2 = new Http2Sessions({ limits, clock }, most);
    this.#limit = most;
  }

  /** Whether an endpoint has as many requests under way as it may have. */
  isFull({ address, port }: Endpoint): boolean {
    const name = this.reusing.getName({ host: address, port });
    const busy = (this.reusing.sockets[name]?.length ?? 0) + (this.fresh.sockets[name]?.length ?? 0);
    return busy >= this.#limit;
  }

  close(): void {
    this.reusing.destroy();
    this.fresh.destroy();
    this.http2.close();
  }
}

/** An endpoint of a backend, with what this data plane knows of it from the requests that it has sent there. */
import type { Endpoint } from '../../snapshot/snapshot.ts';
import type { TargetEndpoint } from '../exchange.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamTls } from './upstream-tls.ts';

export class UpstreamEndpoint implements TargetEndpoint {
  readonly upstream: Upstream;
  readonly address: string;
  readonly port: number;
  /** `10.0.0.1:80`, `[fd00::1]:80` */
  readonly place: string;
  readonly tls: UpstreamTls | undefined;
  terminating: boolean;
  /** Of those that requests are sent to: it does not terminate, or every one does. */
  isServing = false;
  /** Requests sent to it whose responses have not ended. */
  active = 0;
  /** Failures one after the other, as `isGatewayFailure` counts them. */
  failures = 0;
  /** It gets no requests for a while, until the time that `performance.now()` has then (`ejection.ts`). */
  isEjected = false;
  /** Of the last ejection. */
  ejectedUntil = 0;
  /** Times that it was ejected, each soon after the one before. */
  ejections = 0;

  constructor(upstream: Upstream, { address, port, terminating = false }: Endpoint, tls?: UpstreamTls) {
    this.upstream = upstream;
    this.address = address;
    this.port = port;
    this.place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    this.tls = tls;
    this.terminating = terminating;
  }

  get isHttp2(): boolean {
    // Requests go in HTTP/2 in the clear alone; where they are to be encrypted, in HTTP/1.1.
    return this.upstream.isHttp2 && !this.tls;
  }
}

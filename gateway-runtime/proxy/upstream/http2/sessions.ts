/** Sessions with endpoints: the first with room is used, and more are opened when all are full. */
import type { TargetEndpoint } from '../../exchange.ts';
import { Http2Request } from './request.ts';
import { type Http2Context, Http2Session } from './session.ts';

/** What the sessions with one endpoint share. */
export interface Place {
  /** Those that requests may be sent on. */
  readonly sessions: Http2Session[];
  /** Of these and those that have been asked to take no more. */
  open: number;
  /** On all of them. */
  requests: number;
  /** Streams that the endpoint took at a time when it was last heard of. */
  most: number;
}

export class Http2Sessions {
  readonly #context: Http2Context;
  readonly #most: number;
  readonly #byEndpoint = new Map<string, Place>();
  readonly #all = new Set<Http2Session>();

  /** @param most requests under way to one endpoint */
  constructor(context: Http2Context, most: number) {
    this.#context = context;
    this.#most = most;
  }

  /**
   * A request to be begun; undefined where the endpoint has as many as it may have.
   *
   * @param fresh on a session that no request used before
   */
  take(endpoint: TargetEndpoint, fresh: boolean): Http2Request | undefined {
    const session = this.session(endpoint, fresh);
    if (!session) return undefined;
    const request = new Http2Request(session);
    session.add(request);
    return request;
  }

  session(endpoint: TargetEndpoint, fresh: boolean): Http2Session | undefined {
    const key = keyOf(endpoint);
    const place = this.#byEndpoint.get(key) ?? {
      sessions: [],
      open: 0,
      requests: 0,
      most: this.#context.limits.http2Streams,
    };
    if (place.requests >= this.#most) return undefined;
    if (!fresh) for (const each of place.sessions) if (each.hasRoom) return each;
    if (place.open >= this.#most) return undefined;
    const session = new Http2Session(this, this.#context, endpoint, place);
    place.sessions.push(session);
    place.open++;
    this.#byEndpoint.set(key, place);
    this.#all.add(session);
    return session;
  }

  /** Takes no more requests, and goes on with those that it has. */
  leave(session: Http2Session): void {
    const { sessions } = session.place;
    const at = sessions.indexOf(session);
    if (at >= 0) sessions.splice(at, 1);
  }

  /** It is closed. */
  forget(session: Http2Session): void {
    if (!this.#all.delete(session)) return;
    this.leave(session);
    if (--session.place.open === 0) this.#byEndpoint.delete(keyOf(session.endpoint));
  }

  get size(): number {
    return this.#all.size;
  }

  /** Endpoints that there are sessions with. */
  get endpoints(): number {
    return this.#byEndpoint.size;
  }

  close(): void {
    for (const session of [...this.#all]) session.destroy();
  }
}

/** What is encrypted is apart for each trust and name. */
const keyOf = ({ address, port, tls }: TargetEndpoint) => `${address} ${port} ${tls?.id ?? ''}`;

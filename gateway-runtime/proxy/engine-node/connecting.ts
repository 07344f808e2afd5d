/** A connection of node:http on its way to an endpoint, with its TLS handshake where there is one. */
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TargetEndpoint, UpstreamFailure } from '../exchange.ts';
import type { Guard } from '../guard.ts';
import type { Limits } from '../limits.ts';
import { tlsFailure } from '../upstream/upstream-tls.ts';

export class Connecting {
  #isReached = false;
  #isDone = false;
  #tls: TLSSocket | undefined;

  /** Whether the request can go out. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Follows the socket that a request was given; `done` is called when the request can go out, at once where it can. */
  follow(
    request: ClientRequest,
    socket: Socket,
    { tls }: TargetEndpoint,
    limits: Limits,
    guard: Guard,
    done: () => void,
  ): void {
    const finish = guard(() => {
      this.#isDone = true;
      done();
    });
    if (request.reusedSocket || (!tls && !socket.connecting)) {
      finish();
      return;
    }
    socket.setTimeout(limits.connect);
    if (!tls) {
      socket.once('connect', finish);
      return;
    }
    this.#tls = socket as TLSSocket;
    const onReached = () => {
      this.#isReached = true;
      socket.setTimeout(limits.tlsHandshake);
    };
    socket.once('connect', guard(onReached));
    socket.once('secureConnect', finish);
  }

  /** Why there is no connection, where not too much time was the reason. */
  get failure(): UpstreamFailure {
    return this.#tls && this.#isReached ? tlsFailure(this.#tls) : 'connect';
  }
}

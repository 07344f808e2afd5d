/** Two connections joined, after an upgrade or for a TLSRoute: bytes as they come, both ways, with backpressure. */
import type { Duplex } from 'node:stream';
import { type Guard, guardedBy } from './guard.ts';

/** A socket, or a stream of HTTP/2. */
export interface TunnelEnd extends Duplex {
  setTimeout(time: number): unknown;
  readonly timeout?: number | undefined;
}

/** How long one side may go on, in silence, after the other has ended: after an upgrade. */
export const HALF_OPEN = 5_000;

/**
 * Cut where nothing moves for `idle` milliseconds, or for `halfOpen` after one side has ended. `done` is called once, with the bytes that went to the backend and to the client, when both
 * are closed. `onError` is told of what is thrown; both are cut then.
 */
export function tunnel(
  client: TunnelEnd,
  backend: TunnelEnd,
  idle: number,
  halfOpen: number,
  onError: (error: unknown) => void,
  done: (toBackend: number, toClient: number) => void,
): void {
  let toBackend = 0;
  let toClient = 0;
  let open = 2;
  const end = () => {
    client.destroy();
    backend.destroy();
  };
  const closed = () => {
    end();
    if (--open === 0) done(toBackend, toClient);
  };
  const guard = guardedBy((error) => {
    end();
    onError(error);
  });
  for (const socket of [client, backend]) {
    socket.on('error', guard(end));
    socket.on('close', guard(closed));
    socket.on('timeout', guard(end));
    socket.setTimeout(idle);
  }
  relay(client, backend, halfOpen, guard, (bytes) => {
    toBackend += bytes;
  });
  relay(backend, client, halfOpen, guard, (bytes) => {
    toClient += bytes;
  });
}

function relay(
  from: TunnelEnd,
  to: TunnelEnd,
  halfOpen: number,
  guard: Guard,
  count: (bytes: number) => void,
): void {
  const onData = (chunk: Buffer) => {
    count(chunk.length);
    if (!to.write(chunk)) from.pause();
  };
  from.on('data', guard(onData));
  to.on(
    'drain',
    guard(() => from.resume()),
  );
  const end = () => {
    to.end();
    from.setTimeout(Math.min(halfOpen, from.timeout ?? halfOpen));
  };
  // A client may have ended right behind its request.
  if (from.readableEnded) end();
  else from.on('end', guard(end));
  from.resume();
}

/** Two connections joined, after an upgrade or for a TLSRoute: bytes as they come, both ways, with backpressure. */
import type { Duplex } from 'node:stream';

/** A socket, or a stream of HTTP/2. */
export interface TunnelEnd extends Duplex {
  setTimeout(time: number): unknown;
  readonly timeout?: number | undefined;
}

/** How long one side may go on, in silence, after the other has ended: after an upgrade. */
export const HALF_OPEN = 5_000;

/**
 * Cut where nothing moves for `idle` milliseconds, or for `halfOpen` after one side has ended. `done` is called once, with the bytes that went to the backend and to the client, when both
 * are closed.
 */
export function tunnel(
  client: TunnelEnd,
  backend: TunnelEnd,
  idle: number,
  halfOpen: number,
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
  for (const socket of [client, backend]) {
    socket.on('error', end);
    socket.on('close', closed);
    socket.on('timeout', end);
    socket.setTimeout(idle);
  }
  relay(client, backend, halfOpen, (bytes) => {
    toBackend += bytes;
  });
  relay(backend, client, halfOpen, (bytes) => {
    toClient += bytes;
  });
}

function relay(from: TunnelEnd, to: TunnelEnd, halfOpen: number, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  const end = () => {
    to.end();
    from.setTimeout(Math.min(halfOpen, from.timeout ?? halfOpen));
  };
  // A client may have ended right behind its request.
  if (from.readableEnded) end();
  else from.on('end', end);
  from.resume();
}

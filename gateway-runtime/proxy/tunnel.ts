/** Two connections joined after an upgrade: bytes as they come, both ways, with backpressure. */
import type { Duplex } from 'node:stream';

/** A socket, or a stream of HTTP/2. */
export interface TunnelEnd extends Duplex {
  setTimeout(time: number): unknown;
  readonly timeout?: number | undefined;
}

/** How long one side may go on, in silence, after the other has ended. */
const HALF_OPEN = 5_000;

/** `done` is called once, with the bytes that went to the backend and to the client, when both are closed. */
export function tunnel(
  client: TunnelEnd,
  backend: TunnelEnd,
  idle: number,
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
  relay(client, backend, (bytes) => {
    toBackend += bytes;
  });
  relay(backend, client, (bytes) => {
    toClient += bytes;
  });
}

function relay(from: TunnelEnd, to: TunnelEnd, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  const end = () => {
    to.end();
    from.setTimeout(Math.min(HALF_OPEN, from.timeout ?? HALF_OPEN));
  };
  // A client may have ended right behind its request.
  if (from.readableEnded) end();
  else from.on('end', end);
  from.resume();
}

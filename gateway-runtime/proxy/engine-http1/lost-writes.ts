/**
 * Writes to a backend that reads no more. One that answers before it has read the request, as with 413, and closes, has the kernel refuse what is
 * still written to it; and Node ends a socket whose write fails, with the answer unread. So what was lost is told, and is no error: nobody
 * wants it, and the end of what can be read says that the connection is over.
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';

type Done = (error?: Error | null) => void;

const { EPIPE, ECONNRESET } = constants.errno;

/** Whether the other side reads no more. `code`: of libuv, which is below 0. */
export function isLost(code: number): boolean {
  return code === -EPIPE || code === -ECONNRESET;
}

/** From now on such writes of the socket are told to `onLost`, and taken for written. */
export function tellLostWrites(socket: Socket, onLost: () => void): void {
  const { _write: write, _writev: writev } = socket;
  let given: Done | undefined;
  let telling: Done = () => {};
  const told = (done: Done): Done => {
    // A stream has one for all of its writes.
    if (done !== given) {
      given = done;
      telling = (error) => {
        if (!error || !isLost((error as NodeJS.ErrnoException).errno ?? 0)) return done(error);
        onLost();
        done(null);
      };
    }
    return telling;
  };
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, told(done));
  socket._writev = (chunks, done) => writev!.call(socket, chunks, told(done));
}

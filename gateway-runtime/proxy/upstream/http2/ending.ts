/**
 * How a response ended: with END_STREAM, or by a RST_STREAM without an error, which allows no more than to stop sending the request (RFC 9113
 * section 8.1). Node ends a stream for both, and no event or property tells them apart later: where all of it was read late, the stream is
 * closed by then in either case. But it ends one before it is closed, and the other after: so it is looked at when the end is pushed.
 */
import type { ClientHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';

/** `cut`: what came is not all of it. */
export type Ending = 'whole' | 'cut';

const ENDING = Symbol('ending');

type Watched = ClientHttp2Stream & { [ENDING]?: Ending };

/** From now on, before anything has come. */
export function watchEnding(stream: ClientHttp2Stream): void {
  stream.push = push;
}

/** Undefined where it has not ended, or Node ends streams in another way one day. */
export const endingOf = (stream: ClientHttp2Stream): Ending | undefined => (stream as Watched)[ENDING];

function push(this: Watched, chunk: unknown, encoding?: BufferEncoding): boolean {
  // Once it is closed Node pushes the end of every stream, again where it has been.
  if (chunk === null) this[ENDING] ??= this.closed ? 'cut' : 'whole';
  return Readable.prototype.push.call(this, chunk, encoding);
}

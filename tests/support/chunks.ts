/** A chunked body, read as it comes in pieces. */
import { ChunkedBody } from '../../gateway-runtime/proxy/engine-http1/chunked-body.ts';

export interface ChunksRead {
  /** What is wrong with it; 0 where nothing is. Then all else is empty, since what came before depends on the pieces. */
  readonly problem: number;
  readonly content: string;
  readonly trailers: string;
  readonly done: boolean;
  /** Octets that were used. */
  readonly at: number;
}

/** In pieces that end at these places, and a last one with the rest; to the end of the body, or to what is wrong with it. */
export function readChunks(octets: Buffer, ends: Iterable<number>): ChunksRead {
  const body = new ChunkedBody();
  let content = '';
  const sink = {
    onContent: (from: Buffer, start: number, end: number) => {
      if (end <= start) throw new Error(`found content from ${start} to ${end}`);
      content += from.toString('latin1', start, end);
    },
  };
  let at = 0;
  for (const end of [...ends, octets.length]) {
    if (body.done || end <= at) continue;
    const next = body.read(octets, at, end, true, sink);
    if (next < 0) return { problem: next, content: '', trailers: '', done: false, at: 0 };
    at = next;
  }
  return { problem: 0, content, trailers: body.trailers, done: body.done, at };
}

/** In pieces of this size; default: one. */
export function readText(text: string, size = Math.max(1, text.length)): ChunksRead {
  const count = Math.floor(text.length / size);
  return readChunks(
    Buffer.from(text, 'latin1'),
    Array.from({ length: count }, (_, index) => (index + 1) * size),
  );
}

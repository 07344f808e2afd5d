/** The lines of a log: a file, one that is compressed, or standard input. Only a part of it is ever in memory. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { CommandError, EXIT } from '../terminal.ts';

export const STDIN = '-';
/** Characters. */
const LONGEST_LINE = 64 * 1024;
const CHUNK = 1024 * 1024;

export interface LineReader {
  readonly line: (text: string) => void;
  /** Of a line that is longer than any should be, its beginning. */
  readonly tooLong: (beginning: string) => void;
  /** After each part that was read. `octets` of the file so far, or of what came in; `size` of the file, where it is known. */
  readonly progress: (octets: number, size: number | undefined) => void;
}

/** Throws a CommandError where the log can't be read to its end. */
export async function readLines(path: string, reader: LineReader): Promise<void> {
  const size = path === STDIN ? undefined : await sizeOf(path);
  const source = path === STDIN ? process.stdin : createReadStream(path, { highWaterMark: CHUNK });
  const splitter = new LineSplitter(reader);
  try {
    for await (const chunk of await plain(source)) {
      splitter.write(chunk as Buffer);
      reader.progress((source as { bytesRead?: number }).bytesRead ?? 0, size);
    }
  } catch (error) {
    throw new CommandError(
      `error ${path === STDIN ? 'standard input' : path} can't be read to its end: ${(error as Error).message}.`,
      EXIT.usage,
    );
  }
  splitter.end();
}

/** Throws a CommandError where there is no such file. */
export async function requireLog(path: string): Promise<void> {
  if (path !== STDIN) await sizeOf(path);
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return found.size;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = isMissing ? 'no such file' : (error as Error).message;
    throw new CommandError(
      `error ${path}: ${problem}. Name an access log, or - for standard input.`,
      EXIT.usage,
    );
  }
  throw new CommandError(`error ${path} is a folder, expected an access log. Name its files.`, EXIT.usage);
}

/** Unpacked where it begins as gzip does (RFC 1952 section 2.3.1), whatever its name. */
async function plain(source: Readable): Promise<Readable> {
  const first = await new Promise<Buffer | null>((resolve, reject) => {
    source.once('readable', () => resolve(source.read() as Buffer | null));
    source.once('error', reject);
  });
  if (first === null) return source;
  source.unshift(first);
  if (first[0] !== 0x1f || first[1] !== 0x8b) return source;
  return pipeline(source, createGunzip({ chunkSize: CHUNK }), () => {});
}

class LineSplitter {
  readonly #reader: LineReader;
  readonly #decoder = new StringDecoder('utf8');
  /** Of the line that is not at its end yet. */
  #rest = '';
  #isTooLong = false;

  constructor(reader: LineReader) {
    this.#reader = reader;
  }

  write(chunk: Buffer): void {
    const text = this.#decoder.write(chunk);
    let start = 0;
    for (;;) {
      const end = text.indexOf('\n', start);
      if (end < 0) break;
      this.#line(this.#rest + text.slice(start, end));
      this.#rest = '';
      this.#isTooLong = false;
      start = end + 1;
    }
    if (!this.#isTooLong) this.#rest += text.slice(start);
    if (this.#rest.length > LONGEST_LINE) {
      this.#reader.tooLong(this.#rest.slice(0, 200));
      this.#isTooLong = true;
      this.#rest = '';
    }
  }

  end(): void {
    this.#line(this.#rest + this.#decoder.end());
  }

  #line(line: string): void {
    if (this.#isTooLong) return;
    if (line.length > LONGEST_LINE) this.#reader.tooLong(line.slice(0, 200));
    else this.#reader.line(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}

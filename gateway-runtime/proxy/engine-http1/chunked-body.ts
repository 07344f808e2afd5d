/**
 * Takes a chunked body apart (RFC 9112 section 7.1). Nothing of its framing is passed on: what is sent is framed anew, so that no two
 * readers can disagree about it. Chunk extensions are read over, as the RFC has it, and never forwarded.
 */
import { mayBeTrailer } from '../hop-by-hop.ts';
import { Head } from './head.ts';
import { readFields } from './head-reader.ts';
import { CR, FIELD_VALUE, HEX, LF, SEMICOLON } from './octets.ts';

export interface BodySink {
  /** Octets of the content. They are valid during the call only. */
  onContent(octets: Buffer, start: number, end: number, owned: boolean): void;
}

/** Instead of the octet after what was read. */
export const MALFORMED_BODY = -1;
export const EXTENSIONS_TOO_LARGE = -2;
export const TRAILERS_TOO_LARGE = -3;

/** Of all chunks of one body. */
const EXTENSIONS = 16 * 1024;
const TRAILERS = 64 * 1024;
const TRAILER_FIELDS = 100;
/** 52 bits, so that a size is a safe integer. */
const SIZE_DIGITS = 13;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER = 6;
const TRAILER_LF = 7;
const DONE = 8;

export class ChunkedBody {
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #extensions = 0;
  #trailers = '';
  /** Lines of trailers, and octets of the one that is read. */
  #lines = 0;
  #line = 0;

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Field lines that may be forwarded, each with its line end. */
  get trailers(): string {
    return this.#trailers;
  }

  /** The octet after what was read: `end`, or the one after the body. Else one of the problems above. */
  read(octets: Buffer, start: number, end: number, owned: boolean, sink: BodySink): number {
    let i = start;
    while (i < end) {
      const octet = octets[i]!;
      switch (this.#state) {
        case SIZE: {
          const digit = HEX[octet]!;
          if (digit > 0) {
            if (this.#digits++ === SIZE_DIGITS) return MALFORMED_BODY;
            this.#size = this.#size * 16 + digit - 1;
          } else if (this.#digits === 0) return MALFORMED_BODY;
          else if (octet === CR) this.#state = SIZE_LF;
          else if (octet === SEMICOLON) this.#state = EXTENSION;
          else return MALFORMED_BODY;
          i++;
          break;
        }
        case EXTENSION:
          if (octet === CR) this.#state = SIZE_LF;
          else if (FIELD_VALUE[octet] === 0) return MALFORMED_BODY;
          else if (++this.#extensions > EXTENSIONS) return EXTENSIONS_TOO_LARGE;
          i++;
          break;
        case SIZE_LF:
          if (octet !== LF) return MALFORMED_BODY;
          this.#state = this.#size === 0 ? TRAILER : DATA;
          this.#digits = 0;
          i++;
          break;
        case DATA: {
          const until = Math.min(end, i + this.#size);
          this.#size -= until - i;
          if (this.#size === 0) this.#state = DATA_CR;
          sink.onContent(octets, i, until, owned);
          i = until;
          break;
        }
        case DATA_CR:
          if (octet !== CR) return MALFORMED_BODY;
          this.#state = DATA_LF;
          i++;
          break;
        case DATA_LF:
          if (octet !== LF) return MALFORMED_BODY;
          this.#state = SIZE;
          i++;
          break;
        case TRAILER:
          if (octet === CR) this.#state = TRAILER_LF;
          else if (FIELD_VALUE[octet] === 0) return MALFORMED_BODY;
          else if (this.#line++ === 0 && this.#lines++ === TRAILER_FIELDS) return TRAILERS_TOO_LARGE;
          if (this.#trailers.length === TRAILERS) return TRAILERS_TOO_LARGE;
          this.#trailers += String.fromCharCode(octet);
          i++;
          break;
        case TRAILER_LF:
          if (octet !== LF) return MALFORMED_BODY;
          this.#trailers += '\n';
          i++;
          if (this.#line === 0) return this.#finish() ? i : MALFORMED_BODY;
          this.#state = TRAILER;
          this.#line = 0;
          break;
        default:
          return i;
      }
    }
    return i;
  }

  /** False where the trailer section is none. */
  #finish(): boolean {
    this.#state = DONE;
    const octets = Buffer.from(this.#trailers, 'latin1');
    this.#trailers = '';
    const head = new Head();
    if (readFields(head, octets, 0, 0, octets.length, TRAILER_FIELDS) !== octets.length) return false;
    // What frames a message after the message was read can only be meant for somebody who reads it otherwise.
    if (head.contentLength >= 0 || head.transferEncoding >= 0) return false;
    for (let i = 0; i < head.count; i++) {
      if (mayBeTrailer(head.nameOf(i).toLowerCase())) {
        this.#trailers += `${head.nameOf(i)}: ${head.valueOf(i)}\r\n`;
      }
    }
    return true;
  }
}

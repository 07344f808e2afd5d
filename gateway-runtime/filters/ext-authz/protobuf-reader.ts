/**
 * Reads messages of Protocol Buffers, strictly: what is not one to its last octet is malformed as a whole. Fields are visited, so nothing is built
 * for what nobody asks for, and what is read is bounded by what was received.
 */

/** What was read is no message. */
export class MalformedMessage extends Error {}

/** The value of a field: a whole number, or octets, which are valid for as long as the message is. */
export type Value = number | Uint8Array;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Octets of the longest varint. */
const VARINT_OCTETS = 10;
/** The highest number of a field, 2^29 - 1. */
const MOST_FIELD = 0x1fffffff;

/**
 * Calls `visit` for each field, in order; for those of fixed length, which no message here has, with their octets. Throws MalformedMessage, and
 * what `visit` throws.
 */
export function readMessage(message: Uint8Array, visit: (field: number, value: Value) => void): void {
  const cursor = new Cursor(message);
  while (cursor.at < message.length) {
    const tag = cursor.varint();
    const field = Math.floor(tag / 8);
    if (field === 0 || field > MOST_FIELD) throw new MalformedMessage(`found the field ${field}`);
    switch (tag % 8) {
      case VARINT:
        visit(field, cursor.varint());
        break;
      case FIXED64:
        visit(field, cursor.take(8));
        break;
      case LENGTH_DELIMITED:
        visit(field, cursor.take(cursor.varint()));
        break;
      case FIXED32:
        visit(field, cursor.take(4));
        break;
      default:
        // Groups, which are no more, and types that there are not.
        throw new MalformedMessage(`found the wire type ${tag % 8}`);
    }
  }
}

class Cursor {
  at = 0;
  readonly #octets: Uint8Array;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  /** Exact up to 2^53; above, where there is nothing to be told apart here, near enough. */
  varint(): number {
    let value = 0;
    let weight = 1;
    for (let i = 0; i < VARINT_OCTETS; i++) {
      const octet = this.#octets[this.at++];
      if (octet === undefined) throw new MalformedMessage('a number ends too early');
      // Of the last octet one bit is left: there are 64.
      if (i === VARINT_OCTETS - 1 && octet > 1) break;
      value += (octet & 0x7f) * weight;
      if (octet < 0x80) return value;
      weight *= 0x80;
    }
    throw new MalformedMessage('a number has more than 64 bits');
  }

  take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.#octets.length) throw new MalformedMessage('a value ends too early');
    const taken = this.#octets.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}

/** A field that is a message, text or octets. Throws where it has another wire type. */
export function octetsOf(value: Value): Uint8Array {
  if (typeof value === 'number') throw new MalformedMessage('found a number in place of octets');
  return value;
}

/** A field that is a number. Throws where it has another wire type. */
export function numberOf(value: Value): number {
  if (typeof value !== 'number') throw new MalformedMessage('found octets in place of a number');
  return value;
}

/** As text of octets, each a character: what field values of HTTP are. */
export function latin1Of(value: Value): string {
  const octets = octetsOf(value);
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}

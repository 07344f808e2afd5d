/** Writes messages of Protocol Buffers (wire types 0 and 2): as much of the format as a CheckRequest needs. */

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** The one negative number that is written: all 64 bits of it. */
const MINUS_ONE = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);

/** The octets of a message, in pieces: what is long, such as a body, is not copied. */
export class ProtobufWriter {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get pieces(): readonly Uint8Array[] {
    return this.#pieces;
  }

  /** A whole number from -1 up; 0, which is what an absent field means, is left out. */
  integer(field: number, value: number): void {
    if (value === 0) return;
    this.#tag(field, VARINT);
    this.#put(value < 0 ? MINUS_ONE : varint(value));
  }

  /** Text of ASCII, or of octets as ISO 8859-1 has them. What is no UTF-8 is replaced, since a string of Protocol Buffers has to be. */
  text(field: number, latin1: string): void {
    if (latin1 !== '') this.octets(field, utf8(latin1));
  }

  octets(field: number, ...pieces: readonly Uint8Array[]): void {
    this.#begin(
      field,
      pieces.reduce((sum, { length }) => sum + length, 0),
    );
    for (const each of pieces) this.#put(each);
  }

  message(field: number, inner: ProtobufWriter): void {
    this.#begin(field, inner.length);
    for (const each of inner.pieces) this.#put(each);
  }

  #begin(field: number, length: number): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#put(varint(length));
  }

  #tag(field: number, type: number): void {
    this.#put(varint(field * 8 + type));
  }

  #put(octets: Uint8Array): void {
    this.#pieces.push(octets);
    this.#length += octets.length;
  }
}

function varint(value: number): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  // Not by shifts, which end at 32 bits.
  while (rest >= 0x80) {
    octets.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  octets.push(rest);
  return Uint8Array.from(octets);
}

const lenient = new TextDecoder();
const encoder = new TextEncoder();

function utf8(latin1: string): Uint8Array {
  const octets = Buffer.from(latin1, 'latin1');
  // Where decoding loses nothing this gives the same octets.
  return isAscii(latin1) ? octets : encoder.encode(lenient.decode(octets));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

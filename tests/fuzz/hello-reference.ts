/**
 * A second reading of ClientHellos, plain and without regard to cost: for what the reader of the gateway accepts, it must find the same
 * server name, and the same of TLS 1.3. Written from the structures of RFC 8446 section 4.1.2 and RFC 6066 section 3.
 */

import type { ClientHello } from '../../gateway-runtime/proxy/tls-routes/client-hello.ts';

/** Takes vectors off the front of some octets; throws where there are not as many. */
class Cursor {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#octets.length;
  }

  take(count: number): Buffer {
    if (this.#at + count > this.#octets.length) throw new RangeError('too short');
    this.#at += count;
    return this.#octets.subarray(this.#at - count, this.#at);
  }

  number(octets: number): number {
    return this.take(octets).readUIntBE(0, octets);
  }

  vector(lengthOctets: number): Cursor {
    return new Cursor(this.take(this.number(lengthOctets)));
  }

  rest(): Buffer {
    return this.take(this.#octets.length - this.#at);
  }
}

/** Undefined where it is no whole ClientHello. */
export function helloOf(octets: Buffer): ClientHello | undefined {
  try {
    return helloIn(messageIn(new Cursor(octets)));
  } catch {
    return undefined;
  }
}

/** The first handshake message, out of as many records as it takes. */
function messageIn(records: Cursor): Cursor {
  let message = Buffer.alloc(0);
  for (;;) {
    if (records.number(1) !== 22) throw new Error('another record');
    records.take(2);
    message = Buffer.concat([message, records.vector(2).rest()]);
    if (message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3)) break;
  }
  const cursor = new Cursor(message);
  if (cursor.number(1) !== 1) throw new Error('another message');
  return cursor.vector(3);
}

function helloIn(hello: Cursor): ClientHello {
  hello.take(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.isAtEnd) return { serverName: '', offersTls13: false };
  const extensions = hello.vector(2);
  const names: string[] = [];
  const versions: number[] = [];
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type === 43) {
      const list = content.vector(1);
      while (!list.isAtEnd) versions.push(list.number(2));
    }
    if (type !== 0) continue;
    const list = content.vector(2);
    while (!list.isAtEnd) {
      list.take(1);
      names.push(list.vector(2).rest().toString('latin1'));
    }
  }
  if (names.length > 1) throw new Error('several names');
  return { serverName: names[0] ?? '', offersTls13: versions.includes(0x0304) };
}

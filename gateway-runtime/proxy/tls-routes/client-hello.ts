/**
 * Reads the server name, and whether TLS 1.3 is offered, out of a ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), octets as they come: in any number of pieces
 * and of TLS records. Strict: what a sound client does not send is `malformed`, so that nobody behind reads another name out of it. Nothing
 * beyond the ClientHello is looked at. Where a client encrypts the inner ClientHello (ECH), the name is the outer one.
 */

/** What a whole ClientHello says. */
export interface ClientHello {
  /** As it came, in letters, digits, "-", "_" and "."; empty where there is none. */
  readonly serverName: string;
  /** Then a server that speaks TLS 1.3 chooses it, whatever else is offered (RFC 8446 section 4.2.1). */
  readonly offersTls13: boolean;
}

export type HelloProgress = 'more' | 'malformed' | ClientHello;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
/** TLSPlaintext.length: "MUST NOT exceed 2^14 bytes". */
const LONGEST_FRAGMENT = 2 ** 14;
const MESSAGE_HEADER = 4;
/** Version, random, and the lengths of what may be empty or must not: session id, one cipher suite, one compression method. */
const SHORTEST_HELLO = 2 + 32 + 1 + 4 + 2;
const FIRST_BUFFER = 512;

const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;
const TLS_1_3 = 0x0304;
const HOST_NAME = 0;

/** Of a server name, by code. A port, an address of IPv6 or another encoding has no place in it. */
const NAME_CHARACTER = new Uint8Array(256);
for (const each of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.') {
  NAME_CHARACTER[each.charCodeAt(0)] = 1;
}

export class ClientHelloReader {
  readonly #most: number;
  readonly #recordHeader = new Uint8Array(RECORD_HEADER);
  #headerRead = 0;
  /** Of the fragment under way. */
  #fragmentLeft = 0;
  /** Octets of records so far, their headers with them. */
  #total = 0;
  #message = Buffer.alloc(0);
  #messageRead = 0;
  #result: HelloProgress = 'more';

  /** @param most octets of records up to the end of the ClientHello. More is malformed. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Each octet once, in order. What comes behind the ClientHello is passed over. */
  read(octets: Uint8Array): HelloProgress {
    let at = 0;
    while (at < octets.length && this.#result === 'more') {
      at += this.#fragmentLeft > 0 ? this.#readFragment(octets, at) : this.#readHeader(octets, at);
    }
    return this.#result;
  }

  #readHeader(octets: Uint8Array, at: number): number {
    const header = this.#recordHeader;
    const octet = octets[at]!;
    header[this.#headerRead++] = octet;
    // Refused at the first octet that is wrong: it may be the only one that comes.
    if (this.#headerRead === 1 && octet !== HANDSHAKE_RECORD) this.#result = 'malformed';
    if (this.#headerRead === 2 && octet !== 3) this.#result = 'malformed';
    if (this.#headerRead === RECORD_HEADER) {
      this.#headerRead = 0;
      this.#fragmentLeft = header[3]! * 256 + header[4]!;
      // "Implementations MUST NOT send zero-length fragments of Handshake types".
      if (this.#fragmentLeft === 0 || this.#fragmentLeft > LONGEST_FRAGMENT) this.#result = 'malformed';
    }
    this.#count(1);
    return 1;
  }

  #readFragment(octets: Uint8Array, at: number): number {
    const needed = this.#needed();
    const taken = Math.min(this.#fragmentLeft, octets.length - at, needed - this.#messageRead);
    this.#makeRoom(this.#messageRead + taken);
    this.#message.set(octets.subarray(at, at + taken), this.#messageRead);
    this.#messageRead += taken;
    this.#fragmentLeft -= taken;
    this.#count(taken);
    if (this.#result !== 'more' || this.#messageRead < needed) return taken;
    if (needed === MESSAGE_HEADER) {
      const length = this.#needed() - MESSAGE_HEADER;
      if (this.#message[0] !== CLIENT_HELLO || length < SHORTEST_HELLO || length > this.#most) {
        this.#result = 'malformed';
      }
    } else if (this.#fragmentLeft > 0) {
      // Nothing can follow in the same record: the server has to answer first.
      this.#result = 'malformed';
    } else this.#result = readHello(this.#message.subarray(MESSAGE_HEADER, needed)) ?? 'malformed';
    return taken;
  }

  /** Octets of the message, as far as is known. */
  #needed(): number {
    if (this.#messageRead < MESSAGE_HEADER) return MESSAGE_HEADER;
    return MESSAGE_HEADER + this.#message.readUIntBE(1, 3);
  }

  #makeRoom(size: number): void {
    if (size <= this.#message.length) return;
    const larger = Buffer.alloc(Math.max(FIRST_BUFFER, size, this.#message.length * 2));
    larger.set(this.#message);
    this.#message = larger;
  }

  #count(octets: number): void {
    this.#total += octets;
    if (this.#total > this.#most) this.#result = 'malformed';
  }
}

/** Of the body of a ClientHello; undefined where it is malformed. */
function readHello(hello: Buffer): ClientHello | undefined {
  // legacy_version, random
  if (hello[0] !== 3) return undefined;
  let at = 34;
  const sessionId = hello[at]!;
  at += 1 + sessionId;
  if (sessionId > 32 || at + 2 > hello.length) return undefined;
  const suites = hello.readUInt16BE(at);
  at += 2 + suites;
  if (suites < 2 || suites % 2 !== 0 || at + 1 > hello.length) return undefined;
  const compressions = hello[at]!;
  at += 1 + compressions;
  if (compressions < 1 || at > hello.length) return undefined;
  // TLS 1.2 and older: there may be no extensions (RFC 5246 section 7.4.1.2).
  if (at === hello.length) return { serverName: '', offersTls13: false };
  if (at + 2 > hello.length || hello.readUInt16BE(at) !== hello.length - at - 2) return undefined;
  return readExtensions(hello, at + 2);
}

function readExtensions(hello: Buffer, start: number): ClientHello | undefined {
  const seen = new Set<number>();
  let serverName = '';
  let offersTls13 = false;
  for (let at = start; at < hello.length; ) {
    if (at + 4 > hello.length) return undefined;
    const type = hello.readUInt16BE(at);
    const end = at + 4 + hello.readUInt16BE(at + 2);
    // "There MUST NOT be more than one extension of the same type".
    if (end > hello.length || seen.has(type)) return undefined;
    seen.add(type);
    if (type === SERVER_NAME) {
      const found = hostNameIn(hello, at + 4, end);
      if (found === undefined) return undefined;
      serverName = found;
    } else if (type === SUPPORTED_VERSIONS) {
      const found = hasTls13(hello, at + 4, end);
      if (found === undefined) return undefined;
      offersTls13 = found;
    }
    at = end;
  }
  return { serverName, offersTls13 };
}

/** Undefined where it is no list of versions. */
function hasTls13(hello: Buffer, start: number, end: number): boolean | undefined {
  const octets = end - start - 1;
  if (octets < 2 || octets % 2 !== 0 || hello[start] !== octets) return undefined;
  for (let at = start + 1; at < end; at += 2) if (hello.readUInt16BE(at) === TLS_1_3) return true;
  return false;
}

/** Exactly one name, of the one type that there is. */
function hostNameIn(hello: Buffer, start: number, end: number): string | undefined {
  if (start + 5 >= end) return undefined;
  const list = hello.readUInt16BE(start);
  const length = hello.readUInt16BE(start + 3);
  const name = start + 5;
  if (list !== end - start - 2 || hello[start + 2] !== HOST_NAME || length !== end - name) return undefined;
  for (let at = name; at < end; at++) if (NAME_CHARACTER[hello[at]!] === 0) return undefined;
  return hello.toString('latin1', name, end);
}

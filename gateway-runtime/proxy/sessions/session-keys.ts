/**
 * What a client is given to come back to its endpoint: sealed, so that nobody but the data planes of the Gateway can make one or read one.
 * It tells no address, and is good for the rule alone for which it was made.
 *
 * Sealed as in RFC 5297 (SIV): the first half of an HMAC over everything is authentication and initialization vector at once, so
 * there is no number that must not be used twice, however many sessions begin.
 */
import { createCipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** Which endpoint a session is at. */
export interface SealedSession {
  /** Tells the backends of the rule apart (`backendTag`). */
  readonly backend: string;
  readonly address: string;
  readonly port: number;
  /** Milliseconds since 1970; 0 where it does not expire. */
  readonly expires: number;
}

export interface OpenedSession extends SealedSession {
  /** It was sealed with a key that is on its way out. */
  readonly isOld: boolean;
}

interface Key {
  readonly encryption: Buffer;
  readonly authentication: Buffer;
}

const CIPHER = 'aes-256-ctr';
const SEAL = 16;
/** Characters of `backendTag`. */
export const TAG = 8;
const EXPIRES = 6;
const PORT = 2;
const HEAD = TAG + EXPIRES + PORT;
/** Addresses are filled up to a multiple of it, so that their length says nothing. */
const STEP = 16;
const LONGEST_ADDRESS = 48;

/** Characters of the shortest and the longest that is looked at. */
export const SHORTEST = Math.ceil(((SEAL + HEAD + STEP) * 4) / 3);
export const LONGEST = Math.ceil(((SEAL + HEAD + LONGEST_ADDRESS) * 4) / 3);

export class SessionKeys {
  #keys: readonly Key[] = [];

  /** Without keys one is made, which no other data plane has. */
  constructor(secrets: readonly string[] = [randomBytes(32).toString('base64url')]) {
    this.replace(secrets);
  }

  /** Sessions are sealed with the first, and opened with all: at least one, each 32 octets in base64url. */
  replace(secrets: readonly string[]): void {
    this.#keys = secrets.map((secret) => {
      const octets = Buffer.from(secret, 'base64url');
      if (octets.length !== 32) throw new Error('a key for sessions has to be 32 octets in base64url');
      const derived = (use: string) => Buffer.from(hkdfSync('sha256', octets, '', use, 32));
      return { encryption: derived('encryption'), authentication: derived('authentication') };
    });
    if (this.#keys.length === 0) throw new Error('there has to be a key for sessions');
  }

  /** @param binding what it is good for */
  seal({ backend, address, port, expires }: SealedSession, binding: string): string {
    const filled = Math.ceil(address.length / STEP) * STEP;
    const plain = Buffer.alloc(HEAD + filled);
    plain.write(backend, 'latin1');
    plain.writeUIntBE(expires, TAG, EXPIRES);
    plain.writeUInt16BE(port, TAG + EXPIRES);
    plain.write(address, HEAD, 'latin1');
    const key = this.#keys[0]!;
    const seal = sealOf(key, binding, plain);
    return Buffer.concat([seal, crypt(key, seal, plain)]).toString('base64url');
  }

  /** Undefined where it is not one of ours for this, whatever it is. Whether it has expired is for the caller to see. */
  open(token: string, binding: string): OpenedSession | undefined {
    if (token.length < SHORTEST || token.length > LONGEST) return undefined;
    const octets = Buffer.from(token, 'base64url');
    // There is one way to write it: what else the decoder takes is not ours.
    if (octets.length < SEAL + HEAD + STEP || octets.toString('base64url') !== token) return undefined;
    const seal = octets.subarray(0, SEAL);
    for (const [index, key] of this.#keys.entries()) {
      const plain = crypt(key, seal, octets.subarray(SEAL));
      if (timingSafeEqual(seal, sealOf(key, binding, plain))) return opened(plain, index > 0);
    }
    return undefined;
  }
}

function opened(plain: Buffer, isOld: boolean): OpenedSession {
  const end = plain.indexOf(0, HEAD);
  return {
    backend: plain.toString('latin1', 0, TAG),
    expires: plain.readUIntBE(TAG, EXPIRES),
    port: plain.readUInt16BE(TAG + EXPIRES),
    address: plain.toString('latin1', HEAD, end < 0 ? plain.length : end),
    isOld,
  };
}

function sealOf({ authentication }: Key, binding: string, plain: Buffer): Buffer {
  // No binding has a NUL in it, so there is one way to take the two apart.
  const hmac = createHmac('sha256', authentication).update(`${binding}\0`).update(plain);
  return hmac.digest().subarray(0, SEAL);
}

/** Both ways. */
function crypt({ encryption }: Key, seal: Buffer, octets: Buffer): Buffer {
  return createCipheriv(CIPHER, encryption, seal).update(octets);
}

/**
 * Keys by which tickets of TLS sessions are sealed (RFC 5077, RFC 8446 section 4.6.1): the same for all workers of a Gateway, in memory only,
 * and new ones twice a day, so that what was recorded is not open to whoever gets hold of keys later. Tickets are good for five minutes;
 * those sealed with the keys before cost their clients one full handshake.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { guardedBy } from './guard.ts';

/** As OpenSSL has them: name, key of the seal, key of the cipher. */
const BYTES = 48;

/** Those of one port: what a handshake asks belongs to its port, and so do the sessions that come of it. */
export const ticketKeysOf = (keys: Buffer, port: number): Buffer =>
  Buffer.from(hkdfSync('sha256', keys, '', `listener port ${port}`, BYTES));

/** Milliseconds. */
const TICKET_KEYS_AGE = 12 * 3_600_000;

export class TicketKeys {
  current = randomBytes(BYTES);
  readonly #timer: NodeJS.Timeout;

  /**
   * `onRenewed` is given each new key, and not the first; `onError` is told what is thrown, and the next one comes all the same. Default: console.error.
   */
  constructor(
    onRenewed: (keys: Buffer) => void,
    onError: (error: unknown) => void = console.error,
    age = TICKET_KEYS_AGE,
  ) {
    const renew = () => {
      this.current = randomBytes(BYTES);
      onRenewed(this.current);
    };
    this.#timer = setInterval(guardedBy(onError)(renew), age);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

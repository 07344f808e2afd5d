import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sessionKey } from '../../../gateway-runtime/control/session-key.ts';
import {
  LONGEST,
  type SealedSession,
  SessionKeys,
  SHORTEST,
} from '../../../gateway-runtime/proxy/sessions/session-keys.ts';

const SECRET = Buffer.alloc(32, 1).toString('base64url');
const OTHER = Buffer.alloc(32, 2).toString('base64url');
const HERE = 'shop/cart/#0';

const sessions: fc.Arbitrary<SealedSession> = fc.record({
  backend: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 8, maxLength: 8 }),
  address: fc.oneof(fc.ipV4(), fc.ipV6()),
  port: fc.integer({ min: 1, max: 65_535 }),
  expires: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 48 - 1 })),
});

describe('a sealed session', () => {
  it('is opened as it was, by whoever has the key, for what it is good for', () => {
    fc.assert(
      fc.property(sessions, fc.string({ unit: 'grapheme-ascii' }), (session, binding) => {
        const token = new SessionKeys([SECRET]).seal(session, binding);
        expect(new SessionKeys([SECRET]).open(token, binding)).toEqual({ ...session, isOld: false });
        expect(new SessionKeys([SECRET]).open(token, `${binding}x`)).toBeUndefined();
        expect(new SessionKeys([OTHER]).open(token, binding)).toBeUndefined();
      }),
    );
  });

  it('is none with any bit of it changed, left out or added', () => {
    const keys = new SessionKeys([SECRET]);
    const session = { backend: '0a1b2c3d', address: '10.0.0.1', port: 80, expires: 0 };
    const octets = Buffer.from(keys.seal(session, HERE), 'base64url');
    for (let bit = 0; bit < octets.length * 8; bit++) {
      const forged = Buffer.from(octets);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(keys.open(forged.toString('base64url'), HERE)).toBeUndefined();
    }
    for (let length = 0; length < octets.length; length++) {
      expect(keys.open(octets.subarray(0, length).toString('base64url'), HERE)).toBeUndefined();
    }
    expect(keys.open(Buffer.concat([octets, Buffer.alloc(16)]).toString('base64url'), HERE)).toBeUndefined();
  });

  it('is none, whatever is shown as one', () => {
    const keys = new SessionKeys([SECRET]);
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String({ minLength: SHORTEST, maxLength: LONGEST })),
        (text) => {
          expect(keys.open(text, HERE)).toBeUndefined();
        },
      ),
    );
  });

  it('does not tell the address, nor how long it is', () => {
    const keys = new SessionKeys([SECRET]);
    const at = (address: string) => keys.seal({ backend: '0a1b2c3d', address, port: 80, expires: 0 }, HERE);
    expect(at('1.1.1.1')).toHaveLength(at('255.255.255.255').length);
    expect(Buffer.from(at('10.0.0.1'), 'base64url').includes('10.0.0.1')).toBe(false);
    // Neighbours have nothing in common.
    const [a, b] = [at('10.0.0.1'), at('10.0.0.2')].map((token) => Buffer.from(token, 'base64url'));
    expect([...a!].filter((octet, index) => octet === b![index]).length).toBeLessThan(8);
  });
});

describe('keys', () => {
  const session = { backend: '0a1b2c3d', address: '10.0.0.1', port: 80, expires: 7 };

  it('that are on their way out still open what they sealed, and say so', () => {
    const keys = new SessionKeys([SECRET]);
    const token = keys.seal(session, HERE);
    keys.replace([OTHER, SECRET]);
    expect(keys.open(token, HERE)).toEqual({ ...session, isOld: true });
    expect(keys.open(keys.seal(session, HERE), HERE)).toEqual({ ...session, isOld: false });
    keys.replace([OTHER]);
    expect(keys.open(token, HERE)).toBeUndefined();
  });

  it('are made where none is given, and are never the same', () => {
    expect(new SessionKeys().open(new SessionKeys().seal(session, HERE), HERE)).toBeUndefined();
  });

  it('that are none are not taken', () => {
    expect(() => new SessionKeys([])).toThrow('there has to be a key');
    expect(() => new SessionKeys(['c2hvcnQ'])).toThrow('32 octets in base64url');
  });

  it('of one Gateway are not those of another, and the same each time', () => {
    const secret = randomBytes(32).toString('base64url');
    const of = (namespace: string, name: string) => sessionKey(secret, { namespace, name });
    expect(of('infra', 'gw')).toBe(of('infra', 'gw'));
    expect(new Set([of('infra', 'gw'), of('infra', 'gw2'), of('infr', 'agw'), secret]).size).toBe(4);
    expect(of('infra', 'gw')).toMatch(/^[\w-]{43}$/);
  });
});

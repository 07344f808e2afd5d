/**
 * The readers of heads, chunks and targets, on any octets: they never throw, say the same however the octets come in pieces, and what they
 * accept can be read in one way only. SEED and RUNS give another choice, or more of it.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Head } from '../../gateway-runtime/proxy/engine-http1/head.ts';
import { MORE, readRequest, readResponse } from '../../gateway-runtime/proxy/engine-http1/head-reader.ts';
import { readTarget } from '../../gateway-runtime/proxy/request-target.ts';
import { readText } from '../support/chunks.ts';
import { CHUNKS, REQUEST, RESPONSE } from './messages.ts';

const SEED = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
const RUNS = Number(process.env.RUNS ?? 1_000);
const PARAMETERS = { ...SEED, numRuns: RUNS };
const MOST = 100;

const noise = fc.uint8Array({ maxLength: 60 }).map((octets) => Buffer.from(octets).toString('latin1'));
const octetsOf = (text: string) => Buffer.from(text, 'latin1');

describe.each([
  ['requests', readRequest, REQUEST, 'GET / HTTP/1.1\r\n'],
  ['responses', readResponse, RESPONSE, 'HTTP/1.1 200 OK\r\n'],
] as const)('heads of %s', (_, read, messages, line) => {
  const texts = fc.oneof(
    messages,
    noise,
    noise.map((text) => `${line}X: ${text}\r\n\r\n`),
  );

  it('are judged alike, however much of what follows is there', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const octets = octetsOf(text);
        const whole = read(new Head(), octets, 0, octets.length, MOST);
        for (let end = 0; end < Math.min(octets.length, 400); end++) {
          const result = read(new Head(), octets, 0, end, MOST);
          if (result !== MORE && result !== whole)
            throw new Error(`${result} after ${end} octets, ${whole} after all`);
        }
      }),
      PARAMETERS,
    );
  });

  it('that are accepted have lines that no reader can take for more than one field each', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const head = new Head();
        const octets = octetsOf(text);
        const next = read(head, octets, 0, octets.length, MOST);
        if (next < 0) return;
        expect(text.slice(0, next)).toMatch(
          /^[^\0\r\n]+\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0\r\n]*\r\n)*\r\n$/,
        );
        expect(head.fields()).toMatch(/^(?:[^\0\r\n:]+:[^\0\r\n]*\r\n)*$/);
        expect(head.fields()).not.toMatch(/^(?:transfer-encoding|connection|upgrade|te):/im);
        expect(head.fields().match(/^content-length:/gim)?.length ?? 0).toBeLessThanOrEqual(1);
        expect(head.chunked && head.length >= 0).toBe(false);
      }),
      PARAMETERS,
    );
  });
});

describe('chunked bodies', () => {
  const texts = fc.oneof(
    CHUNKS,
    noise,
    fc.tuple(CHUNKS, noise).map(([body, text]) => body + text),
  );

  it('are read alike, however they come in pieces', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 9 }), (text, size) => {
        const whole = readText(text);
        expect(readText(text, 1)).toEqual(whole);
        expect(readText(text, size)).toEqual(whole);
      }),
      PARAMETERS,
    );
  });
});

describe('targets', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '.',
        '..',
        '%2e',
        '%2F',
        '%5c',
        ';',
        '?',
        '#',
        '\\',
        '@',
        ':',
        '[::1]',
        'http://',
        'a',
        '%',
        '%00',
      ),
      noise,
    ),
    { maxLength: 8 },
  );

  it('that are accepted are read again as what they were read as', () => {
    fc.assert(
      fc.property(pieces, pieces, fc.boolean(), (target, host, isPath) => {
        const read = readTarget(`${isPath ? '/' : ''}${target.join('')}`, host.join('') || 'a', 1);
        if ('message' in read) return;
        const { path, query, authority, host: routed } = read;
        // What is forwarded as Host is the host that was routed, and perhaps a port.
        expect(authority.replace(/:(?:0|[1-9]\d*)$/, '')).toBe(routed);
        expect(readTarget(query ? `${path}?${query}` : path, authority, 1)).toEqual(read);
        expect(path + query + authority).toMatch(/^[\x21-\x7e]*$/);
      }),
      PARAMETERS,
    );
  });
});

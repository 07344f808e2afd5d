/** Paths and hosts: one form, whatever the spelling, and no origin can read another one out of it. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalizeHost, normalizePath } from '../../gateway-runtime/match/normalize.ts';
import { RAW_PATH, readings } from './paths.ts';

/** RFC 3986 section 5.2.4, step by step as it stands there. */
function removeDotSegments(path: string): string {
  let input = path;
  let output = '';
  while (input) {
    if (input.startsWith('../')) input = input.slice(3);
    else if (input.startsWith('./')) input = input.slice(2);
    else if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = input === '/..' ? '/' : input.slice(3);
      output = output.slice(0, Math.max(output.lastIndexOf('/'), 0));
    } else if (input === '.' || input === '..') input = '';
    else {
      const end = input.indexOf('/', 1);
      output += end < 0 ? input : input.slice(0, end);
      input = end < 0 ? '' : input.slice(end);
    }
  }
  return output;
}

it('a path that is accepted is its own normal form, and holds no dot segment however an origin reads it', () => {
  let accepted = 0;
  fc.assert(
    fc.property(RAW_PATH, (raw) => {
      const path = normalizePath(raw);
      if (typeof path !== 'string') return;
      accepted++;
      expect(normalizePath(path)).toBe(path);
      expect(path).toMatch(/^\/(?:[-A-Za-z0-9._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/);
      for (const reading of readings(path))
        expect(reading.split('/')).not.toEqual(expect.arrayContaining([expect.stringMatching(/^\.{1,2}$/)]));
    }),
    { numRuns: 5000 },
  );
  expect(accepted).toBeGreaterThan(1000);
});

it('dot segments go as RFC 3986 section 5.2.4 says', () => {
  const plain = fc.array(fc.constantFrom('/', '/.', '/..', '/a', '/b', '/.a', '/a..'), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(plain, (parts) => {
      expect(normalizePath(parts.join(''))).toBe(removeDotSegments(parts.join('')));
    }),
    { numRuns: 3000 },
  );
});

it('every spelling of a path with escapes of unreserved characters is one path', () => {
  const segment = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '-', '_', '~', 'x.'),
    minLength: 1,
    maxLength: 4,
  });
  const spelled = fc.array(segment, { minLength: 1, maxLength: 3 }).chain((segments) => {
    const path = `/${segments.join('/')}`;
    return fc.tuple(
      fc.constant(path),
      fc.array(fc.constantFrom('plain', 'lower', 'upper'), {
        minLength: path.length,
        maxLength: path.length,
      }),
    );
  });
  fc.assert(
    fc.property(spelled, ([path, how]) => {
      const raw = [...path].map((character, i) => {
        if (character === '/' || how[i] === 'plain') return character;
        const escaped = `%${character.charCodeAt(0).toString(16)}`;
        return how[i] === 'upper' ? escaped.toUpperCase() : escaped;
      });
      expect(normalizePath(raw.join(''))).toBe(normalizePath(path));
    }),
  );
});

it('a host that is accepted is its own normal form, whatever case, port or trailing dot it came with', () => {
  const label = fc.string({ unit: fc.constantFrom('a', 'B', '1', '-', '_'), minLength: 1, maxLength: 4 });
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  fc.assert(
    fc.property(
      host,
      fc.constantFrom('', '.'),
      fc.constantFrom('', ':', ':80', ':65535'),
      (name, dot, port) => {
        const canonical = normalizeHost(name + dot + port);
        expect(canonical).toBe(name.toLowerCase());
        expect(normalizeHost(canonical as string)).toBe(canonical);
      },
    ),
  );
});

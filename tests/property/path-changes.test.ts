/** What URLRewrite and RequestRedirect make of a path: one that would be matched as it is, whatever is put in place of what. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TranslateContext } from '../../gateway-runtime/filters/definition.ts';
import { compilePathChange, translatePathModifier } from '../../gateway-runtime/filters/path-modifier.ts';
import { normalizePath, normalizePathPattern } from '../../gateway-runtime/match/normalize.ts';
import { RAW_PATH, readings } from './paths.ts';

const REFUSED = Symbol('refused');
const context: TranslateContext = {
  backend: () => {
    throw new Error('no path needs a backend');
  },
  refuse: () => {
    throw REFUSED;
  },
};

/** Undefined where it is refused. */
function changeOf(modifier: Parameters<typeof translatePathModifier>[0]) {
  try {
    return translatePathModifier(modifier, context);
  } catch (error) {
    if (error === REFUSED) return undefined;
    throw error;
  }
}

/** With and without the "/" that it should begin with, and with what is refused. */
const REPLACEMENT = fc.oneof(
  { weight: 4, arbitrary: RAW_PATH },
  { weight: 2, arbitrary: RAW_PATH.map((path) => path.slice(1)) },
  { weight: 1, arbitrary: fc.constantFrom('', '/', '//', 'a?b', '/..', '..', '/a#b', '/a b') },
);

const isDots = expect.stringMatching(/^\.{1,2}$/);

function expectCanonical(path: string): void {
  expect(normalizePath(path)).toBe(path);
  for (const reading of readings(path))
    expect(reading.split('/')).not.toEqual(expect.arrayContaining([isDots]));
}

it('a canonical path with its prefix replaced is canonical, and goes on as it did', () => {
  let replaced = 0;
  let others = 0;
  const rest = fc.oneof(
    fc.constant(''),
    RAW_PATH,
    RAW_PATH.map((path) => path.slice(1)),
  );
  fc.assert(
    fc.property(RAW_PATH, rest, REPLACEMENT, (rawPrefix, rawRest, replacePrefixMatch) => {
      // No path match may have such a value.
      if (rawPrefix.includes('//')) return;
      const change = changeOf({ type: 'ReplacePrefixMatch', replacePrefixMatch });
      const value = normalizePathPattern('PathPrefix', rawPrefix);
      const path = normalizePath(rawPrefix + rawRest);
      if (!change || typeof value !== 'string' || typeof path !== 'string') return;
      const changed = compilePathChange(change, { type: 'PathPrefix', value })(path);
      expectCanonical(changed);
      const prefix = value === '/' ? '' : value;
      if (path === prefix || path.startsWith(`${prefix}/`)) {
        replaced++;
        const expected = change.path + path.slice(prefix.length) || '/';
        expect(changed).toBe(expected);
      } else {
        others++;
        expect(changed).toBe(path);
      }
    }),
    { numRuns: 10_000 },
  );
  expect(replaced).toBeGreaterThan(500);
  expect(others).toBeGreaterThan(100);
});

it('a path that is put in place of all of another one is canonical', () => {
  let accepted = 0;
  fc.assert(
    fc.property(REPLACEMENT, RAW_PATH, (replaceFullPath, raw) => {
      const change = changeOf({ type: 'ReplaceFullPath', replaceFullPath });
      const path = normalizePath(raw);
      if (!change || typeof path !== 'string') return;
      accepted++;
      expectCanonical(compilePathChange(change, { type: 'PathPrefix', value: '/' })(path));
    }),
    { numRuns: 5_000 },
  );
  expect(accepted).toBeGreaterThan(500);
});

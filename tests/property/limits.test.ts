/** Which routes the limits of a namespace leave out, after any edits, against a plain reckoning of it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { NamespaceLimits } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { gateway, http, route } from '../unit/translate/build.ts';

const GATEWAYS = ['infra/one', 'infra/two'];
const LIMITS: NamespaceLimits = { rules: 7, matches: 9, regexCharacters: 12 };

interface Wanted {
  readonly name: string;
  readonly namespace: string;
  readonly created: string | undefined;
  readonly parents: readonly string[];
  /** Of each rule: the length of the expression of each match, 0 for a path without. */
  readonly rules: readonly (readonly number[])[];
  readonly gone: boolean;
}

const wanted: fc.Arbitrary<Wanted> = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
  namespace: fc.constantFrom('shop', 'media'),
  created: fc.constantFrom(undefined, '2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'),
  parents: fc.subarray(GATEWAYS),
  rules: fc.array(fc.array(fc.constantFrom(0, 0, 0, 1, 3, 13), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  }),
  gone: fc.constantFrom(false, false, true),
});

const objectOf = ({ name, namespace, created, parents, rules }: Wanted): RawObject =>
  route(
    `${namespace}/${name}`,
    parents,
    rules.map((matches) => ({
      matches: matches.map((length) => ({
        path: length > 0 ? { type: 'RegularExpression', value: 'x'.repeat(length) } : { value: '/' },
      })),
    })),
    {},
    created ? { creationTimestamp: created } : {},
  );

/** `route at gateway` of those that are left out. */
function reckoned(routes: readonly Wanted[]): string[] {
  const left: string[] = [];
  for (const at of GATEWAYS) {
    for (const namespace of ['shop', 'media']) {
      const sum = { rules: 0, matches: 0, regexCharacters: 0 };
      let full = false;
      const there = routes
        .filter((each) => each.namespace === namespace && each.parents.includes(at))
        .sort((a, b) => `${a.created ?? '9999'} ${a.name}`.localeCompare(`${b.created ?? '9999'} ${b.name}`));
      for (const { name, rules } of there) {
        const takes = {
          rules: rules.length,
          matches: rules.reduce((count, matches) => count + Math.max(1, matches.length), 0),
          regexCharacters: rules.flat().reduce((count, length) => count + length, 0),
        };
        const exceeds = (base: NamespaceLimits) =>
          base.rules + takes.rules > LIMITS.rules ||
          base.matches + takes.matches > LIMITS.matches ||
          base.regexCharacters + takes.regexCharacters > LIMITS.regexCharacters;
        const alone = exceeds({ rules: 0, matches: 0, regexCharacters: 0 });
        if (!alone) full ||= exceeds(sum);
        if (alone || full) {
          left.push(`${namespace}/${name} at ${at}`);
          continue;
        }
        sum.rules += takes.rules;
        sum.matches += takes.matches;
        sum.regexCharacters += takes.regexCharacters;
      }
    }
  }
  return left.sort();
}

function leftOut(translator: Translator): string[] {
  const left: string[] = [];
  for (const [key, status] of translator.current.statuses) {
    if (status.kind !== 'HTTPRoute') continue;
    for (const { parentRef, conditions } of status.parents) {
      if (conditions.some(({ reason }) => reason === 'LimitExceeded')) {
        left.push(`${key.replace('HTTPRoute/', '')} at ${parentRef.namespace}/${parentRef.name}`);
      }
    }
  }
  return left.sort();
}

describe('the limits of a namespace', () => {
  it('leave out the newest routes beyond them, and no others, after any edits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(wanted, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
        (steps) => {
          const translator = new Translator({ regex: re2, classes: 'any', limits: LIMITS });
          translator.apply(GATEWAYS.map((path) => ({ set: gateway(path, [http('web')]) })));
          const present = new Map<string, Wanted>();
          for (const step of steps) {
            translator.apply(
              step.map((each) => {
                const { namespace, name } = each;
                if (each.gone) present.delete(`${namespace}/${name}`);
                else present.set(`${namespace}/${name}`, each);
                const ref = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace, name };
                return each.gone ? { remove: ref } : { set: objectOf(each) };
              }),
            );
            const expected = reckoned([...present.values()]);
            expect(leftOut(translator)).toEqual(expected);
            const shares = translator.current.diagnostics.filter(
              ({ code }) => code === 'gateway/limit-exceeded',
            );
            expect(shares.length > 0).toBe(
              expected.some((each) => !isAlone(present.get(each.split(' ')[0]!)!)),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Beyond the limits by itself. */
function isAlone({ rules }: Wanted): boolean {
  return (
    rules.flat().reduce((count, length) => count + length, 0) > LIMITS.regexCharacters ||
    rules.reduce((count, matches) => count + Math.max(1, matches.length), 0) > LIMITS.matches
  );
}

/**
 * Agreement with the published models of Gateway API (`@kubernetes-models/gateway-api`): what passes here passes there, and what
 * passes there and not here breaks a rule that those models lack: CEL rules, unknown fields, and keys of lists.
 */
import { describe, expect, it } from '@jest/globals';
import { Gateway } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/Gateway';
import { GatewayClass } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/GatewayClass';
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute';
import { ListenerSet } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/ListenerSet';
import { ReferenceGrant } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/ReferenceGrant';
import fc from 'fast-check';
import { parse } from '../../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { SAMPLES } from './samples.ts';

const MODELS = { Gateway, GatewayClass, HTTPRoute, ListenerSet, ReferenceGrant };
type ModelName = keyof typeof MODELS;

function theirProblem(object: RawObject): string | undefined {
  const Model = MODELS[object.kind as ModelName];
  try {
    new Model(object as never).validate();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A sample without what only the experimental channel has, which the models leave out. */
function sample(kind: ModelName): RawObject {
  const object = SAMPLES[kind]();
  if (kind === 'HTTPRoute') {
    const { rules } = object.spec as { rules: { filters: { type: string }[] }[] };
    rules[0]!.filters = rules[0]!.filters.filter(({ type }) => type !== 'ExternalAuth');
  }
  return object;
}

/** Rules of the CRDs that the models don't have, by what our problem expects. */
const LACKING = [
  // Structural pruning and strict field validation.
  /^the field |^one of \w+(, \w+)*$/,
  // listType map and set.
  /^a name that is not taken by /,
  // Patterns of the experimental channel only.
  /^visible ASCII characters/,
  // CEL.
  /, since (the )?(filter's )?(type|protocol|mode|cookie|a filter)/,
  /^(an absolute path|a path) (that|without|of the characters)/,
  /^the port of the Service$/,
  /^one of the two$/,
  /^one of percent and fraction$/,
  /^at most the (denominator|request timeout)/,
  /^"\*" alone/,
  /at most once$/,
  /^each (parent|address) once/,
  /^at most 128 matches/,
  /^a name that no other rule/,
  /^a combination of port, protocol and hostname/,
  /^no tls for protocols/,
  /^an IPv4 or IPv6 address$/,
  /^keys of an optional DNS prefix/,
  /^a lower-case DNS name, with/,
];

/** Fields for which the CRDs have a rule and the models none. */
const WITHOUT_RULES = /^spec\.description$|\.retry\.attempts$/;

function expectAgreement(object: RawObject): void {
  const parsed = parse(object);
  const theirs = theirProblem(object);
  if (parsed.outcome === 'known') {
    expect({ object, theirs }).toEqual({ object, theirs: undefined });
    return;
  }
  if (theirs !== undefined || parsed.outcome !== 'invalid') return;
  const strange = parsed.problems.filter(
    ({ field, expected }) => !WITHOUT_RULES.test(field) && !LACKING.some((each) => each.test(expected)),
  );
  expect({ object, strange }).toEqual({ object, strange: [] });
}

describe.each(Object.keys(MODELS) as ModelName[])('%s', (kind) => {
  it('has a sample that passes both', () => {
    expect(parse(sample(kind)).outcome).toBe('known');
    expect(theirProblem(sample(kind))).toBeUndefined();
  });

  it('agrees on every field of the sample that is removed or replaced', () => {
    for (const path of pathsOf(sample(kind).spec, ['spec'])) {
      for (const value of REPLACEMENTS) expectAgreement(edited(kind, [{ path, value }]));
    }
  });

  it('agrees on samples with several edits', () => {
    const paths = pathsOf(sample(kind).spec, ['spec']);
    const edit = fc.record({
      path: fc.constantFrom(...paths),
      value: fc.oneof(fc.constantFrom(...REPLACEMENTS), fc.string(), fc.integer(), fc.constant(DUPLICATE)),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        expectAgreement(edited(kind, edits));
      }),
      { numRuns: 400 },
    );
  });
});

type Path = readonly (string | number)[];
const REMOVED = Symbol('removed');
/** The entry of a list twice. */
const DUPLICATE = Symbol('duplicate');

const REPLACEMENTS: readonly unknown[] = [
  REMOVED,
  '',
  'x',
  'X',
  'a b',
  '*',
  '*.example',
  '/x',
  '10s',
  'HTTP',
  'x'.repeat(70),
  'x'.repeat(300),
  'x'.repeat(5000),
  0,
  1,
  -1,
  1.5,
  600,
  70_000,
  2_000_000,
  true,
  [],
  {},
  ['x'],
  [{}],
  Array.from({ length: 70 }, () => ({})),
];

function pathsOf(value: unknown, at: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const below = Object.entries(value).flatMap(([key, each]) =>
    pathsOf(each, [...at, Array.isArray(value) ? Number(key) : key]),
  );
  return at.length > 1 ? [at, ...below] : below;
}

/** A path that an earlier edit took away is left alone. */
function edited(kind: ModelName, edits: readonly { path: Path; value: unknown }[]): RawObject {
  const object = sample(kind);
  for (const { path, value } of edits) {
    let at: unknown = object;
    for (const step of path.slice(0, -1)) at = (at as Record<string | number, unknown> | undefined)?.[step];
    if (typeof at !== 'object' || at === null) continue;
    const last = path.at(-1)!;
    const container = at as Record<string | number, unknown>;
    if (value === DUPLICATE) {
      if (Array.isArray(at) && typeof last === 'number' && last in at) at.push(structuredClone(at[last]));
    } else if (value !== REMOVED) container[last] = structuredClone(value);
    else if (Array.isArray(at)) at.splice(Number(last), 1);
    else delete container[last];
  }
  return object;
}

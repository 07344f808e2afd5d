/**
 * What no compiler has checked where a construct is written in plain JavaScript: that props are an object, that every key is one
 * that the call knows, and that every value has its type. What a value of the right type must be like is left to the field rules
 * of the API, which synth asks too.
 */
import { Construct } from 'constructs';
import { isNear } from '../gateway-runtime/api/schema.ts';

/** What a value must be. */
export interface Type {
  /** In words, as they follow "takes". */
  readonly expected: string;
  /** The first part that is not so; undefined where all is well. */
  wrong(value: unknown): Wrong | undefined;
  readonly optional: boolean;
}

interface Wrong {
  /** Where it is inside the value, such as `[1]`; empty for the value itself. */
  readonly at: string;
  readonly value: unknown;
}

export interface OptionalType extends Type {
  readonly optional: true;
}

export interface RequiredType extends Type {
  readonly optional: false;
}

/** The type of every key of some props. The compiler takes no key too many or too few, and none that is optional in only one of them. */
export type Shape<Props> = {
  readonly [Key in keyof Props]-?: Record<never, never> extends Pick<Props, Key>
    ? OptionalType
    : RequiredType;
};

/** A type by what holds for its values. */
export const type = (expected: string, holds: (value: unknown) => boolean): RequiredType => ({
  expected,
  wrong: (value) => (holds(value) ? undefined : { at: '', value }),
  optional: false,
});

export const text = type('a text', (value) => typeof value === 'string');
export const number = type('a number', (value) => typeof value === 'number');
export const flag = type('true or false', (value) => typeof value === 'boolean');
/** `true`, or more to say of it. */
export const flagOr = (more: string) =>
  type(`true, false or ${more}`, (value) => typeof value === 'boolean' || isObject(value));
/** Whatever has a check of its own. */
export const anything = type('a value', () => true);

export const oneOf = (...values: readonly string[]): RequiredType =>
  type(values.map((value) => `'${value}'`).join(' or '), (value) => (values as unknown[]).includes(value));

/** A list of at least one: of an empty one it is never clear whether it means nothing or everything. */
export function list(expected: string, item: Type): RequiredType {
  return {
    expected,
    wrong(value) {
      if (!Array.isArray(value) || value.length === 0) return { at: '', value };
      const index = value.findIndex((each) => item.wrong(each));
      return index < 0 ? undefined : { at: `[${index}]`, value: value[index] };
    },
    optional: false,
  };
}

export const texts = list('a list of at least one text', text);

/** Values by name. */
export function record(expected: string, item: Type): RequiredType {
  return {
    expected,
    wrong(value) {
      if (!isObject(value)) return { at: '', value };
      const entry = Object.entries(value).find(([, each]) => item.wrong(each));
      return entry && { at: `.${entry[0]}`, value: entry[1] };
    },
    optional: false,
  };
}

/** May be left out, or be undefined, which is the same; null is neither. */
export const optional = (inner: Type): OptionalType => ({
  expected: inner.expected,
  wrong: (value) => (value === undefined ? undefined : inner.wrong(value)),
  optional: true,
});

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a call was given. */
export interface Read<Props> {
  /** What is as it must be, and nothing else. */
  readonly props: Partial<Props>;
  /** What is wrong with the rest, in sentences. */
  readonly problems: readonly string[];
}

/**
 * Reads the props of a call.
 *
 * @param call How people write it, such as `grant()`.
 */
export function read<Props extends object>(call: string, given: unknown, shape: Shape<Props>): Read<Props> {
  const types = new Map<string, Type>(Object.entries(shape));
  if (!isObject(given))
    return {
      props: {},
      problems: [`${call} takes an object with ${listed(types)}, this is ${found(given)}`],
    };
  const problems = Object.keys(given)
    .filter((key) => !types.has(key))
    .map((key) => unknownKey(call, key, types));
  const kept: [string, unknown][] = [];
  for (const [key, each] of types) {
    const value = (given as Record<string, unknown>)[key];
    const wrong = valueProblems(call, key, each, value);
    problems.push(...wrong);
    if (wrong.length === 0 && value !== undefined) kept.push([key, value]);
  }
  return { props: Object.fromEntries(kept) as Partial<Props>, problems };
}

/** What is wrong with one value, by the name that it has in its call. */
export function valueProblems(call: string, name: string, expected: Type, value: unknown): string[] {
  const wrong = expected.wrong(value);
  if (!wrong) return [];
  const what = wrong.at === '' ? 'this' : `and ${name}${wrong.at}`;
  const isNothing = value === null || (Array.isArray(value) && value.length === 0);
  const fix = expected.optional && isNothing ? `: leave ${name} out for its default` : '';
  return [`${call} takes ${expected.expected} as ${name}, ${what} is ${found(wrong.value)}${fix}`];
}

function unknownKey(call: string, key: string, types: ReadonlyMap<string, Type>): string {
  const near = [...types.keys()].find((known) => isNear(known.toLowerCase(), key.toLowerCase()));
  return `${call} does not know ${key}: ${near ? `did you mean ${near}?` : `it takes ${listed(types)}`}`;
}

const listed = (types: ReadonlyMap<string, Type>) => [...types.keys()].join(', ');

const MOST = 100;
const bounded = (words: string) => (words.length > MOST ? `${words.slice(0, MOST)}...` : words);

/** What stands in place of something else, in few words. */
export function found(value: unknown): string {
  if (typeof value === 'string') return bounded(JSON.stringify(value));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return bounded(String(value));
  // Only what was made by a constructor has a node to ask; an imitation may throw.
  if (Object.hasOwn(value, 'node') && value instanceof Construct)
    return `${value.constructor.name} ${value.node.path}`;
  try {
    return bounded(JSON.stringify(value) ?? 'an object');
  } catch {
    return 'an object';
  }
}

/** By a registered symbol, since an app may have two copies of this package, and as a field, so that `{ ...value }` keeps it. */
const PROBLEMS = Symbol.for('gatewright.dev/problems');

/** A value that a call made, with what was wrong with the call: for the construct that gets it to say. */
export function noted<Value extends object>(value: Value, problems: readonly string[]): Value {
  return problems.length === 0 ? value : { ...value, [PROBLEMS]: problems };
}

/** What was wrong with the call that made a value. */
export function problemsOf(value: unknown): readonly string[] {
  const problems: unknown = isObject(value) && (value as Record<symbol, unknown>)[PROBLEMS];
  return Array.isArray(problems) ? problems : [];
}

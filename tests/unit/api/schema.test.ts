/** The combinators that field rules are made of. */
import { describe, expect, it } from '@jest/globals';
import {
  anything,
  boolean,
  defaulted,
  type FieldProblem,
  integer,
  isNear,
  list,
  object,
  oneOf,
  optional,
  type Schema,
  shown,
  string,
  stringMap,
} from '../../../gateway-runtime/api/schema.ts';

function check<T>(schema: Schema<T>, value: unknown, field = 'f'): { value: T; problems: FieldProblem[] } {
  const problems: FieldProblem[] = [];
  return { value: schema.check(value, field, problems), problems };
}
const accepts = <T>(schema: Schema<T>, value: unknown): T => {
  const result = check(schema, value);
  expect(result.problems).toEqual([]);
  return result.value;
};
const refuses = (schema: Schema<unknown>, value: unknown): FieldProblem[] => {
  const { problems } = check(schema, value);
  expect(problems).not.toEqual([]);
  return problems;
};

describe('a slip', () => {
  it.each([
    ['a quoted number', integer(), '8080', 'write it without quotes'],
    ['a quoted truth', boolean(), 'true', 'write it without quotes'],
    ['another case', oneOf(['HTTP', 'HTTPS']), 'http', 'write HTTP'],
    ['a misspelling', oneOf(['Exact', 'PathPrefix']), 'PathPrefx', 'write PathPrefix'],
    ['a part of the word', oneOf(['Exact', 'PathPrefix', 'RegularExpression']), 'Prefix', 'write PathPrefix'],
    ['what could be two', oneOf(['ReplaceFullPath', 'ReplacePrefixMatch']), 'Replace', undefined],
    ['another thing', integer(), 'many', undefined],
  ])('such as %s is told with what to write', (_, schema: Schema<unknown>, value, fix) => {
    expect(refuses(schema, value)[0]!.fix).toBe(fix);
  });
});

describe('string', () => {
  it('holds to its lengths, counted in characters', () => {
    const schema = string({ min: 2, max: 3 });
    expect(accepts(schema, 'ab')).toBe('ab');
    expect(accepts(schema, '😀😀😀')).toBe('😀😀😀');
    expect(refuses(schema, 'a')[0]).toMatchObject({
      field: 'f',
      found: '"a"',
      expected: 'at least 2 characters',
    });
    expect(refuses(schema, '😀😀😀😀')[0]!.expected).toBe('at most 3 characters, this has 4');
  });

  it('says what its pattern is about in words', () => {
    const schema = string({ pattern: { regex: /^a+$/, words: 'the letter a' } });
    accepts(schema, 'aa');
    expect(refuses(schema, 'ab')[0]).toEqual({ field: 'f', found: '"ab"', expected: 'the letter a' });
    expect(refuses(schema, 7)[0]!.expected).toBe('the letter a');
  });

  it('takes no other type, and its default only where nothing stands', () => {
    for (const value of [7, true, null, {}, [], undefined]) refuses(string(), value);
    expect(accepts(string({ default: 'd' }), undefined)).toBe('d');
    expect(accepts(string({ default: 'd' }), '')).toBe('');
  });
});

describe('integer', () => {
  it('takes whole numbers within its bounds, 32 bits where none are said', () => {
    expect(accepts(integer({ min: 1, max: 3 }), 3)).toBe(3);
    for (const value of [0, 4, 1.5, '2', null, Number.NaN, Number.POSITIVE_INFINITY]) {
      refuses(integer({ min: 1, max: 3 }), value);
    }
    accepts(integer(), -2147483648);
    refuses(integer(), 2147483648);
    expect(accepts(integer({ default: 5 }), undefined)).toBe(5);
  });
});

describe('boolean and oneOf', () => {
  it('take what they say, letter for letter', () => {
    expect(accepts(boolean(), false)).toBe(false);
    for (const value of ['true', 0, null]) refuses(boolean(), value);
    expect(accepts(oneOf(['a', 'b']), 'b')).toBe('b');
    expect(accepts(oneOf(['a', 'b'], 'a'), undefined)).toBe('a');
    expect(refuses(oneOf(['a', 'b']), 'A')[0]!.expected).toBe('one of a, b');
    refuses(oneOf([301, 302]), '301');
    // Names of Object.prototype are no values.
    refuses(oneOf(['a']), 'constructor');
  });
});

describe('list', () => {
  it('checks its length, every entry, and only then what holds over all', () => {
    const schema = list(integer(), {
      min: 1,
      max: 3,
      key: (item) => `${item}`,
      rules: [(items, field) => (items[0] === 9 ? { field, found: '9', expected: 'another' } : undefined)],
    });
    expect(accepts(schema, [1, 2, 3])).toEqual([1, 2, 3]);
    expect(refuses(schema, [])[0]!.expected).toBe('at least 1 entries');
    expect(refuses(schema, [1, 2, 3, 4])[0]!.expected).toBe('at most 3 entries, this has 4');
    expect(refuses(schema, ['a', 1, 'b']).map(({ field }) => field)).toEqual(['f[0]', 'f[2]']);
    expect(refuses(schema, [1, 2, 1]).map(({ field }) => field)).toEqual(['f[2]']);
    expect(refuses(schema, [9])[0]!.expected).toBe('another');
    for (const value of ['x', {}, { 0: 1, length: 1 }, 7]) refuses(schema, value);
  });

  it('checks its default too', () => {
    const schema = list(object({ a: integer({ default: 1 }) }), { default: [{}] });
    expect(accepts(schema, undefined)).toEqual([{ a: 1 }]);
  });
});

describe('object', () => {
  const schema = object(
    { name: string(), count: integer({ default: 1 }), note: optional(string()) },
    {
      rules: [
        ({ name, note }, field) =>
          name === note ? { field: `${field}.note`, found: note!, expected: 'another' } : undefined,
      ],
    },
  );

  it('gives exactly its fields, with defaults, and nothing for what is left out', () => {
    expect(accepts(schema, { name: 'a' })).toEqual({ name: 'a', count: 1 });
    expect(Object.keys(accepts(schema, { name: 'a', note: null }))).toEqual(['name', 'count']);
  });

  it('names every problem, and holds its own rules only where there is none', () => {
    expect(refuses(schema, { count: 'x', note: 7 }).map(({ field }) => field)).toEqual([
      'f.name',
      'f.count',
      'f.note',
    ]);
    expect(refuses(schema, { name: 'a', note: 'a' }).map(({ field }) => field)).toEqual(['f.note']);
  });

  it('refuses fields that it does not know, with the nearest that it knows', () => {
    const [problem] = refuses(schema, { name: 'a', cuont: 1 });
    expect(problem).toEqual({
      field: 'f.cuont',
      found: 'a field of this name',
      expected: 'the field count',
      fix: 'rename it to count',
    });
    expect(refuses(schema, { name: 'a', other: 1 })[0]!.fix).toBe('remove it');
  });

  it('takes no names from the prototype, neither its own nor the value’s', () => {
    expect(refuses(schema, JSON.parse('{"name":"a","__proto__":{"count":7}}'))[0]!.field).toBe('f.__proto__');
    refuses(schema, Object.create({ name: 'a' }));
    expect(refuses(schema, { name: 'a', constructor: 1 })[0]!.field).toBe('f.constructor');
    expect(refuses(schema, { name: 'a', toString: 1 })[0]!.field).toBe('f.toString');
  });

  it('leaves other fields out where it reads a part only', () => {
    const part = object({ a: integer() }, { others: 'ignored' });
    expect(accepts(part, { a: 1, b: 2 })).toEqual({ a: 1 });
  });

  it('takes nothing else for an object', () => {
    for (const value of ['x', 7, [], null, undefined]) {
      expect(refuses(schema, value)[0]!.expected).toBe('an object with name, count, note');
    }
  });

  it('shows its fields and entries through optional and defaulted, for what lists them', () => {
    const inner = object({ a: integer() });
    expect(optional(inner).fields).toBe(inner.fields);
    expect(defaulted(list(inner), []).item).toBe(inner);
    expect(string().fields).toBeUndefined();
  });
});

describe('stringMap, anything, optional, defaulted', () => {
  it('checks every value of a map and how many there are', () => {
    const schema = stringMap(string({ max: 2 }), { max: 2 });
    expect(accepts(schema, { a: 'x', b: '' })).toEqual({ a: 'x', b: '' });
    expect(refuses(schema, { a: 'xyz' })[0]!.field).toBe('f.a');
    refuses(schema, { a: '', b: '', c: '' });
    for (const value of [[], 'x', null, { a: 7 }]) refuses(schema, value);
  });

  it('keeps a key named __proto__ a key', () => {
    const map = accepts(stringMap(), JSON.parse('{"__proto__":"x"}'));
    expect(Object.hasOwn(map, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
  });

  it('passes anything through as it is', () => {
    const value = { any: ['thing'] };
    expect(accepts(anything(), value)).toBe(value);
  });

  it('takes null for nothing where nothing may stand', () => {
    expect(accepts(optional(string()), null)).toBeUndefined();
    expect(accepts(defaulted(string(), 'd'), null)).toBe('d');
    refuses(defaulted(string(), 7), undefined);
  });
});

it('never changes what it is given', () => {
  const value = Object.freeze({ name: 'a', items: Object.freeze([Object.freeze({})]) });
  const schema = object({ name: string(), items: list(object({ b: integer({ default: 2 }) })) });
  expect(accepts(schema, value)).toEqual({ name: 'a', items: [{ b: 2 }] });
});

it('shows values shortened', () => {
  expect(shown(undefined)).toBe('nothing');
  expect(shown('x'.repeat(100))).toHaveLength(60);
  expect(shown(Symbol.iterator)).toBe('Symbol(Symbol.iterator)');
});

it.each([
  ['backendRefs', 'backendRef', true],
  ['weight', 'wieght', true],
  ['name', 'nmae', true],
  ['matches', 'match', true],
  ['rules', 'parentRefs', false],
  ['a', 'abcd', false],
  ['', '', true],
])('%s and %s are near: %s', (a, b, near) => {
  expect(isNear(a, b)).toBe(near);
  expect(isNear(b, a)).toBe(near);
});

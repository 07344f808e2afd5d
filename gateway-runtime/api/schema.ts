/**
 * Field rules as values: a schema checks one value, fills its defaults in and gives the value its TypeScript type.
 * The rules are those of the published CRDs (OpenAPI schema and CEL), so that what passes here passes admission there.
 * A schema never throws and never changes what it is given.
 */

/** One field rule that a value broke: enough to say what to do about it. */
export interface FieldProblem {
  /** Path of the field in the object, such as `spec.rules[0].matches[1].path.value`. */
  readonly field: string;
  /** What stands there, shortened. */
  readonly found: string;
  /** What would be right. */
  readonly expected: string;
  /** The next step, where there is one that `expected` does not say. */
  readonly fix?: string;
}

export interface Schema<T> {
  /** The value with defaults filled in. When a problem was reported the result must not be used. */
  check(value: unknown, field: string, problems: FieldProblem[]): T;
  readonly optional?: boolean;
  /** For what lists fields: those of an object. */
  readonly fields?: Fields;
  /** For what lists fields: the entries of a list. */
  readonly item?: Schema<unknown>;
  /** The same as a CustomResourceDefinition says it; absent where that would not say all of it. */
  readonly openApi?: OpenApi;
  /** Carries the type; never set. */
  readonly _type?: T;
}

/** OpenAPI v3 schema, as far as a CustomResourceDefinition may use it. */
export type OpenApi = Readonly<Record<string, unknown>>;

export interface OptionalSchema<T> extends Schema<T | undefined> {
  readonly optional: true;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

// biome-ignore lint/suspicious/noExplicitAny: the field types are recovered by Infer
export type Fields = Record<string, Schema<any>>;
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends { optional: true } ? K : never;
}[keyof F];
type Flat<T> = { [K in keyof T]: T[K] };
export type ObjectOf<F extends Fields> = Flat<
  { [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & {
    [K in OptionalKeys<F>]?: Exclude<Infer<F[K]>, undefined>;
  }
>;

/** A rule over a whole object, list or value, as CEL rules are: the problem it finds, or nothing. */
export interface Rule<T> {
  (value: T, field: string): FieldProblem | undefined;
  /** The same as CEL, and what the API server says where it is broken. */
  readonly cel?: { readonly rule: string; readonly message: string };
}

/** A rule that a CustomResourceDefinition has as well. */
export const rule = <T>(cel: NonNullable<Rule<T>['cel']>, check: Rule<T>): Rule<T> =>
  Object.assign((value: T, field: string) => check(value, field), { cel });

/** A value as it is shown in a message: JSON, at most 60 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function refuse(
  problems: FieldProblem[],
  field: string,
  value: unknown,
  expected: string,
  fix?: string,
): never {
  problems.push(
    fix ? { field, found: shown(value), expected, fix } : { field, found: shown(value), expected },
  );
  return undefined as never;
}

/** A pattern and the words that describe it in a message. */
export interface Pattern {
  readonly regex: RegExp;
  readonly words: string;
}

export function string(
  limits: { min?: number; max?: number; pattern?: Pattern; default?: string } = {},
): Schema<string> {
  return {
    openApi: stated({
      type: 'string',
      minLength: limits.min,
      maxLength: limits.max,
      pattern: limits.pattern?.regex.source,
      default: limits.default,
    }),
    check(value, field, problems) {
      if (value === undefined && limits.default !== undefined) return limits.default;
      if (typeof value !== 'string')
        return refuse(problems, field, value, limits.pattern?.words ?? 'a string');
      // The CRDs count characters, not UTF-16 units.
      const length = value.length <= (limits.max ?? Infinity) ? value.length : [...value].length;
      if (length < (limits.min ?? 0))
        return refuse(problems, field, value, `at least ${limits.min} characters`);
      if (limits.max !== undefined && length > limits.max) {
        return refuse(problems, field, value, `at most ${limits.max} characters, this has ${length}`);
      }
      if (limits.pattern && !limits.pattern.regex.test(value)) {
        return refuse(problems, field, value, limits.pattern.words);
      }
      return value;
    },
  };
}

export function integer(limits: { min?: number; max?: number; default?: number } = {}): Schema<number> {
  const { min = -2147483648, max = 2147483647 } = limits;
  return {
    openApi: stated({ type: 'integer', minimum: min, maximum: max, default: limits.default }),
    check(value, field, problems) {
      if (value === undefined && limits.default !== undefined) return limits.default;
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
        const isQuoted = typeof value === 'string' && /^-?\d+$/.test(value);
        const fix = isQuoted ? 'write it without quotes' : undefined;
        return refuse(problems, field, value, `a whole number from ${min} to ${max}`, fix);
      }
      return value;
    },
  };
}

/** A number, or a text such as a percentage or a quantity, where the API takes either. */
export function integerOrString(pattern: Pattern, limits: { min: number }): Schema<number | string> {
  const whole = integer(limits);
  return {
    openApi: {
      'x-kubernetes-int-or-string': true,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      minimum: limits.min,
      maximum: 2147483647,
      pattern: pattern.regex.source,
    },
    check(value, field, problems) {
      if (typeof value === 'number') return whole.check(value, field, problems);
      if (typeof value === 'string' && pattern.regex.test(value)) return value;
      return refuse(problems, field, value, pattern.words);
    },
  };
}

export function boolean(): Schema<boolean> {
  return {
    openApi: { type: 'boolean' },
    check: (value, field, problems) =>
      typeof value === 'boolean'
        ? value
        : refuse(
            problems,
            field,
            value,
            'true or false',
            value === 'true' || value === 'false' ? 'write it without quotes' : undefined,
          ),
  };
}

export function oneOf<const V extends string | number>(values: readonly V[], fallback?: V): Schema<V> {
  return {
    openApi: stated({ type: typeof values[0], enum: values, default: fallback }),
    check(value, field, problems) {
      if (value === undefined && fallback !== undefined) return fallback;
      if (values.includes(value as V)) return value as V;
      const meant = meantBy(value, values);
      const fix = meant === undefined ? undefined : `write ${meant}`;
      return refuse(problems, field, value, `one of ${values.join(', ')}`, fix);
    },
  };
}

/** The only one that is misspelt so, or that has the text as a part. */
function meantBy<V extends string | number>(value: unknown, values: readonly V[]): V | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const text = value.toLowerCase();
  const exact = values.filter((each) => `${each}`.toLowerCase() === text);
  const near = values.filter((each) => `${each}`.length > 3 && isNear(`${each}`.toLowerCase(), text));
  const part = values.filter((each) => text.length > 3 && `${each}`.toLowerCase().includes(text));
  return [exact, near, part].find((found) => found.length === 1)?.[0];
}

export function list<T>(
  item: Schema<T>,
  limits: {
    min?: number;
    max?: number;
    default?: readonly unknown[];
    /** Of which no two entries may have the same. */
    key?: (item: T) => string;
    /** The field that is `key`, as the API server is told of it; a key of any other make it can't hold. */
    keyField?: keyof T & string;
    rules?: Rule<T[]>[];
  } = {},
): Schema<T[]> {
  const { keyField, rules = [] } = limits;
  const key = limits.key ?? (keyField && ((entry: T) => `${entry[keyField]}`));
  const isSayable = !limits.key && rules.every(({ cel }) => cel);
  return {
    item,
    ...(item.openApi && isSayable
      ? {
          openApi: stated({
            type: 'array',
            minItems: limits.min,
            maxItems: limits.max,
            default: limits.default,
            items: item.openApi,
            ...(keyField
              ? { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [keyField] }
              : {}),
            'x-kubernetes-validations': rules.length > 0 ? rules.map(({ cel }) => cel) : undefined,
          }),
        }
      : {}),
    check(value, field, problems) {
      if (value === undefined && limits.default) return this.check(limits.default, field, problems);
      if (!Array.isArray(value)) return refuse(problems, field, value, 'a list');
      if (value.length < (limits.min ?? 0))
        return refuse(problems, field, value, `at least ${limits.min} entries`);
      if (value.length > (limits.max ?? Infinity)) {
        return refuse(problems, field, value, `at most ${limits.max} entries, this has ${value.length}`);
      }
      const before = problems.length;
      const items = value.map((entry, index) => item.check(entry, `${field}[${index}]`, problems));
      if (problems.length > before) return items;
      if (key) reportDuplicates(items, key, field, problems);
      reportBroken(limits.rules, items, field, problems);
      return items;
    },
  };
}

function reportDuplicates<T>(
  items: T[],
  key: (item: T) => string,
  field: string,
  problems: FieldProblem[],
): void {
  const seen = new Map<string, number>();
  items.forEach((item, index) => {
    const name = key(item);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else
      refuse(problems, `${field}[${index}]`, name, `a name that is not taken by ${field}[${first}] already`);
  });
}

function reportBroken<T>(
  rules: Rule<T>[] | undefined,
  value: T,
  field: string,
  problems: FieldProblem[],
): void {
  for (const rule of rules ?? []) {
    const problem = rule(value, field);
    if (problem) problems.push(problem);
  }
}

/** A map of strings to strings: labels, annotations, selectors. */
export function stringMap(
  value: Schema<string> = string(),
  limits: { max?: number } = {},
): Schema<Record<string, string>> {
  return {
    ...(value.openApi
      ? {
          openApi: stated({ type: 'object', maxProperties: limits.max, additionalProperties: value.openApi }),
        }
      : {}),
    check(map, field, problems) {
      if (typeof map !== 'object' || map === null || Array.isArray(map))
        return refuse(problems, field, map, 'a map');
      const entries = Object.entries(map);
      if (entries.length > (limits.max ?? Infinity)) {
        return refuse(problems, field, map, `at most ${limits.max} entries, this has ${entries.length}`);
      }
      return Object.fromEntries(
        entries.map(([key, text]) => [key, value.check(text, `${field}.${key}`, problems)]),
      );
    },
  };
}

/** For what may be secret: a problem with the value itself says what kind of value stands there, never the value. */
export function hidden<T>(schema: Schema<T>): Schema<T> {
  return {
    ...partsOf(schema),
    check(value, field, problems) {
      const own: FieldProblem[] = [];
      const result = schema.check(value, field, own);
      for (const each of own) problems.push(each.field === field ? { ...each, found: kindOf(value) } : each);
      return result;
    },
  };
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`;
}

/** A value with rules over it. */
export function ruled<T>(schema: Schema<T>, rules: Rule<T>[]): Schema<T> {
  const isSayable = schema.openApi && rules.every(({ cel }) => cel);
  const { openApi, ...rest } = partsOf(schema);
  return {
    ...rest,
    ...(isSayable
      ? { openApi: { ...openApi, 'x-kubernetes-validations': rules.map(({ cel }) => cel) } }
      : {}),
    check(value, field, problems) {
      const before = problems.length;
      const result = schema.check(value, field, problems);
      if (problems.length === before) reportBroken(rules, result, field, problems);
      return result;
    },
  };
}

/** Takes anything as it is: a part of an object that nothing here reads. */
export function anything(): Schema<unknown> {
  return { check: (value) => value };
}

/** The value may be left out; with `fallback` that is what it becomes, itself checked and defaulted. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return {
    ...partsOf(schema),
    optional: true,
    // The API server drops a null where a field may be absent.
    check: (value, field, problems) =>
      value === undefined || value === null ? undefined : schema.check(value, field, problems),
  };
}

export function defaulted<T>(schema: Schema<T>, fallback: unknown): Schema<T> {
  return {
    ...partsOf(schema),
    ...(schema.openApi ? { openApi: { ...schema.openApi, default: fallback } } : {}),
    check: (value, field, problems) => schema.check(value ?? fallback, field, problems),
  };
}

type Parts = Pick<Schema<unknown>, 'fields' | 'item' | 'openApi'>;

/** What the field is for, as `kubectl explain` shows it. */
export function described<S extends Schema<unknown>>(description: string, schema: S): S {
  return schema.openApi ? { ...schema, openApi: { description, ...schema.openApi } } : schema;
}

function partsOf({ fields, item, openApi }: Schema<unknown>): Parts {
  return { ...(fields ? { fields } : {}), ...(item ? { item } : {}), ...(openApi ? { openApi } : {}) };
}

/** Without what is not limited. */
const stated = (limits: OpenApi): OpenApi =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));

function openApiOf(fields: Fields, rules: readonly Rule<never>[]): OpenApi | undefined {
  const entries = Object.entries(fields);
  if (entries.some(([, { openApi }]) => !openApi) || rules.some(({ cel }) => !cel)) return undefined;
  const required = entries.filter(([, { optional, openApi }]) => !optional && !('default' in openApi!));
  return stated({
    type: 'object',
    required: required.length > 0 ? required.map(([name]) => name) : undefined,
    properties: Object.fromEntries(entries.map(([name, { openApi }]) => [name, openApi])),
    'x-kubernetes-validations': rules.length > 0 ? rules.map(({ cel }) => cel) : undefined,
  });
}

/**
 * An object with exactly these fields. A field of another name is refused, with the nearest known name, since a
 * misspelt field that is dropped silently is the worst of both worlds. `others: 'ignored'` is for core objects
 * of which only a part is read.
 */
export function object<F extends Fields>(
  fields: F,
  options: { rules?: Rule<ObjectOf<F>>[]; others?: 'refused' | 'ignored' } = {},
): Schema<ObjectOf<F>> {
  const names = Object.keys(fields);
  const openApi = options.others === 'ignored' ? undefined : openApiOf(fields, options.rules ?? []);
  return {
    fields,
    ...(openApi ? { openApi } : {}),
    check(value, field, problems) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return refuse(problems, field, value, `an object with ${names.join(', ')}`);
      }
      const given = value as Record<string, unknown>;
      const before = problems.length;
      if (options.others !== 'ignored') reportUnknown(given, names, field, problems);
      const result: Record<string, unknown> = {};
      for (const name of names) {
        const schema = fields[name]!;
        const own = Object.hasOwn(given, name) ? (given[name] ?? undefined) : undefined;
        const checked = schema.check(own, field ? `${field}.${name}` : name, problems);
        if (checked !== undefined) result[name] = checked;
      }
      if (problems.length === before) reportBroken(options.rules, result as ObjectOf<F>, field, problems);
      return result as ObjectOf<F>;
    },
  };
}

function reportUnknown(given: object, names: string[], field: string, problems: FieldProblem[]): void {
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const near = names.find((known) => isNear(known.toLowerCase(), name.toLowerCase()));
    problems.push({
      field: field ? `${field}.${name}` : name,
      found: 'a field of this name',
      expected: near ? `the field ${near}` : `one of ${names.join(', ')}`,
      fix: near ? `rename it to ${near}` : 'remove it',
    });
  }
}

/** At most two edits apart, counted as one edit for a swap of neighbours: enough for a slip of the fingers. */
export function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 2) return false;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(
        previous[j]! + 1,
        row[j - 1]! + 1,
        previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    previous = row;
  }
  return previous[b.length]! <= 2;
}

/** Schemas of plain data whose type is written elsewhere: a field that the type has and the schema has not does not compile. */
import { type Fields, object, type Schema } from '../api/schema.ts';

export function exactly<T extends object>(
  fields: {
    readonly [K in keyof T]-?: Schema<T[K]>;
  },
): Schema<T> {
  return object(fields as unknown as Fields) as unknown as Schema<T>;
}

export class InvalidContentError extends Error {
  override readonly name = 'InvalidContentError';
}

/** The value with its type. Throws InvalidContentError, which names the field and never what stands there: it may be a key. */
export function checked<T>(schema: Schema<T>, value: unknown, what: string): T {
  const problems: { field: string; expected: string }[] = [];
  const result = schema.check(value, '', problems as Parameters<Schema<T>['check']>[2]);
  const [first] = problems;
  if (!first) return result;
  throw new InvalidContentError(`${what}${first.field && `.${first.field}`}: expected ${first.expected}`);
}

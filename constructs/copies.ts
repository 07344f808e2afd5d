/**
 * What several copies of this package in one process have in common: each package of a repository may bring its own, and a grant that one of
 * them made is a grant to the others. A symbol that everybody can ask for keeps out mistakes, as all of this package does, and no intruder.
 */

/**
 * The value of this name, made by the copy that first asks.
 *
 * @param name With the version of its form, such as `attachments/1`.
 */
export function inAllCopies<Value>(name: string, make: () => Value): Value {
  const key = Symbol.for(`gatewright.dev/${name}`);
  const all = globalThis as unknown as Record<symbol, Value | undefined>;
  all[key] ??= make();
  return all[key];
}

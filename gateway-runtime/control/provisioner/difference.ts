/** Where an object of the API server is not as it is wanted. What others added to it is their affair. */

/** The first field that is other than it is wanted, as a path; undefined where all are as they should be. */
export function differenceAt(found: unknown, wanted: unknown, path = ''): string | undefined {
  if (Array.isArray(wanted)) return differenceInList(found, wanted, path);
  if (typeof wanted !== 'object' || wanted === null) return found === wanted ? undefined : path;
  // The API server leaves out what is empty.
  const given = (found ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof given !== 'object') return path;
  for (const [name, value] of Object.entries(wanted)) {
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    const difference = differenceAt(own, value, path ? `${path}.${name}` : name);
    if (difference) return difference;
  }
  return undefined;
}

function differenceInList(found: unknown, wanted: readonly unknown[], path: string): string | undefined {
  const given: readonly unknown[] = Array.isArray(found) ? found : [];
  const isNamed = wanted.some((item) => nameOf(item) !== undefined);
  if (!isNamed && given.length !== wanted.length) return path;
  for (const [index, item] of wanted.entries()) {
    const name = nameOf(item);
    const own = isNamed ? given.find((each) => nameOf(each) === name) : given[index];
    const difference = differenceAt(own, item, `${path}[${name ?? index}]`);
    if (difference) return difference;
  }
  return undefined;
}

/** By which entries of the lists in question are told apart; entries of others may stand between them. */
const nameOf = (item: unknown): unknown => (item as { readonly name?: unknown } | null)?.name;

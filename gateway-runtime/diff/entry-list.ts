/** Entries of one path, by precedence. Where many tell requests apart by one header or query parameter, those of one value are found at once. */
import type { HttpMatch, ValueMatch } from '../snapshot/snapshot.ts';
import { type Conjunction, firstOfEachName } from './conjunction.ts';
import type { Entry } from './rule-bucket.ts';

/** Below this, looking at each is quicker. */
const MANY = 16;

type Part = 'headers' | 'query';

interface Divided {
  readonly part: Part;
  readonly name: string;
  readonly byValue: ReadonlyMap<string, readonly Entry[]>;
  /** That ask for no value of it in particular. */
  readonly others: readonly Entry[];
}

export class EntryList {
  readonly #entries: Entry[] = [];
  /** Undefined before it was tried; null where there is nothing to divide by. */
  #divided: Divided | null | undefined;

  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** Those that may take requests of the set, as far as the value says that they are divided by; in parts, each by precedence. */
  meeting(set: Pick<Conjunction, Part>): readonly (readonly Entry[])[] {
    if (this.#entries.length < MANY) return [this.#entries];
    if (this.#divided === undefined) this.#divided = divided(this.#entries);
    if (this.#divided === null) return [this.#entries];
    const { part, name, byValue, others } = this.#divided;
    const value = set[part].get(name)?.value;
    return value === undefined ? [this.#entries] : [byValue.get(value) ?? [], others];
  }
}

/** By the name that most of them ask a value of. */
function divided(entries: readonly Entry[]): Divided | null {
  const counts = new Map<string, number>();
  const count = (part: Part, values: readonly ValueMatch[]) => {
    for (const { name, type } of firstOfEachName(values)) {
      const key = `${part} ${name}`;
      if (type === 'Exact') counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  };
  for (const { condition } of entries) {
    count('headers', condition.headers);
    count('query', condition.queryParams);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (!most || most[1] < entries.length / 2) return null;
  const [part, ...rest] = most[0].split(' ') as [Part, ...string[]];
  const name = rest.join(' ');
  const byValue = new Map<string, Entry[]>();
  const others: Entry[] = [];
  for (const entry of entries) {
    const asked = valuesOf(entry.condition, part).find((each) => each.name === name);
    if (asked?.type !== 'Exact') others.push(entry);
    else {
      const known = byValue.get(asked.value);
      if (known) known.push(entry);
      else byValue.set(asked.value, [entry]);
    }
  }
  return { part, name, byValue, others };
}

const valuesOf = ({ headers, queryParams }: HttpMatch, part: Part) =>
  part === 'headers' ? headers : queryParams;

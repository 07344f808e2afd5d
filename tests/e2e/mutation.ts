/** Objects that differ from given ones in a few fields: what an author might get wrong, and what is just right. */
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { isContainer, type Place, type Pool, places, valueAt } from './value-pool.ts';

const NUMBERS = [-1, 0, 1, 99, 100, 399, 599, 600, 65_535, 65_536, 1_000_000, 1_000_001, 1.5];
const TEXTS = [
  ...['', ' ', 'a b'],
  ...'* *.example.com a.*.com example.com. example.com/x UPPER under_score -a 10.0.0.1 HTTP HTTPS TLS'.split(
    ' ',
  ),
  ...'/ // /a/../b /a%2fb /a?b 10s 1h1m 0s -1s 1d'.split(' '),
  ...[63, 64, 253, 254].map((length) => 'a'.repeat(length)),
];

/** Values at the edges of what fields allow. */
const EDGES: readonly unknown[] = [...NUMBERS, ...TEXTS, true, false, [], {}];

const LONGEST_LIST = 65;

/** What makes a few changes to a copy of one of the objects. */
export function mutator(pool: Pool, random: () => number) {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

  /** Each returns the words for what it did, or nothing where it can't be done at this place. */
  const changes: readonly ((place: Place, put: (value: unknown) => void) => string | undefined)[] = [
    ({ parent, key }) => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      return 'removed';
    },
    (place, put) => {
      // Mostly of the type that stands there: a wrong type is refused before any rule is looked at.
      const type = typeof valueAt(place);
      const alike = EDGES.filter((edge) => typeof edge === type);
      const edge = pick(alike.length > 0 && random() < 0.9 ? alike : EDGES);
      put(structuredClone(edge));
      return `set to ${JSON.stringify(edge)}`;
    },
    ({ shape }, put) => {
      const values = pool.values(shape);
      if (values.length === 0) return undefined;
      const other = pick(values);
      put(structuredClone(other));
      return `set to ${JSON.stringify(other)}`;
    },
    (place) => {
      const value = valueAt(place);
      const fields = pool.fields(place.shape);
      if (!isContainer(value) || Array.isArray(value) || fields.length === 0) return undefined;
      const [field, values] = pick(fields);
      const other = pick(values);
      value[field] = structuredClone(other);
      return `given ${field} ${JSON.stringify(other)}`;
    },
    (place) => {
      const value = valueAt(place);
      if (!Array.isArray(value) || value.length === 0) return undefined;
      const length = pick([value.length + 1, 5, 9, 17, LONGEST_LIST]);
      while (value.length < length) value.push(structuredClone(value[0]));
      return `repeated to ${length} entries`;
    },
    (place) => {
      const value = valueAt(place);
      if (!isContainer(value) || Array.isArray(value)) return undefined;
      value.unheardOf = 1;
      return 'given an unknown field';
    },
  ];

  const change = (object: RawObject): string | undefined => {
    const place = pick(places(object.spec, String(object.kind)));
    if (!place) return undefined;
    const put = (value: unknown) => {
      (place.parent as Record<string | number, unknown>)[place.key] = value;
    };
    const words = pick(changes)(place, put);
    return words && `${place.shape} ${words}`;
  };

  return (): { object: RawObject; changes: readonly string[] } => {
    const object = structuredClone(pick(pool.objects));
    const made: string[] = [];
    const wanted = pick([1, 1, 2, 3, 4]);
    for (let tries = 0; made.length < wanted && tries < 100; tries++) {
      const words = change(object);
      if (words) made.push(words);
    }
    return { object, changes: made };
  };
}

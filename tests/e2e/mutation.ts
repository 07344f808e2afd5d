/** Objects that differ from given ones in a few fields: what an author might get wrong, and what is just right. */
import type { RawObject } from '../../gateway-runtime/api/object.ts';

/** Numbers from 0 to 1, always the same ones for a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Container = Record<string, unknown> | unknown[];

interface Place {
  readonly parent: Container;
  readonly key: string | number;
  /** Path without indices: places of one shape hold values of one kind. */
  readonly shape: string;
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

function places(value: unknown, shape: string, found: Place[] = []): Place[] {
  if (Array.isArray(value)) {
    value.forEach((entry, key) => {
      found.push({ parent: value, key, shape: `${shape}[]` });
      places(entry, `${shape}[]`, found);
    });
  } else if (isContainer(value)) {
    for (const [key, entry] of Object.entries(value)) {
      found.push({ parent: value, key, shape: `${shape}.${key}` });
      places(entry, `${shape}.${key}`, found);
    }
  }
  return found;
}

const valueAt = ({ parent, key }: Place): unknown => (parent as Record<string | number, unknown>)[key];

/** Values at the edges of what fields allow. */
const EDGES: readonly unknown[] = [
  ...[-1, 0, 1, 99, 100, 399, 599, 600, 65_535, 65_536, 1_000_000, 1_000_001, 1.5],
  ...[
    '',
    ' ',
    '*',
    '*.example.com',
    'example.com.',
    'a.*.com',
    'UPPER',
    'under_score',
    '10.0.0.1',
    '-a',
    'a b',
    '/',
    '//',
  ],
  ...[
    '/a/../b',
    '/a%2fb',
    '/a?b',
    'a'.repeat(63),
    'a'.repeat(64),
    'a'.repeat(253),
    'a'.repeat(254),
    '10s',
    '1h1m',
    '0s',
  ],
  ...['-1s', '1d', 'HTTP', 'HTTPS', 'TLS', 'example.com/x', true, false, [], {}],
];

const LONGEST_LIST = 65;

/** Values to put into fields: those of given objects, and any others. */
export class Pool {
  readonly #objects: readonly RawObject[];
  /** Shape of a parent, name of a field, its values. */
  readonly #fields = new Map<string, Map<string, unknown[]>>();

  constructor(objects: readonly RawObject[]) {
    this.#objects = objects;
    for (const object of objects) {
      for (const place of places(object.spec, String(object.kind))) {
        const { key, shape } = place;
        if (typeof key === 'string') this.add(parentOf(shape), key, valueAt(place));
      }
    }
  }

  get objects(): readonly RawObject[] {
    return this.#objects;
  }

  add(parent: string, field: string, value: unknown): void {
    const fields = this.#fields.get(parent) ?? new Map<string, unknown[]>();
    this.#fields.set(parent, fields);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }

  /** Names and values of the fields that an object of this shape can have. */
  fields(shape: string): readonly (readonly [string, readonly unknown[]])[] {
    return [...(this.#fields.get(shape) ?? [])];
  }

  /** What has stood at a place of this shape. */
  values(shape: string): readonly unknown[] {
    if (shape.endsWith('[]')) return this.values(shape.slice(0, -2)).flat();
    return this.#fields.get(parentOf(shape))?.get(shape.slice(shape.lastIndexOf('.') + 1)) ?? [];
  }
}

const parentOf = (shape: string) => shape.slice(0, shape.lastIndexOf('.'));

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

/** The places in an object where a value stands, and the values that may stand there. */
import type { RawObject } from '../../gateway-runtime/api/object.ts';

type Container = Record<string, unknown> | unknown[];

export interface Place {
  readonly parent: Container;
  readonly key: string | number;
  /** Path without indices: places of one shape hold values of one kind. */
  readonly shape: string;
}

export const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null;

export function places(value: unknown, shape: string, found: Place[] = []): Place[] {
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

export const valueAt = ({ parent, key }: Place): unknown => (parent as Record<string | number, unknown>)[key];

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

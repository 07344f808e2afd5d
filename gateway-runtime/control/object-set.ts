/**
 * All objects of all sources, one per name. A source is known in parts (a file, an app); when a part is read again the set
 * says what changed. What was refused or could not be read keeps its last good form, as it would in a cluster.
 */
import { type ObjectRef, refKey } from '../api/object.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import type { Origin } from '../snapshot/diagnostic.ts';
import type { Change } from '../translate/translation.ts';
import type { SourcedObject, SourceProblem } from './source.ts';

/** A part as it was just read. */
export interface ReadPart {
  readonly objects: readonly SourcedObject[];
  readonly problems: readonly SourceProblem[];
  /** It could not be read as a whole. */
  readonly broken: boolean;
  /** It is blank, as files are for a moment while an editor writes them: what is wrong if it had objects, which then stay. */
  readonly emptied?: SourceProblem;
}

export class ObjectSet {
  /** Part to its objects by key. */
  readonly #parts = new Map<string, Map<string, SourcedObject>>();
  /** Key to the parts that define it: nearly always one. */
  readonly #definers = new Map<string, string[]>();
  /** What `take` last gave out. */
  readonly #given = new Map<string, SourcedObject>();
  readonly #touched = new Set<string>();

  /** Takes a part as it was read. Returns what is wrong with it as part of this set: names that stand twice in it, objects that a blank file had. */
  put(part: string, read: ReadPart): SourceProblem[] {
    const before = this.#parts.get(part) ?? new Map<string, SourcedObject>();
    const after = new Map<string, SourcedObject>();
    if (read.emptied && before.size > 0) return [read.emptied];
    const twice: SourceProblem[] = [];
    for (const object of read.objects) {
      const key = refKey(object.ref);
      const first = after.get(key);
      if (first) twice.push(definedTwice(object, first));
      else after.set(key, object);
    }
    const refused = new Set(
      read.problems.flatMap(({ object, severity }) =>
        object && severity === 'error' ? [refKey(object)] : [],
      ),
    );
    for (const [key, object] of before) {
      if (!after.has(key) && (read.broken || refused.has(key))) after.set(key, object);
    }
    this.#replace(part, before, after);
    for (const [key, object] of after) {
      const other = this.#winner(key)!;
      if (other !== object) twice.push(definedTwice(object, other));
    }
    return twice;
  }

  remove(part: string): void {
    this.#replace(part, this.#parts.get(part) ?? new Map(), undefined);
  }

  /** What changed since the last call, for the translator. */
  take(): Change[] {
    const changes: Change[] = [];
    for (const key of this.#touched) {
      const before = this.#given.get(key);
      const after = this.#winner(key);
      if (!after) {
        if (before) changes.push({ remove: before.ref });
        this.#given.delete(key);
        continue;
      }
      this.#given.set(key, after);
      if (before?.raw === after.raw || (before && canonicalJson(before.raw) === canonicalJson(after.raw)))
        continue;
      changes.push({ set: after.raw });
    }
    this.#touched.clear();
    return changes;
  }

  origin(ref: ObjectRef): Origin | undefined {
    return this.#winner(refKey(ref))?.origin;
  }

  has(ref: { kind: string; namespace: string; name: string }): boolean {
    return this.#definers.has(refKey(ref));
  }

  /** Every object once, by part and then as written. */
  *objects(): Iterable<SourcedObject> {
    for (const part of [...this.#parts.keys()].sort()) {
      for (const [key, object] of this.#parts.get(part)!) {
        if (this.#definers.get(key)![0] === part) yield object;
      }
    }
  }

  #replace(
    part: string,
    before: ReadonlyMap<string, SourcedObject>,
    after: Map<string, SourcedObject> | undefined,
  ): void {
    for (const key of before.keys()) {
      this.#touched.add(key);
      if (after?.has(key)) continue;
      const others = this.#definers.get(key)!.filter((each) => each !== part);
      if (others.length > 0) this.#definers.set(key, others);
      else this.#definers.delete(key);
    }
    for (const key of after?.keys() ?? []) {
      this.#touched.add(key);
      const definers = this.#definers.get(key) ?? [];
      if (!definers.includes(part)) this.#definers.set(key, [...definers, part].sort());
    }
    if (after) this.#parts.set(part, after);
    else this.#parts.delete(part);
  }

  /** Where several parts define a name, the first part in code unit order has it, whatever was read first. */
  #winner(key: string): SourcedObject | undefined {
    const part = this.#definers.get(key)?.[0];
    return part === undefined ? undefined : this.#parts.get(part)!.get(key);
  }
}

function definedTwice(object: SourcedObject, first: SourcedObject): SourceProblem {
  return {
    severity: 'error',
    file: object.origin,
    object: object.ref,
    message: `defined already in ${first.origin}, which is used`,
    fix: 'remove or rename one of the two',
  };
}

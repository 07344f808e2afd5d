/** Two states of objects compared: the regions of requests that go another way, with where their objects stand and who changed them. */
import { parse } from '../api/kinds.ts';
import { type ObjectRef, refKey } from '../api/object.ts';
import type { SourcedObject } from '../control/source.ts';
import { diff, type EditedRoutes } from '../diff/diff.ts';
import type { Region } from '../diff/region.ts';
import { type ReportedRegion, reported } from '../diff/report.ts';
import { re2 } from '../regex/re2.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import type { Origin } from '../snapshot/diagnostic.ts';
import type { Translation } from '../translate/translation.ts';

/** One side of a comparison: files, a git revision of them, an app or a cluster. */
export interface State {
  readonly snapshots: Translation['snapshots'];
  /** Objects as they were read, by key. */
  readonly objects: ReadonlyMap<string, SourcedObject>;
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}

export interface ComparedRegion {
  readonly region: Region;
  readonly reported: ReportedRegion;
}

/** The worst first. */
export function compared(before: State, after: State): ComparedRegion[] {
  const edited: EditedRoutes = ({ kind, namespace, name }) =>
    isEdited(before, after, refKey({ kind, namespace, name }));
  const around = { before: before.originOf, after: after.originOf };
  return diff(before.snapshots, after.snapshots, { regex: re2, edited }).map((region) => ({
    region,
    reported: reported(region, around),
  }));
}

export const byKey = (objects: readonly SourcedObject[]): ReadonlyMap<string, SourcedObject> =>
  new Map(objects.map((each) => [refKey(each.ref), each]));

/** The times that the objects of a side say. */
export function creationTimes({ objects }: Pick<State, 'objects'>): ReadonlyMap<string, string> {
  const times = new Map<string, string>();
  for (const [key, { raw }] of objects) {
    const { creationTimestamp } = raw.metadata as { creationTimestamp?: unknown };
    if (typeof creationTimestamp === 'string') times.set(key, creationTimestamp);
  }
  return times;
}

/** Whether the two sides have the object in different forms, as far as their authors write it. */
function isEdited(before: State, after: State, key: string): boolean {
  return written(before.objects.get(key)) !== written(after.objects.get(key));
}

/** With the defaults filled in, as an API server does. */
function written(object: SourcedObject | undefined): string | undefined {
  if (!object) return undefined;
  const parsed = parse(object.raw);
  const { spec } = (parsed.outcome === 'known' ? parsed.object : object.raw) as { spec?: unknown };
  const { labels } = object.raw.metadata as { labels?: unknown };
  return canonicalJson([spec, labels]);
}

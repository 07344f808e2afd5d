/** What a cluster has once this stack is deployed: the app over what is there, without what the stack takes away. */
import { refOf } from '../../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import type { SourcedObject } from '../../gateway-runtime/control/source.ts';
import type { LastDeployed } from './last-deployed.ts';

type Own = LastDeployed['own'];

interface Metadata {
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
const MERGED = ['labels', 'annotations'] as const;

/** @param own what the stack deployed before; of what it does not name, the cluster keeps everything */
export function applied(
  before: readonly SourcedObject[],
  app: readonly SourcedObject[],
  own: Own,
): SourcedObject[] {
  const live = new Map(before.map((each) => [refKey(each.ref), each]));
  const written = new Set(app.map(({ ref }) => refKey(ref)));
  const isGone = (key: string) => own.has(key) && !written.has(key);
  // With a Namespace goes all that is in it.
  const isKept = ({ ref }: SourcedObject) =>
    !isGone(refKey(ref)) && !(ref.namespace && isGone(`Namespace/${ref.namespace}`));
  return [
    ...app.map((each) => merged(each, live.get(refKey(each.ref)), own.get(refKey(each.ref)) ?? [])),
    ...before.filter((each) => !written.has(refKey(each.ref)) && isKept(each)),
  ];
}

/** Labels and annotations that others gave an object stay, as with server-side apply, and it is as old as it is. */
function merged(
  object: SourcedObject,
  live: SourcedObject | undefined,
  ownBefore: readonly string[],
): SourcedObject {
  if (!live) return object;
  const was = live.raw.metadata as Metadata;
  const is = object.raw.metadata as Metadata;
  const { creationTimestamp } = was;
  const metadata: Record<string, unknown> = { ...is, ...(creationTimestamp ? { creationTimestamp } : {}) };
  for (const field of MERGED) {
    const others = Object.entries(was[field] ?? {}).filter(
      ([name]) => !ownBefore.includes(`${field}/${name}`),
    );
    const all = { ...Object.fromEntries(others), ...is[field] };
    if (Object.keys(all).length > 0) metadata[field] = all;
  }
  return { ...object, raw: { ...object.raw, metadata } };
}

/** The objects of an app, and the labels and annotations that it gives them. */
export function ownOf(objects: readonly RawObject[]): Own {
  return new Map(
    objects.map((object) => {
      const metadata = object.metadata as Metadata;
      const names = MERGED.flatMap((field) =>
        Object.keys(metadata[field] ?? {}).map((name) => `${field}/${name}`),
      );
      return [refKey(refOf(object)), names];
    }),
  );
}

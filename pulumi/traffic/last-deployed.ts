/**
 * What a stack deployed last, as an output of it: which objects are its own, and what routing depends on, those of others too. It is
 * compressed, and a secret of the stack: no Secret is in it, but routes may name credentials, and a cluster's objects are nobody's news.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { getOrganization, getProject, getStack, runtime } from '@pulumi/pulumi';
import { refOf } from '../../gateway-runtime/api/kinds.ts';
import { OWN_GROUP } from '../../gateway-runtime/api/names.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';

/** The output of the stack that holds it. */
export const OUTPUT = 'deployedTraffic';

/** Grows with what is kept. */
const VERSION = 1;
/** Bytes of the output; beyond them the objects of others are left out. */
const LARGEST = 1024 * 1024;
/** Bytes that are unpacked. */
const LONGEST = 128 * 1024 * 1024;

export interface LastDeployed {
  readonly objects: readonly RawObject[];
  /** The stack's own, by key: the labels and annotations that it gave them, as `labels/...` and `annotations/...`. */
  readonly own: ReadonlyMap<string, readonly string[]>;
}

interface Form {
  readonly version: number;
  readonly own: readonly (readonly [key: string, labels: readonly string[]])[];
  readonly objects: readonly RawObject[];
}

export function packed({ objects, own }: LastDeployed): string {
  const kept = objects.map(withoutStatus);
  const all = pack({ version: VERSION, own: [...own], objects: kept });
  if (all.length <= LARGEST) return all;
  const isOwn = (each: RawObject) => own.has(refKey(refOf(each)));
  return pack({ version: VERSION, own: [...own], objects: kept.filter(isOwn) });
}

const pack = (form: Form) => gzipSync(JSON.stringify(form)).toString('base64');

/** Undefined for what this version does not know. */
export function unpacked(text: unknown): LastDeployed | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const json = gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: LONGEST }).toString('utf8');
    const { version, own, objects } = JSON.parse(json) as Form;
    return version === VERSION ? { own: new Map(own), objects } : undefined;
  } catch {
    return undefined;
  }
}

/** The record of the last deployment, or why there is none. */
export type Recorded = { readonly last: LastDeployed } | { readonly last?: never; readonly why: string };

/** By no StackReference, which is a resource: the state would have it all a second time. */
export async function lastDeployed(): Promise<Recorded> {
  let outputs: Readonly<Record<string, unknown>> | undefined;
  try {
    const name = `${getOrganization()}/${getProject()}/${getStack()}`;
    ({ outputs } = await runtime.invoke('pulumi:pulumi:readStackOutputs', { name }));
  } catch (error) {
    return { why: (error as Error).message };
  }
  const text = outputs?.[OUTPUT];
  if (text === undefined) return { why: `it has no output ${OUTPUT}` };
  const last = unpacked(text);
  return last ? { last } : { why: `its output ${OUTPUT} is none of this version` };
}

const OURS = `${OWN_GROUP}/`;

/** What routing reads of an object, and no more. */
function withoutStatus({ apiVersion, kind, metadata, spec, ...others }: RawObject): RawObject {
  const { name, namespace, labels, annotations, creationTimestamp, generation } = metadata as {
    readonly [field: string]: unknown;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  const ours = Object.entries(annotations ?? {}).filter(([each]) => each.startsWith(OURS));
  const { data } = others;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      labels,
      creationTimestamp,
      generation,
      ...(ours.length > 0 ? { annotations: Object.fromEntries(ours) } : {}),
    },
    spec,
    ...(kind === 'ConfigMap' ? { data } : {}),
  };
}

/** What the real API server says to an object, and what our field rules say to it. */
import { KINDS, type KindName, parse } from '../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import type { KubeApi } from './kube-api.ts';

export interface Verdict {
  readonly accepted: boolean;
  /** Why not. */
  readonly reason: string;
}

/** The API server keeps these itself, and takes them for a claim about an object that it has. */
const SERVER_FIELDS = ['creationTimestamp', 'generation', 'resourceVersion', 'uid', 'managedFields'];

/**
 * The object as it can be asked about: in a namespace that is there (rules of fields do not depend on it), without what
 * only the API server writes.
 */
function askable(object: RawObject, namespace: string): RawObject {
  const metadata = { ...(object.metadata as Record<string, unknown>) };
  for (const field of SERVER_FIELDS) delete metadata[field];
  const kind = Object.hasOwn(KINDS, String(object.kind)) ? KINDS[object.kind as KindName] : undefined;
  if (kind?.namespaced ?? 'namespace' in metadata) metadata.namespace = namespace;
  return { ...object, metadata };
}

/** An object that does not fit the schema's structure can't be applied at all; the API server answers that with 500. */
const MISFIT = /^failed to create typed patch object/;

/** Server-side apply as a dry run: schema, CEL and admission are checked, nothing is kept. */
export async function serverVerdict(api: KubeApi, object: RawObject, namespace: string): Promise<Verdict> {
  if (!(await api.knows(object))) return { accepted: false, reason: 'no such kind' };
  const { status, body } = await api.apply(askable(object, namespace), { dryRun: true });
  if (status < 300) return { accepted: true, reason: '' };
  const { message } = JSON.parse(body) as { message: string };
  if (status === 400 || status === 422 || MISFIT.test(message)) return { accepted: false, reason: message };
  throw new Error(`${object.kind}: the API server answered ${status} ${message}`);
}

/** Undefined where our rules say nothing of such a kind. */
export function ourVerdict(object: RawObject): Verdict | undefined {
  const parsed = parse(object);
  if (parsed.outcome === 'unknown') return undefined;
  if (parsed.outcome === 'known') return { accepted: true, reason: '' };
  const reasons = parsed.problems.map(
    ({ field, found, expected }) => `${field}: found ${found}, expected ${expected}`,
  );
  return { accepted: false, reason: reasons.join('; ') };
}

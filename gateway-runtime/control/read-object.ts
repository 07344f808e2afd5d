/** One object of a source: known and in order, passed over, or refused with what is wrong in each field. */
import { parse, refOf } from '../api/kinds.ts';
import type { RawObject } from '../api/object.ts';
import type { Origin } from '../snapshot/diagnostic.ts';
import { isNoKind, meantKind, skippedKind } from './skipped-kinds.ts';
import type { SourcedObject, SourceProblem } from './source.ts';

const MOST_PROBLEMS = 10;
const ROUTED_KINDS = 'Gateway, HTTPRoute or TLSRoute';

export interface ReadObject {
  readonly object?: SourcedObject;
  /** The kind, where it is one that serving has no use for. */
  readonly passedOver?: string;
  readonly problems?: readonly SourceProblem[];
}

/** `placeOf` says where a field stands in the source; '' asks for the object itself. */
export function readObject(
  raw: RawObject,
  origin: Origin,
  placeOf: (field: string) => Pick<SourceProblem, 'file' | 'document' | 'line'>,
): ReadObject {
  const parsed = parse(raw);
  const { ref } = parsed;
  if (parsed.outcome === 'known') return { object: { ref, raw, origin } };
  if (parsed.outcome === 'unknown') {
    const meant = meantKind(ref);
    if (meant !== undefined) {
      const message = `found ${ref.kind}, expected ${meant}`;
      // Under the name that was meant, so that its last good form stays.
      const object = refOf({ ...raw, kind: meant });
      const fix = `rename it to ${meant}`;
      return { problems: [{ severity: 'error', ...placeOf('kind'), object, field: 'kind', message, fix }] };
    }
    if (isNoKind(ref)) {
      const message = `found ${ref.kind}, expected a kind of Gateway API`;
      const fix = `write ${ROUTED_KINDS}, say, or correct the apiVersion`;
      return {
        problems: [{ severity: 'error', ...placeOf('kind'), object: ref, field: 'kind', message, fix }],
      };
    }
    const skipped = skippedKind(ref);
    if (skipped.silently) return { passedOver: ref.kind };
    const message = `${skipped.reason ?? parsed.reason}, so the object is skipped`;
    return { problems: [{ severity: 'warning', ...placeOf(''), object: ref, message }] };
  }
  const problems = parsed.problems.slice(0, MOST_PROBLEMS).map(
    ({ field, found, expected, fix }): SourceProblem => ({
      severity: 'error',
      ...placeOf(field),
      object: ref,
      field,
      message: `found ${found}, expected ${expected}`,
      ...(fix ? { fix } : {}),
    }),
  );
  return { problems };
}

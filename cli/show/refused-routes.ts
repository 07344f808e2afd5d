/** The routes among what was read that are not attached where they say, for the answer to a request. */
import { type ObjectRef, refKey } from '../../gateway-runtime/api/object.ts';
import { isRouteKind, type RouteObject } from '../../gateway-runtime/api/route-kinds.ts';
import type { SourcedObject, SourceProblem } from '../../gateway-runtime/control/source.ts';
import type { RefusedRoute } from '../../gateway-runtime/explain/explanation.ts';
import { REFUSED_AT_SYNTH, type RouteReport, refusedRoutes } from '../../gateway-runtime/explain/refused.ts';
import type { Diagnostic } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { Translation } from '../../gateway-runtime/translate/translation.ts';

export interface ReadRoutes {
  readonly objects: Iterable<SourcedObject>;
  /** What reading found: of objects that were refused for their fields, and of constructs. */
  readonly problems: readonly SourceProblem[];
  readonly translation: Pick<Translation, 'diagnostics' | 'statuses'>;
}

const isRoute = ({ kind }: ObjectRef) => isRouteKind(kind);

export function refusedAmong({ objects, problems, translation }: ReadRoutes, host: string): RefusedRoute[] {
  const diagnostics = Map.groupBy(translation.diagnostics, ({ object }) => refKey(object));
  const errors = problems.filter(({ severity }) => severity === 'error');
  const refused = new Set(errors.flatMap(({ object }) => (object ? [refKey(object)] : [])));
  const read = [...objects].filter(({ ref }) => isRoute(ref));
  const reports = read.map(({ ref, raw, origin }): RouteReport => {
    const ofConstruct = errors
      .filter(({ construct }) => construct !== undefined && origin.endsWith(` ${construct}`))
      .map((problem) => fromProblem(ref, REFUSED_AT_SYNTH, problem));
    const said = (diagnostics.get(refKey(ref)) ?? []).map((each) => withoutRefused(each, refused));
    return {
      ref,
      hostnames: (raw.spec as Partial<RouteObject['spec']>).hostnames ?? [],
      // What the checks of the app say is why the rest is so.
      diagnostics: ofConstruct.length > 0 ? ofConstruct : said,
      judged: translation.statuses.has(refKey(ref)),
      origin,
    };
  });
  const known = new Set(read.map(({ ref }) => refKey(ref)));
  const unread = Map.groupBy(
    errors.filter(({ object }) => object && isRoute(object) && !known.has(refKey(object))),
    ({ object }) => refKey(object!),
  );
  const invalid = [...unread.values()].map((found): RouteReport => {
    const [first, ...others] = found as [SourceProblem, ...SourceProblem[]];
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    const diagnostic = fromProblem(first.object!, 'object/invalid-field', first);
    return {
      ref: first.object!,
      hostnames: undefined,
      diagnostics: [{ ...diagnostic, message: `${first.message}${more}; its hosts are not known` }],
      judged: false,
      origin: placeOf(first),
    };
  });
  return refusedRoutes([...reports, ...invalid], host);
}

/** A parent that was refused for its fields is not among the objects, and there all the same. */
function withoutRefused(diagnostic: Diagnostic, refused: ReadonlySet<string>): Diagnostic {
  const parent = diagnostic.related?.[0];
  if (diagnostic.code !== 'route/parent-not-found' || !parent || !refused.has(refKey(parent)))
    return diagnostic;
  const { fix: _, ...rest } = diagnostic;
  return { ...rest, message: `it names ${refKey(parent)}, which was refused: the error above says why` };
}

function fromProblem(object: ObjectRef, code: string, { field, message, fix }: SourceProblem): Diagnostic {
  return { severity: 'error', code, object, ...(field ? { field } : {}), message, ...(fix ? { fix } : {}) };
}

const placeOf = ({ file, line, document }: SourceProblem) =>
  `${file}${line === undefined ? '' : `:${line}`}${document === undefined ? '' : ` document ${document}`}`;

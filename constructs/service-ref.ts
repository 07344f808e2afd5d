/** The one Service that a filter sends to. */
import { backendProblems, backendsOf } from './backend.ts';
import { found } from './props.ts';

/** As the API refers to it; the namespace is left out where it is that of the route, which the filter does not know yet. */
export interface ServiceRef {
  readonly name: string;
  readonly port: number;
  readonly namespace?: string | undefined;
  /** @internal That its owner lets routes of other namespaces in. */
  readonly lent?: boolean | undefined;
}

export function serviceRef(call: string, target: unknown): { ref?: ServiceRef; problems: string[] } {
  const [backend, ...more] = backendsOf(target) ?? [];
  if (!backend || more.length > 0)
    return { problems: [`${call} takes service() or a Service construct, this is ${found(target)}`] };
  const problems = backendProblems(backend);
  if (problems.length > 0) return { problems };
  const { name, port, namespace, lent, weight, filters } = backend;
  const extra = weight !== undefined ? 'weight' : filters !== undefined ? 'filters' : undefined;
  return {
    ref: { name, port, namespace, ...(lent && { lent }) },
    problems: extra
      ? [`${call} takes a service without ${extra}, which it has no use for: leave ${extra} out`]
      : [],
  };
}

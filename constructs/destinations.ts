/** Where rules of routes of every kind send: Services, and not those of another team without its consent. */
import { type Backend, backendProblems, backendsOf } from './backend.ts';
import { type Filter, filterProblems } from './filter.ts';
import { found } from './props.ts';
import type { RouteKind } from './route-kind.ts';
import type { ServiceRef } from './service-ref.ts';
import type { TeamRef } from './team.ts';

/** The Services among some destinations. */
export const servicesOf = (destinations: readonly unknown[] = []): Backend[] =>
  destinations.flatMap((each) => backendsOf(each) ?? []);

/** What is wrong with the Services themselves. */
export const serviceProblems = (backends: readonly Backend[]): string[] =>
  backends.flatMap((backend) => {
    const wrong = backendProblems(backend);
    const problems = wrong.length > 0 ? wrong : filterProblems(backend.filters ?? []);
    return problems.map((problem) => `service ${backend.name}: ${problem}`);
  });

/** What is among the destinations of a route that answers nothing itself, and is no Service. */
export const strangerProblems = (destinations: readonly unknown[]): string[] =>
  destinations
    .filter((each) => backendsOf(each) === undefined)
    .map((each) => `.to() takes service(), canary() or a Service construct, this is ${found(each)}`);

/** What a route of a team sends to Services of other namespaces without their owners' consent. */
export function foreignServices(
  backends: readonly Backend[],
  filters: readonly Pick<Filter, 'config'>[],
  team: TeamRef,
  kind: RouteKind,
): string[] {
  const targets = [...filters, ...backends.flatMap((each) => each.filters ?? [])].flatMap(targetOf);
  return [...backends, ...targets]
    .filter(({ namespace, lent }) => namespace !== undefined && namespace !== team.namespace && !lent)
    .map(
      ({ name, namespace }) =>
        `service ${name} is in namespace ${namespace}, which is not of team ${team.name}: take it from its owner, referenceGrant.service(name, port). ` +
        `Missing: a ReferenceGrant in namespace ${namespace}, from ${kind}s of namespace ${team.namespace} to Service ${name}`,
    );
}

/** The Service that a filter sends to. */
const targetOf = ({ config }: Pick<Filter, 'config'>): ServiceRef[] => {
  const { backendRef } = config as { backendRef?: ServiceRef };
  return backendRef ? [backendRef] : [];
};

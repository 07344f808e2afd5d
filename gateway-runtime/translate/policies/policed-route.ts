/** The rules of a route as policies make them at each of its listeners. */
import type { ObjectRef } from '../../api/object.ts';
import type { RouteObject } from '../../api/route-kinds.ts';
import type { GatewayId } from '../../snapshot/snapshot.ts';
import type { Attachment } from '../attachment.ts';
import type { ListenerHome } from '../listeners.ts';
import type { Name } from '../objects.ts';
import type { TranslatedRule } from '../rules.ts';
import { distinctOverridden } from './affected.ts';
import type { GatewayPolicies } from './gateway-policies.ts';
import type { Overridden, OwnLevel } from './levels.ts';
import { type PolicedRule, policedRule } from './policed-rule.ts';
import type { RoutePolicies } from './route-policies.ts';

export interface Policies {
  readonly gateways: GatewayPolicies;
  readonly routes: RoutePolicies;
}

export class PolicedRoute {
  readonly #gateways: GatewayPolicies;
  readonly #rules: readonly TranslatedRule[];
  /** By rule. */
  readonly #own: readonly (readonly OwnLevel[])[];
  readonly #hasOwn: boolean;
  /** By what is over a listener. */
  readonly #known = new Map<string, readonly PolicedRule[]>();

  constructor(
    { gateways, routes }: Policies,
    { kind, namespace, name }: ObjectRef,
    route: RouteObject,
    rules: readonly TranslatedRule[],
  ) {
    this.#gateways = gateways;
    this.#rules = rules;
    const policies = kind === 'HTTPRoute' ? routes.of({ kind, namespace, name }) : NO_POLICIES;
    this.#hasOwn = policies.size > 0;
    this.#own = route.spec.rules.map((rule, index) => [
      ...routes.levels(policies, rule.name),
      ...ownLevel(route, index),
    ]);
  }

  /** By index; undefined where no policy has a say. */
  at(gateway: GatewayId, { listener, name, protocol }: Attachment): readonly PolicedRule[] | undefined {
    const { key, list } = this.#gateways.over(gateway, homeOf(listener), name);
    if (list.length === 0 && !this.#hasOwn) return undefined;
    const over = `${protocol} ${key}`;
    const known = this.#known.get(over);
    if (known) return known;
    const policed = this.#rules.map((rule, index) => policedRule(rule, list, this.#own[index]!, protocol));
    this.#known.set(over, policed);
    return policed;
  }

  /** What is said and does not hold, at the places that were asked for so far. */
  get overridden(): readonly Overridden[] {
    if (this.#known.size === 0) return NOTHING;
    return distinctOverridden([...this.#known.values()].flat().flatMap(({ overridden }) => overridden));
  }
}

const NOTHING: readonly Overridden[] = [];
const NO_POLICIES: ReadonlyMap<string, Name> = new Map();

function homeOf(listener: string): { kind: ListenerHome; namespace: string; name: string } {
  const [, kind, namespace, name] = listener.split('/') as [string, ListenerHome, string, string];
  return { kind, namespace, name };
}

/** What a rule says itself, where a policy could say the same. */
function ownLevel({ kind, spec }: RouteObject, index: number): OwnLevel[] {
  if (kind === 'TLSRoute') return [];
  const rule = spec.rules[index]!;
  const filters = [
    ...(rule.filters ?? []),
    ...(rule.backendRefs ?? []).flatMap((each) => each.filters ?? []),
  ];
  const edits = filters.flatMap((filter) =>
    filter.type === 'ResponseHeaderModifier' && filter.responseHeaderModifier
      ? [filter.responseHeaderModifier]
      : [],
  );
  const requestTimeout = rule.timeouts?.request;
  if (requestTimeout === undefined && edits.length === 0) return [];
  return [
    {
      fieldOf: (name) => `spec.rules[${index}].${name === 'requestTimeout' ? 'timeouts.request' : 'filters'}`,
      ...(requestTimeout === undefined ? {} : { requestTimeout }),
      ...(edits.length > 0
        ? {
            responseHeaders: {
              set: edits.flatMap(({ set = [] }) => set),
              add: edits.flatMap(({ add = [] }) => add),
              remove: edits.flatMap(({ remove = [] }) => remove),
            },
          }
        : {}),
    },
  ];
}

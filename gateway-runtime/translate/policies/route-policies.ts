/** RoutePolicies: which of them are for a rule of a route. */
import { GATEWAY_GROUP, OWN_GROUP } from '../../api/names.ts';
import type { ObjectRef } from '../../api/object.ts';
import type { Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';
import type { OwnLevel } from './levels.ts';
import { PolicyTargets } from './targets.ts';

export const routePolicyRef = ({ namespace, name }: Name): ObjectRef => ({
  group: OWN_GROUP,
  kind: 'RoutePolicy',
  namespace,
  name,
});

const inSpec = (name: string) => `spec.${name}`;
const NONE: readonly OwnLevel[] = [];

export class RoutePolicies {
  readonly targets: PolicyTargets;
  readonly #objects: Objects;

  constructor(memo: Memo, objects: Objects) {
    this.#objects = objects;
    this.targets = new PolicyTargets('RoutePolicy', GATEWAY_GROUP, memo, objects);
  }

  /** Of a route, by name of the rule; that of the whole route has an empty name. */
  of(route: { kind: string; namespace: string; name: string }): ReadonlyMap<string, Name> {
    return this.targets.of(route);
  }

  /** For a rule, that of the whole route first. */
  levels(of: ReadonlyMap<string, Name>, ruleName: string | undefined): readonly OwnLevel[] {
    if (of.size === 0) return NONE;
    const names = [of.get(''), ruleName === undefined ? undefined : of.get(ruleName)];
    return names.flatMap((name) => {
      if (!name) return [];
      const { targetRefs: _, ...values } = this.#objects.get('RoutePolicy', name.namespace, name.name)!.spec;
      return [{ ...values, policy: routePolicyRef(name), fieldOf: inSpec }];
    });
  }
}

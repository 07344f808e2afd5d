/** The rules of a route as the snapshot of each Gateway has them. */

import type { RouteObject } from '../api/route-kinds.ts';
import { contentHash } from '../snapshot/canonical.ts';
import {
  type GatewayId,
  gatewayKey,
  type ListenerKey,
  type RouteRule,
  type RulePlace,
  type RuleSource,
} from '../snapshot/snapshot.ts';
import type { GrantedAttachment, LeftOutRules } from './granted-rules.ts';
import type { PolicedRoute } from './policies/policed-route.ts';
import type { PolicedBody, PolicedRule } from './policies/policed-rule.ts';
import type { TranslatedRule } from './rules.ts';

/** What one parentRef of the route leads to; the Gateway is absent where the parent is not ours. */
export interface PlacedParent {
  readonly gateway?: GatewayId;
  readonly attachments: readonly GrantedAttachment[];
}

/** Where the route is served: by Gateway, each listener once, whichever parentRefs led there. */
export function placesByGateway(
  judged: readonly PlacedParent[],
  policed: PolicedRoute,
): { readonly gateway: GatewayId; readonly places: readonly RoutePlace[] }[] {
  const byGateway = new Map<string, { gateway: GatewayId; places: Map<ListenerKey, RoutePlace> }>();
  for (const { gateway, attachments } of judged) {
    for (const attachment of attachments) {
      const { listener, programmed, hostnames, leftOut } = attachment;
      if (!gateway || !programmed) continue;
      const there = byGateway.get(gatewayKey(gateway)) ?? { gateway, places: new Map() };
      byGateway.set(gatewayKey(gateway), there);
      const made = policed.at(gateway, attachment);
      there.places.set(listener, {
        place: { listener, hostnames },
        ...(leftOut ? { leftOut } : {}),
        ...(made ? { policed: made } : {}),
      });
    }
  }
  return [...byGateway.values()].map(({ gateway, places }) => ({
    gateway,
    places: [...places.values()].sort((a, b) => (a.place.listener < b.place.listener ? -1 : 1)),
  }));
}

interface RoutePlace {
  readonly place: RulePlace;
  readonly leftOut?: LeftOutRules;
  /** The rules as policies make them there. */
  readonly policed?: readonly PolicedRule[];
}

/** A place of one rule, of those of its route; undefined where it is left out. */
function placeOf(rule: number, { place, leftOut }: RoutePlace): RulePlace | undefined {
  if (!leftOut) return place;
  const hostnames = place.hostnames.filter((each) => !leftOut.get(each)?.has(rule));
  return hostnames.length > 0 ? { listener: place.listener, hostnames } : undefined;
}

/** One for each rule that is left somewhere; several where policies make it another at some listeners. */
export function rulesAt(
  places: readonly RoutePlace[],
  rules: readonly TranslatedRule[],
  route: RouteObject,
  source: Omit<RuleSource, 'rule' | 'ruleName'>,
): RouteRule[] {
  if (!places.some(({ leftOut, policed }) => leftOut || policed)) {
    const all = places.map(({ place }) => place);
    const placeHash = contentHash({ source, places: all });
    return rules.map((rule, index) => ruleAt(rule, index, 0, route, source, all, placeHash));
  }
  return rules.flatMap((rule, index) => {
    const variants = new Map<string, { readonly made: MadeRule; readonly left: RulePlace[] }>();
    for (const each of places) {
      const place = placeOf(index, each);
      if (!place) continue;
      const made: MadeRule = each.policed?.[index] ?? rule;
      const variant = variants.get(made.bodyHash) ?? { made, left: [] };
      variants.set(made.bodyHash, variant);
      variant.left.push(place);
    }
    return [...variants.values()].map(({ made, left }, variant) => {
      const placeHash = contentHash({ source, places: left });
      return ruleAt({ ...made, type: rule.type }, index, variant, route, source, left, placeHash);
    });
  });
}

/** What is served of a rule: of the route itself, or as policies make it. */
interface MadeRule {
  readonly body: PolicedBody;
  readonly bodyHash: string;
}

function ruleAt(
  { type, body, bodyHash }: MadeRule & Pick<TranslatedRule, 'type'>,
  index: number,
  variant: number,
  route: RouteObject,
  source: Omit<RuleSource, 'rule' | 'ruleName'>,
  parents: readonly RulePlace[],
  placeHash: string,
): RouteRule {
  const ruleName = route.spec.rules[index]!.name;
  return {
    type,
    key: `${type}/${source.namespace}/${source.name}/${index}${variant > 0 ? `/${variant}` : ''}`,
    source: { ...source, rule: index, ...(ruleName ? { ruleName } : {}) },
    parents,
    ...body,
    // Of everything above; what the rules of a route share is hashed once.
    hash: contentHash([placeHash, index, variant, ruleName, bodyHash]),
  } as RouteRule;
}

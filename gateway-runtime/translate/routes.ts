/** A route as a whole: where it attaches, its rules for each Gateway, and its status. */
import { CONTROLLER_NAME, GATEWAY_GROUP, TEAM_LABEL } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RouteKind, RouteObject } from '../api/route-kinds.ts';
import type { RegexEngine } from '../match/regex.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { Diagnostic, ExampleRequest } from '../snapshot/diagnostic.ts';
import {
  type Backend,
  type CaBundle,
  type GatewayId,
  gatewayKey,
  type ListenerKey,
  type RouteRule,
  type RulePlace,
  type RuleSource,
} from '../snapshot/snapshot.ts';
import type { Attachment, ParentRef } from './attachment.ts';
import type { Backends } from './backends.ts';
import { RouteExamples } from './examples.ts';
import { Conditions, diagnose, type Finding, sentence } from './findings.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { type Place, type RoutePlaces, takenBy, targetOf } from './route-places.ts';
import { RuleVerdict } from './rule-verdict.ts';
import { type TranslatedRule, translateRule } from './rules.ts';
import type { Shares } from './shares.ts';
import { translateTlsRule } from './tls-rules.ts';
import type { RouteParentStatus } from './translation.ts';

export interface RouteView {
  /** One for each parentRef that is ours. */
  readonly parents: readonly RouteParentStatus[];
  readonly diagnostics: readonly Diagnostic[];
  /** Listeners that count it as attached. */
  readonly attached: readonly ListenerKey[];
  readonly gateways: readonly { readonly gateway: GatewayId; readonly rules: readonly RouteRule[] }[];
  /** What its rules send to, on each of these Gateways. */
  readonly backends: readonly Backend[];
  /** Whom it trusts to have signed their certificates. */
  readonly bundles: readonly CaBundle[];
}

type Route = RouteObject;

/** Of one kind, by namespace and name; undefined where there is no such route. */
export function routeViews(
  kind: RouteKind,
  memo: Memo,
  objects: Objects,
  places: Derived<RoutePlaces | undefined>,
  shares: Shares,
  backends: Backends,
  regex: RegexEngine,
): Derived<RouteView | undefined> {
  // Apart from where the route attaches, so that a changed listener has only that worked out anew.
  const rules = memo.derive((namespace, name) => {
    const route = objects.get(kind, namespace!, name!);
    if (!route) return [];
    if (route.kind === 'TLSRoute') {
      return route.spec.rules.map((rule, index) =>
        translateTlsRule(namespace!, rule, `spec.rules[${index}]`, backends),
      );
    }
    // Megabytes of expressions take seconds to check, in which nobody else is served.
    const checked = shares.isTooLarge(takenBy(route)) ? UNCHECKED : regex;
    return route.spec.rules.map((rule, index) =>
      translateRule(namespace!, rule, `spec.rules[${index}]`, backends, checked),
    );
  });
  return memo.derive((namespace, name) => {
    const route = objects.get(kind, namespace!, name!);
    if (!route) return undefined;
    const ref = { group: GATEWAY_GROUP, kind, namespace: namespace!, name: name! };
    const attached = places.get(namespace!, name!)!;
    return view(ref, route, rules.get(namespace!, name!), attached, objects, shares, backends);
  });
}

/** For routes that no Gateway takes: finds nothing wrong. */
const UNCHECKED: RegexEngine = { compile: () => ({ regex: { test: () => false } }) };

function view(
  ref: ObjectRef,
  route: Route,
  rules: readonly TranslatedRule[],
  { created, takes, places, missing }: RoutePlaces,
  objects: Objects,
  shares: Shares,
  backends: Backends,
): RouteView {
  const verdict = new RuleVerdict(
    rules,
    route.spec.rules.map((rule) => rule.name),
  );
  const judged = (route.spec.parentRefs ?? []).map((parentRef, index): Judged => {
    const field = `spec.parentRefs[${index}]`;
    const place = places[index];
    if (place) return judge(ref, route, parentRef, field, verdict, withinShare(place, ref, takes, shares));
    const finding = missing[index];
    return { attachments: [], errors: [], warnings: finding ? [{ ...finding, field }] : [] };
  });
  const generation = route.metadata.generation ?? 0;
  const source = { kind: route.kind, ...sourceOf(ref, route, created, objects), generation };
  const used = distinct(rules.flatMap(({ uses }) => uses));
  const attached = judged.flatMap(({ attachments }) => attachments.map(({ listener }) => listener));
  return {
    parents: judged.flatMap(({ status }) => (status ? [status] : [])),
    diagnostics: diagnosticsOf(ref, route, judged, rules, new RouteExamples(route, rules, places)),
    attached: verdict.refused ? [] : [...new Set(attached)],
    gateways: placesByGateway(judged).map(({ gateway, places }) => {
      const placeHash = contentHash({ source, places });
      return {
        gateway,
        rules: rules.map((rule, index) => ruleAt(rule, index, route, source, places, placeHash)),
      };
    }),
    backends: used,
    bundles: distinct(used.flatMap((each) => backends.bundlesOf(each))),
  };
}

/** What one parentRef comes to. */
interface Judged {
  /** Absent where the parent is not ours. */
  readonly status?: RouteParentStatus;
  readonly gateway?: GatewayId;
  readonly attachments: readonly Attachment[];
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** The place as it is under the limits. */
function withinShare(place: Place, ref: ObjectRef, takes: RoutePlaces['takes'], shares: Shares): Place {
  const refusal = place.refusal ?? shares.refusal(place.gateway, ref, takes);
  return refusal ? { ...place, attachments: [], refusal } : place;
}

function judge(
  ref: ObjectRef,
  route: Route,
  parentRef: ParentRef,
  field: string,
  verdict: RuleVerdict,
  { gateway, attachments, refusal: found }: Place,
): Judged {
  const refusal = found && { ...found, field };
  const conditions = new Conditions(route.metadata.generation);
  if (refusal) conditions.add('Accepted', 'False', refusal.reason, sentence(refusal));
  else if (verdict.refused) {
    conditions.add('Accepted', 'False', verdict.refused.reason, verdict.refused.message);
  } else conditions.add('Accepted', 'True', 'Accepted', acceptedInWords(attachments));
  verdict.addTo(conditions, !refusal && !verdict.refused);

  const idle = !refusal && !attachments.some(({ programmed }) => programmed);
  return {
    status: { parentRef: shown(parentRef), controllerName: CONTROLLER_NAME, conditions: conditions.list },
    gateway,
    attachments,
    errors: refusal ? [refusal] : [],
    warnings: idle ? [attachedInVain(attachments, field, targetOf(parentRef, ref.namespace))] : [],
  };
}

function attachedInVain(attachments: readonly Attachment[], field: string, target: ObjectRef): Finding {
  return {
    reason: 'ListenerNotProgrammed',
    field,
    message: `attached to ${attachments.map(({ name }) => name).join(', ')}, which serves nothing now`,
    fix: 'see the conditions of the listener',
    related: [target],
  };
}

/** Errors first; each with a request that shows it. */
function diagnosticsOf(
  ref: ObjectRef,
  route: Route,
  judged: readonly Judged[],
  rules: readonly TranslatedRule[],
  examples: RouteExamples,
): Diagnostic[] {
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const error = (finding: Finding, example: ExampleRequest) =>
    errors.push(diagnose('route', ref, { ...finding, example }));
  const warn = (finding: Finding, example: ExampleRequest) =>
    warnings.push(diagnose('route', ref, { ...finding, example }, 'warning'));

  if (judged.length === 0) warn(NO_PARENT_REFS, examples.ofRule(0));
  for (const [index, each] of judged.entries()) {
    for (const finding of each.errors) error(finding, examples.ofParent(index));
    for (const finding of each.warnings) warn(finding, examples.ofParent(index));
  }
  for (const [index, each] of rules.entries()) {
    for (const finding of each.refusals) error(finding, examples.ofRule(index));
    for (const finding of each.unresolved) {
      // A filter can be refused because of its reference.
      if (!each.refusals.includes(finding)) error(finding, examples.ofRule(index));
    }
    for (const finding of each.warnings) warn(finding, examples.ofRule(index));
  }
  if (route.spec.useDefaultGateways === 'All') warn(DEFAULT_GATEWAYS, examples.ofRule(0));
  return [...errors, ...warnings];
}

const NO_PARENT_REFS: Finding = {
  reason: 'NoParentRefs',
  field: 'spec.parentRefs',
  message: 'found no parentRef, so the route attaches to nothing',
  fix: 'name the Gateway or ListenerSet that it attaches to',
};

const DEFAULT_GATEWAYS: Finding = {
  reason: 'UnsupportedField',
  field: 'spec.useDefaultGateways',
  message: 'default Gateways are not served, so the route attaches by its parentRefs alone',
  fix: 'name the Gateway in spec.parentRefs',
};

/** Where the route is served: by Gateway, each listener once, whichever parentRefs led there. */
function placesByGateway(
  judged: readonly Judged[],
): { readonly gateway: GatewayId; readonly places: readonly RulePlace[] }[] {
  const byGateway = new Map<string, { gateway: GatewayId; hostnames: Map<ListenerKey, readonly string[]> }>();
  for (const { gateway, attachments } of judged) {
    for (const { listener, programmed, hostnames } of attachments) {
      if (!gateway || !programmed) continue;
      const there = byGateway.get(gatewayKey(gateway)) ?? { gateway, hostnames: new Map() };
      byGateway.set(gatewayKey(gateway), there);
      there.hostnames.set(listener, hostnames);
    }
  }
  return [...byGateway.values()].map(({ gateway, hostnames }) => ({
    gateway,
    places: [...hostnames]
      .map(([listener, each]) => ({ listener, hostnames: each }))
      .sort((a, b) => (a.listener < b.listener ? -1 : 1)),
  }));
}

function ruleAt(
  { type, body, bodyHash }: TranslatedRule,
  index: number,
  route: Route,
  source: Omit<RuleSource, 'rule' | 'ruleName'>,
  parents: readonly RulePlace[],
  placeHash: string,
): RouteRule {
  const ruleName = route.spec.rules[index]!.name;
  return {
    type,
    key: `${type}/${source.namespace}/${source.name}/${index}`,
    source: { ...source, rule: index, ...(ruleName ? { ruleName } : {}) },
    parents,
    ...body,
    // Of everything above; what the rules of a route share is hashed once.
    hash: contentHash([placeHash, index, ruleName, bodyHash]),
  } as RouteRule;
}

function sourceOf(ref: ObjectRef, route: Route, created: number, objects: Objects) {
  const labels = route.metadata.labels ?? {};
  // The namespace is the platform's, the route its tenant's: a tenant must not pass for another team.
  const team =
    objects.namespaceLabel(ref.namespace, TEAM_LABEL) ??
    (Object.hasOwn(labels, TEAM_LABEL) ? labels[TEAM_LABEL] : undefined);
  return {
    namespace: ref.namespace,
    name: ref.name,
    created: created === Number.MAX_SAFE_INTEGER ? '' : new Date(created).toISOString(),
    ...(team ? { team } : {}),
  };
}

function distinct<R extends Backend | CaBundle>(resources: readonly R[]): R[] {
  return [...new Map(resources.map((resource) => [resource.key, resource])).values()];
}

const shown = ({ group, kind, namespace, name, sectionName, port }: ParentRef) => ({
  group,
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
  ...(sectionName === undefined ? {} : { sectionName }),
  ...(port === undefined ? {} : { port }),
});

function acceptedInWords(attachments: readonly Attachment[]): string {
  return `Attached to ${attachments
    .map(
      ({ name, hostnames }) =>
        `${name} for ${hostnames.map((each) => (each === '*' ? 'every hostname' : each)).join(', ')}`,
    )
    .join('; ')}.`;
}

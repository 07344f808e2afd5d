/** A route as a whole: where it attaches, its rules for each Gateway, and its status. */
import { CONTROLLER_NAME, GATEWAY_GROUP, TEAM_LABEL } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RouteKind, RouteObject } from '../api/route-kinds.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { Diagnostic, ExampleRequest } from '../snapshot/diagnostic.ts';
import type { Backend, CaBundle, GatewayId, ListenerKey, RouteRule } from '../snapshot/snapshot.ts';
import type { GivenParent, ParentRef } from './attachment.ts';
import type { Backends } from './backends.ts';
import { RouteExamples } from './examples.ts';
import { Conditions, diagnose, type Finding, sentence } from './findings.ts';

import {
  type GrantedAttachment,
  type GrantedRules,
  grantedRules,
  noRuleGranted,
  type RefusedMatch,
} from './granted-rules.ts';
import type { Grants } from './grants.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { addAffected, overriddenFinding } from './policies/affected.ts';
import type { Overridden } from './policies/levels.ts';
import { PolicedRoute, type Policies } from './policies/policed-route.ts';
import { type Place, type RoutePlaces, takenBy, targetOf } from './route-places.ts';
import { placesByGateway, rulesAt } from './route-rules.ts';
import { RuleVerdict } from './rule-verdict.ts';
import { type TranslatedRule, translateRule } from './rules.ts';
import type { Shares } from './shares.ts';
import { translateTlsRule } from './tls-rules.ts';
import type { RouteParentStatus } from './translation.ts';

export interface RouteView {
  /** One for each parent that is ours. */
  readonly parents: readonly RouteParentStatus[];
  readonly diagnostics: readonly Diagnostic[];
  /** Listeners that count it as attached. */
  readonly attached: readonly ListenerKey[];
  readonly gateways: readonly { readonly gateway: GatewayId; readonly rules: readonly RouteRule[] }[];
  /** What RoutePolicies say of it, and what does not hold. */
  readonly overridden: readonly Overridden[];
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
  grants: Grants,
  backends: Backends,
  policies: Policies,
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
    return view(
      ref,
      route,
      rules.get(namespace!, name!),
      attached,
      objects,
      shares,
      grants,
      backends,
      policies,
    );
  });
}

/** For routes that no Gateway takes: finds nothing wrong. */
const UNCHECKED: RegexEngine = { compile: () => ({ regex: { test: () => false } }) };

function view(
  ref: ObjectRef,
  route: Route,
  rules: readonly TranslatedRule[],
  attached: RoutePlaces,
  objects: Objects,
  shares: Shares,
  grants: Grants,
  backends: Backends,
  policies: Policies,
): RouteView {
  const { created, takes, parents, places, missing, withoutDefaults } = attached;
  const policed = new PolicedRoute(policies, ref, route, rules);
  const verdict = new RuleVerdict(
    rules,
    route.spec.rules.map((rule) => rule.name),
  );
  const judged = parents.map((parent, index): Judged => {
    const place = places[index];
    if (place) {
      const kept = withinShare(place, ref, takes, shares);
      return judge(ref, route, parent, verdict, kept, grantedAt(route, ref.namespace, kept, grants), policed);
    }
    const finding = missing[index];
    const warnings = finding ? [{ ...finding, field: parent.field }] : [];
    return { attachments: [], refused: NONE, errors: [], warnings };
  });
  const generation = route.metadata.generation ?? 0;
  const source = { kind: route.kind, ...sourceOf(ref, route, created, objects), generation };
  const used = distinct(rules.flatMap(({ uses }) => uses));
  const listeners = judged.flatMap(({ attachments }) => attachments.map(({ listener }) => listener));
  const gateways = placesByGateway(judged, policed).map(({ gateway, places }) => ({
    gateway,
    rules: rulesAt(places, rules, route, source),
  }));
  const { overridden } = policed;
  return {
    parents: judged.flatMap(({ status }) => (status ? [status] : [])),
    diagnostics: diagnosticsOf(
      ref,
      judged,
      rules,
      overridden,
      withoutDefaults,
      new RouteExamples(route, rules, attached),
    ),
    attached: verdict.refused ? [] : [...new Set(listeners)],
    gateways,
    overridden: overridden.filter(({ from }) => from.policy !== undefined),
    backends: used,
    bundles: distinct(used.flatMap((each) => backends.bundlesOf(each))),
  };
}

/** What one parent comes to. */
interface Judged {
  /** Absent where the parent is not ours. */
  readonly status?: RouteParentStatus;
  readonly gateway?: GatewayId;
  readonly attachments: readonly GrantedAttachment[];
  /** Matches that are not granted there. */
  readonly refused: readonly RefusedMatch[];
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
  { ref: parentRef, field, isByDefault }: GivenParent,
  verdict: RuleVerdict,
  { gateway, refusal: found, missing }: Place,
  { attachments, refused }: GrantedRules,
  policed: PolicedRoute,
): Judged {
  const refusal = found && { ...found, field };
  const conditions = new Conditions(route.metadata.generation);
  const isServed = attachments.length > 0 && !verdict.refused;
  if (refusal) conditions.add('Accepted', 'False', refusal.reason, sentence(refusal));
  else if (attachments.length === 0) {
    conditions.add('Accepted', 'False', 'NotAllowedByListeners', noRuleGranted(refused));
  } else if (verdict.refused) {
    conditions.add('Accepted', 'False', verdict.refused.reason, verdict.refused.message);
  } else conditions.add('Accepted', 'True', 'Accepted', acceptedInWords(attachments, isByDefault, missing));
  verdict.addTo(conditions, isServed, refused);
  addAffected(
    conditions,
    attachments.flatMap((each) => policed.at(gateway, each) ?? []),
  );

  const idle = attachments.length > 0 && !attachments.some(({ programmed }) => programmed);
  return {
    status: { parentRef: shown(parentRef), controllerName: CONTROLLER_NAME, conditions: conditions.list },
    gateway,
    attachments,
    refused,
    // Which default Gateways there are, and whom they take, is nothing that the route says.
    errors: refusal && !isByDefault ? [refusal] : [],
    warnings: [
      ...(refusal && isByDefault ? [refusal] : []),
      ...(idle ? [attachedInVain(attachments, field, targetOf(parentRef, ref.namespace))] : []),
      ...(missing ? [notForAll(missing, field)] : []),
    ],
  };
}

/** What the grants of its namespace leave of a route at a place. */
function grantedAt(
  route: Route,
  namespace: string,
  { gateway, attachments }: Place,
  grants: Grants,
): GrantedRules {
  if (!attachments.some((each) => each.grants)) return { attachments, refused: NONE };
  return grantedRules(route, attachments, grants.of(gateway, namespace));
}

const NONE: readonly RefusedMatch[] = [];

/** The route is served, but for some of its hostnames. */
const notForAll = (missing: string, field: string): Finding => ({
  reason: 'NotAllowedByListeners',
  field,
  message: `not every hostname of the route is served there. ${missing}`,
  fix: 'have the platform grant it, or remove the hostname',
});

function attachedInVain(
  attachments: readonly GrantedAttachment[],
  field: string,
  target: ObjectRef,
): Finding {
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
  judged: readonly Judged[],
  rules: readonly TranslatedRule[],
  overridden: readonly Overridden[],
  withoutDefaults: Finding | undefined,
  examples: RouteExamples,
): Diagnostic[] {
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const error = (finding: Finding, example: ExampleRequest) =>
    errors.push(diagnose('route', ref, { ...finding, example }));
  const warn = (finding: Finding, example: ExampleRequest) =>
    warnings.push(diagnose('route', ref, { ...finding, example }, 'warning'));

  if (withoutDefaults) warn(withoutDefaults, examples.ofRule(0));
  else if (judged.length === 0) warn(NO_PARENT_REFS, examples.ofRule(0));
  for (const [index, each] of judged.entries()) {
    for (const finding of each.errors) error(finding, examples.ofParent(index));
    for (const finding of each.warnings) warn(finding, examples.ofParent(index));
  }
  const notGranted = judged.flatMap(({ refused }) => refused);
  const said = new Set<string>();
  for (const { rule, finding } of notGranted) {
    // By several parentRefs it is the same match.
    if (said.has(`${finding.field} ${finding.message}`)) continue;
    said.add(`${finding.field} ${finding.message}`);
    error(finding, examples.ofRule(rule));
  }
  for (const [index, each] of rules.entries()) {
    for (const finding of each.refusals) error(finding, examples.ofRule(index));
    for (const finding of each.unresolved) {
      // A filter can be refused because of its reference.
      if (!each.refusals.includes(finding)) error(finding, examples.ofRule(index));
    }
    for (const finding of each.warnings) warn(finding, examples.ofRule(index));
  }
  for (const each of overridden) {
    if (!each.from.policy) error(overriddenFinding(each), examples.ofRule(ruleOf(each)));
  }
  return [...errors, ...warnings];
}

const ruleOf = ({ from }: Overridden) => Number(/\d+/.exec(from.field)?.[0] ?? 0);

const NO_PARENT_REFS: Finding = {
  reason: 'NoParentRefs',
  field: 'spec.parentRefs',
  message: 'found no parentRef, so the route attaches to nothing',
  fix: 'name the Gateway or ListenerSet that it attaches to',
};

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

function acceptedInWords(
  attachments: readonly GrantedAttachment[],
  isByDefault: boolean | undefined,
  missing: string | undefined,
): string {
  const rest = missing ? ` ${missing}.` : '';
  return `${isByDefault ? 'The Gateway is a default one. ' : ''}Attached to ${attachments
    .map(
      ({ name, hostnames }) =>
        `${name} for ${hostnames.map((each) => (each === '*' ? 'every hostname' : each)).join(', ')}`,
    )
    .join('; ')}.${rest}`;
}

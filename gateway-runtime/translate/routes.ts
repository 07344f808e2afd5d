/** An HTTPRoute as a whole: where it attaches, its rules for each Gateway, and its status. */
import type { KindObject } from '../api/kinds.ts';
import { CONTROLLER_NAME, GATEWAY_GROUP, TEAM_LABEL } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RegexEngine } from '../match/regex.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import {
  type Backend,
  type GatewayId,
  gatewayKey,
  type HttpRule,
  type ListenerKey,
  type RuleSource,
} from '../snapshot/snapshot.ts';
import { type Attachment, attach, type Parent, type ParentRef } from './attachment.ts';
import type { Backends } from './backends.ts';
import { Conditions, diagnose, type Finding, sentence } from './findings.ts';
import { creationTime } from './gateways.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { isRouteParent, missingRouteParent } from './parents.ts';
import { RuleVerdict } from './rule-verdict.ts';
import { type TranslatedRule, translateRule } from './rules.ts';
import type { RouteParentStatus } from './translation.ts';

export interface RouteView {
  /** One for each parentRef that is ours. */
  readonly parents: readonly RouteParentStatus[];
  readonly diagnostics: readonly Diagnostic[];
  /** Listeners that count it as attached. */
  readonly attached: readonly ListenerKey[];
  readonly gateways: readonly { readonly gateway: GatewayId; readonly rules: readonly HttpRule[] }[];
  /** What its rules send to, on each of these Gateways. */
  readonly backends: readonly Backend[];
}

type Route = KindObject<'HTTPRoute'>;

/** By namespace and name; undefined where there is no such route. */
export function routeViews(
  memo: Memo,
  objects: Objects,
  parents: Derived<Parent | undefined>,
  backends: Backends,
  regex: RegexEngine,
): Derived<RouteView | undefined> {
  // Apart from where the route attaches, so that a changed listener has only that worked out anew.
  const rules = memo.derive((namespace, name) => {
    const route = objects.get('HTTPRoute', namespace!, name!);
    return (route?.spec.rules ?? []).map((rule, index) =>
      translateRule(namespace!, rule, `spec.rules[${index}]`, backends, regex),
    );
  });
  return memo.derive((namespace, name) => {
    const route = objects.get('HTTPRoute', namespace!, name!);
    if (!route) return undefined;
    const ref = { group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: namespace!, name: name! };
    return view(ref, route, rules.get(namespace!, name!), objects, parents);
  });
}

function view(
  ref: ObjectRef,
  route: Route,
  rules: readonly TranslatedRule[],
  objects: Objects,
  parents: Derived<Parent | undefined>,
): RouteView {
  const generation = route.metadata.generation ?? 0;
  const identity = { kind: ref.kind, namespace: ref.namespace, hostnames: route.spec.hostnames ?? [] };
  const verdict = new RuleVerdict(
    rules,
    route.spec.rules.map((rule) => rule.name),
  );
  const statuses: RouteParentStatus[] = [];
  const diagnostics = new Map<Finding, Diagnostic>();
  const report = (finding: Finding, severity?: 'warning') =>
    diagnostics.set(finding, diagnose('route', ref, finding, severity));
  const attached = new Set<ListenerKey>();
  /** Hostnames by listener that serves them. */
  type Places = Map<ListenerKey, readonly string[]>;
  const byGateway = new Map<string, { gateway: GatewayId; attachments: Places }>();

  for (const [index, parentRef] of (route.spec.parentRefs ?? []).entries()) {
    const field = `spec.parentRefs[${index}]`;
    const target = refOf(parentRef, ref.namespace);
    const parent = isRouteParent(target)
      ? parents.get(target.kind, target.namespace, target.name)
      : undefined;
    if (!parent) {
      const finding = missingRouteParent(target, field, objects);
      if (finding) report(finding, 'warning');
      continue;
    }
    const attachments = attach(identity, parentRef, field, parent, objects);
    const isAttached = !('reason' in attachments);
    const conditions = new Conditions(generation);
    if (!isAttached) {
      report(attachments);
      conditions.add('Accepted', 'False', attachments.reason, sentence(attachments));
    } else if (verdict.refused) {
      conditions.add('Accepted', 'False', verdict.refused.reason, verdict.refused.message);
    } else {
      conditions.add('Accepted', 'True', 'Accepted', acceptedInWords(attachments));
    }
    verdict.addTo(conditions, isAttached && !verdict.refused);
    statuses.push({
      parentRef: shown(parentRef),
      controllerName: CONTROLLER_NAME,
      conditions: conditions.list,
    });
    if (!isAttached) continue;

    const key = gatewayKey(parent.gateway);
    const there = byGateway.get(key) ?? { gateway: parent.gateway, attachments: new Map() };
    byGateway.set(key, there);
    for (const attachment of attachments) {
      const listener = attachment.listener.key;
      if (attachment.listener.programmed) there.attachments.set(listener, attachment.hostnames);
      if (!verdict.refused) attached.add(listener);
    }
    if (!attachments.some(({ listener }) => listener.programmed)) {
      const names = attachments.map(({ listener }) => listener.name).join(', ');
      report(
        {
          reason: 'ListenerNotProgrammed',
          field,
          message: `attached to ${names}, which serves nothing now`,
          fix: 'see the conditions of the listener',
          related: [target],
        },
        'warning',
      );
    }
  }
  for (const finding of verdict.findings) report(finding);
  for (const { warnings } of rules) for (const finding of warnings) report(finding, 'warning');
  if (route.spec.useDefaultGateways === 'All') {
    report(
      {
        reason: 'UnsupportedField',
        field: 'spec.useDefaultGateways',
        message: 'default Gateways are not served, so the route attaches by its parentRefs alone',
        fix: 'name the Gateway in spec.parentRefs',
      },
      'warning',
    );
  }

  const source = { ...sourceOf(ref, route, objects), generation };
  return {
    parents: statuses,
    diagnostics: [...diagnostics.values()],
    attached: [...attached],
    gateways: [...byGateway.values()].flatMap(({ gateway, attachments }) => {
      if (attachments.size === 0) return [];
      const places = [...attachments]
        .map(([listener, hostnames]) => ({ listener, hostnames }))
        .sort((a, b) => (a.listener < b.listener ? -1 : 1));
      return [{ gateway, rules: rules.map((rule, index) => ruleAt(rule, index, route, source, places)) }];
    }),
    backends: distinct(rules.flatMap(({ uses }) => uses)),
  };
}

function ruleAt(
  { body, bodyHash }: TranslatedRule,
  index: number,
  route: Route,
  source: Omit<RuleSource, 'rule' | 'ruleName'>,
  parents: HttpRule['parents'],
): HttpRule {
  const ruleName = route.spec.rules[index]!.name;
  const place = {
    type: 'http-rule' as const,
    key: `http-rule/${source.namespace}/${source.name}/${index}`,
    source: { ...source, rule: index, ...(ruleName ? { ruleName } : {}) },
    parents,
  };
  return { ...place, ...body, hash: contentHash({ place, bodyHash }) };
}

function sourceOf(ref: ObjectRef, route: Route, objects: Objects) {
  const created = creationTime(route.metadata.creationTimestamp);
  const labels = route.metadata.labels ?? {};
  const team = Object.hasOwn(labels, TEAM_LABEL)
    ? labels[TEAM_LABEL]
    : objects.namespaceLabel(ref.namespace, TEAM_LABEL);
  return {
    kind: 'HTTPRoute' as const,
    namespace: ref.namespace,
    name: ref.name,
    created: created === Number.MAX_SAFE_INTEGER ? '' : new Date(created).toISOString(),
    ...(team ? { team } : {}),
  };
}

function distinct(backends: readonly Backend[]): Backend[] {
  return [...new Map(backends.map((backend) => [backend.key, backend])).values()];
}

const refOf = (ref: ParentRef, namespace: string): ObjectRef => ({
  group: ref.group,
  kind: ref.kind,
  namespace: ref.namespace ?? namespace,
  name: ref.name,
});

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
      ({ listener, hostnames }) =>
        `${listener.name} for ${hostnames.map((each) => (each === '*' ? 'every hostname' : each)).join(', ')}`,
    )
    .join('; ')}.`;
}

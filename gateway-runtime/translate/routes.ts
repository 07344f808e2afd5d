/** An HTTPRoute as a whole: where it attaches, its rules for each Gateway, and its status. */
import type { KindObject } from '../api/kinds.ts';
import { CONTROLLER_NAME, GATEWAY_GROUP, TEAM_LABEL } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RegexEngine } from '../match/regex.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { Backend, GatewayId, HttpRule, ListenerKey, RuleSource } from '../snapshot/snapshot.ts';
import { type Attachment, attach, type Parent, type ParentRef } from './attachment.ts';
import type { Backends } from './backends.ts';
import { Conditions, diagnose, type Finding, named, sentences } from './findings.ts';
import { creationTime } from './gateways.ts';
import type { ListenerHome } from './listeners.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { type TranslatedRule, translateRule } from './rules.ts';
import type { Condition, RouteParentStatus } from './translation.ts';

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
  return memo.derive((namespace, name) => {
    const route = objects.get('HTTPRoute', namespace!, name!);
    if (!route) return undefined;
    const rules = route.spec.rules.map((rule, index) =>
      translateRule(namespace!, rule, `spec.rules[${index}]`, backends, regex),
    );
    const ref = { group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: namespace!, name: name! };
    return view(ref, route, rules, objects, parents);
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
  const verdict = new RuleVerdict(rules, route);
  const statuses: RouteParentStatus[] = [];
  const diagnostics = new Map<Finding, Diagnostic>();
  const report = (finding: Finding, severity?: 'warning') =>
    diagnostics.set(finding, diagnose('route', ref, finding, severity));
  const attached = new Set<ListenerKey>();
  const byGateway = new Map<string, { gateway: GatewayId; attachments: Attachment[] }>();

  for (const [index, parentRef] of (route.spec.parentRefs ?? []).entries()) {
    const field = `spec.parentRefs[${index}]`;
    const parent = parentOf(parentRef, ref.namespace, parents);
    if (!parent) {
      const finding = whyNoParent(parentRef, field, ref.namespace, objects);
      if (finding) report(finding, 'warning');
      continue;
    }
    const attachments = attach(identity, parentRef, field, parent, objects);
    const refusal = 'reason' in attachments ? attachments : verdict.refusal;
    if (refusal) report(refusal);
    const conditions = new Conditions(generation);
    if (refusal) conditions.add('Accepted', 'False', refusal.reason, sentences([refusal]));
    else
      conditions.add('Accepted', 'True', 'Accepted', acceptedInWords(attachments as readonly Attachment[]));
    conditions.list.push(...verdict.conditions(generation, !refusal));
    statuses.push({
      parentRef: shown(parentRef),
      controllerName: CONTROLLER_NAME,
      conditions: conditions.list,
    });
    if ('reason' in attachments) continue;

    const key = `${parent.gateway.namespace}/${parent.gateway.name}`;
    const there = byGateway.get(key) ?? { gateway: parent.gateway, attachments: [] };
    byGateway.set(key, there);
    there.attachments.push(...attachments);
    if (!refusal) for (const { listener } of attachments) attached.add(listener.key);
    if (!attachments.some(({ listener }) => listener.programmed)) {
      report(
        {
          reason: 'ListenerNotProgrammed',
          field,
          message: `attached to ${attachments.map(({ listener }) => listener.name).join(', ')}, which serves nothing now`,
          fix: 'see the conditions of the listener',
          related: [refOf(parentRef, ref.namespace)],
        },
        'warning',
      );
    }
  }
  for (const finding of verdict.findings) report(finding);
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
      const served = attachments.filter(({ listener }) => listener.programmed);
      if (served.length === 0) return [];
      const places = served
        .map(({ listener, hostnames }) => ({ listener: listener.key, hostnames }))
        .sort((a, b) => (a.listener < b.listener ? -1 : 1));
      return [{ gateway, rules: rules.map((rule, index) => ruleAt(rule, index, route, source, places)) }];
    }),
    backends: distinct(rules.flatMap(({ uses }) => uses)),
  };
}

function ruleAt(
  { body }: TranslatedRule,
  index: number,
  route: Route,
  source: Omit<RuleSource, 'rule' | 'ruleName'>,
  parents: HttpRule['parents'],
): HttpRule {
  const ruleName = route.spec.rules[index]!.name;
  const rule = {
    type: 'http-rule' as const,
    key: `http-rule/${source.namespace}/${source.name}/${index}`,
    source: { ...source, rule: index, ...(ruleName ? { ruleName } : {}) },
    parents,
    ...body,
  };
  return { ...rule, hash: contentHash(rule) };
}

function sourceOf(ref: ObjectRef, route: Route, objects: Objects) {
  const created = creationTime(route.metadata.creationTimestamp);
  const labels = route.metadata.labels ?? {};
  const team = Object.hasOwn(labels, TEAM_LABEL)
    ? labels[TEAM_LABEL]
    : objects.namespaceLabels(ref.namespace).get(TEAM_LABEL);
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

/** What the rules as such, attachment aside, mean for the conditions of every parent. */
class RuleVerdict {
  /** Set where no rule is left that can be served. */
  readonly refusal: Finding | undefined;
  readonly findings: readonly Finding[];
  readonly #unresolved: readonly Finding[];
  readonly #partly: string | undefined;

  constructor(rules: readonly TranslatedRule[], route: Route) {
    const refused = rules.flatMap((rule, index) => (rule.refusals.length > 0 ? [{ rule, index }] : []));
    const refusals = refused.flatMap(({ rule }) => rule.refusals);
    this.#unresolved = rules.flatMap((rule) => rule.unresolved);
    this.findings = [...refusals, ...this.#unresolved];
    if (refused.length === 0) return;
    if (refused.length === rules.length) {
      this.refusal = {
        reason: refusals.every(({ reason }) => reason === 'IncompatibleFilters')
          ? 'IncompatibleFilters'
          : 'UnsupportedValue',
        message:
          `no rule of the route can be served, and requests that match get 500. ${sentences(refusals)}`.replace(
            /\.$/,
            '',
          ),
      };
      return;
    }
    const names = refused.map(({ index }) => {
      const { name } = route.spec.rules[index]!;
      return `spec.rules[${index}]${name ? ` (${name})` : ''}`;
    });
    // "The message for this condition MUST start with the prefix "Dropped Rule"" (PartiallyInvalid).
    this.#partly = `Dropped Rule ${names.join(', ')}: requests that match get 500. ${sentences(refusals)}`;
  }

  conditions(generation: number, accepted: boolean): Condition[] {
    const conditions = new Conditions(generation);
    const [first] = this.#unresolved;
    if (first) conditions.add('ResolvedRefs', 'False', first.reason, sentences(this.#unresolved));
    else conditions.add('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference of the route resolves.');
    // "This condition MUST NOT be set if a Route is fully valid, fully invalid, or not accepted".
    if (accepted && this.#partly)
      conditions.add('PartiallyInvalid', 'True', 'UnsupportedValue', this.#partly);
    return conditions.list;
  }
}

const HOMES: readonly string[] = ['Gateway', 'ListenerSet'] satisfies ListenerHome[];

function parentOf(
  ref: ParentRef,
  namespace: string,
  parents: Derived<Parent | undefined>,
): Parent | undefined {
  if (ref.group !== GATEWAY_GROUP || !HOMES.includes(ref.kind)) return undefined;
  return parents.get(ref.kind, ref.namespace ?? namespace, ref.name);
}

/** Undefined where the parent is there and another controller's: its business alone. */
function whyNoParent(
  ref: ParentRef,
  field: string,
  namespace: string,
  objects: Objects,
): Finding | undefined {
  const target = refOf(ref, namespace);
  const finding = (message: string, fix: string): Finding => ({
    reason: 'ParentNotFound',
    field,
    message,
    fix,
    related: [target],
  });
  if (ref.group !== GATEWAY_GROUP || !HOMES.includes(ref.kind)) {
    return finding(
      `found ${ref.kind} of group ${ref.group || '""'}, to which routes are not attached here`,
      `refer to a ${HOMES.join(' or ')}`,
    );
  }
  const home = ref.kind as ListenerHome;
  if (objects.get(home, target.namespace, target.name)) return undefined;
  return objects.isRefused(home, target.namespace, target.name)
    ? finding(`${named(target)} was refused for its fields`, `correct the ${home}`)
    : finding(`${named(target)} does not exist`, 'create it, or correct the name or namespace');
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

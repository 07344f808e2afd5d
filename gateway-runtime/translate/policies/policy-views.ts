/** What is said of each GatewayPolicy and RoutePolicy: for each of its targets, whether it is in force there, and with what of it (GEP-713, policy status). */
import { CONTROLLER_NAME } from '../../api/names.ts';
import type { ObjectRef } from '../../api/object.ts';
import type { Diagnostic } from '../../snapshot/diagnostic.ts';
import {
  Conditions,
  diagnose,
  type Finding,
  listed,
  named,
  oneOf,
  sentence,
  sentences,
} from '../findings.ts';
import type { GatewayView, ListenerSetView } from '../gateways.ts';
import type { Derived, Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';
import type { RouteView } from '../routes.ts';
import type { PolicyAncestorStatus, PolicyStatus } from '../translation.ts';
import { distinctOverridden, overriddenFinding } from './affected.ts';
import { type GatewayPolicies, gatewayPolicyRef } from './gateway-policies.ts';
import {
  httpsRedirect,
  ipAllow,
  type Level,
  lostOverrides,
  maxRequestBytes,
  minTlsVersion,
  type Overridden,
  requestTimeout,
} from './levels.ts';
import { type RoutePolicies, routePolicyRef } from './route-policies.ts';
import type { PolicyTargets, TargetRef } from './targets.ts';

export interface PolicyStatusView {
  readonly status: PolicyStatus;
  readonly diagnostics: readonly Diagnostic[];
}

/** How it is with a target. */
interface Judged {
  readonly lost?: Finding;
  readonly overridden?: readonly Overridden[];
  /** It holds for nothing there: then why. */
  readonly idle?: Finding;
  /** Nothing that it says holds. */
  readonly isOverridden?: boolean;
  /** What of it is not served. */
  readonly unsupported?: Finding;
}

/** GatewayPolicies by namespace and name; undefined where there is none. */
export function gatewayPolicyViews(
  memo: Memo,
  objects: Objects,
  policies: GatewayPolicies,
  gateways: Derived<GatewayView | undefined>,
  listenerSets: Derived<ListenerSetView | undefined>,
): Derived<PolicyStatusView | undefined> {
  const judge = (policy: Name, ref: TargetRef, field: string): Judged => {
    const target = { ...ref, kind: ref.kind as 'Gateway' | 'ListenerSet', namespace: policy.namespace };
    const object = objects.get(target.kind, target.namespace, target.name);
    const view =
      target.kind === 'Gateway'
        ? gateways.get(target.namespace, target.name)
        : listenerSets.get(target.namespace, target.name);
    if (!object || !view) return { lost: notThere(target, field, object !== undefined) };
    const { sectionName } = ref;
    const sections = object.spec.listeners.map(({ name }) => name);
    if (sectionName !== undefined && !sections.includes(sectionName)) {
      return { lost: noSuchPart(target, 'listener', sectionName, sections, field) };
    }
    const conflict = conflictOf(gatewayPolicyRef(policy), target, sectionName, field, policies.targets);
    if (conflict) return { lost: conflict };
    const gateway = 'id' in view ? view.id : view.gateway;
    const { list } = policies.over(gateway, target, sectionName ?? '');
    return overriddenOf(list, gatewayPolicyRef(policy), tlsListeners(view, sectionName));
  };
  return memo.derive((namespace, name) => {
    const policy = objects.get('GatewayPolicy', namespace!, name!);
    const id = { namespace: namespace!, name: name! };
    return policy && statusView(gatewayPolicyRef(id), policy, (ref, field) => judge(id, ref, field));
  });
}

/** RoutePolicies by namespace and name; undefined where there is none. */
export function routePolicyViews(
  memo: Memo,
  objects: Objects,
  policies: RoutePolicies,
  routes: Derived<RouteView | undefined>,
): Derived<PolicyStatusView | undefined> {
  const judge = (policy: Name, ref: TargetRef, field: string): Judged => {
    const target = { ...ref, namespace: policy.namespace };
    const route = objects.get('HTTPRoute', target.namespace, target.name);
    if (!route) return { lost: notThere(target, field, false) };
    const { sectionName } = ref;
    const names = route.spec.rules.flatMap((rule) => rule.name ?? []);
    if (sectionName !== undefined && !names.includes(sectionName)) {
      return { lost: noSuchPart(target, 'rule', sectionName, names, field) };
    }
    const own = routePolicyRef(policy);
    const conflict = conflictOf(own, target, sectionName, field, policies.targets);
    if (conflict) return { lost: conflict };
    const view = routes.get(target.namespace, target.name)!;
    if (view.gateways.length === 0) return { idle: notServed(target, field) };
    const overridden = view.overridden.filter(({ from }) => from.policy!.name === policy.name);
    const { targetRefs: _, ...said } = objects.get('RoutePolicy', policy.namespace, policy.name)!.spec;
    const isOverridden =
      view.gateways.length === 1 &&
      isAllLost(
        Object.keys(said).map((each) => `spec.${each}`),
        overridden,
      );
    return { overridden, isOverridden };
  };
  return memo.derive((namespace, name) => {
    const policy = objects.get('RoutePolicy', namespace!, name!);
    const id = { namespace: namespace!, name: name! };
    return policy && statusView(routePolicyRef(id), policy, (ref, field) => judge(id, ref, field));
  });
}

function statusView(
  ref: ObjectRef,
  { metadata, spec }: { metadata: { generation?: number }; spec: { targetRefs: readonly TargetRef[] } },
  judge: (target: TargetRef, field: string) => Judged,
): PolicyStatusView {
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  const overridden: Overridden[] = [];
  const ancestors = spec.targetRefs.map((target, index): PolicyAncestorStatus => {
    const judged = judge(target, `spec.targetRefs[${index}]`);
    const { lost, idle, unsupported } = judged;
    if (lost) (lost.reason === 'TargetNotFound' ? warnings : errors).push(lost);
    if (idle) warnings.push(idle);
    if (unsupported) errors.push(unsupported);
    overridden.push(...(judged.overridden ?? []));
    return {
      ancestorRef: { ...target, namespace: ref.namespace },
      controllerName: CONTROLLER_NAME,
      conditions: conditionsOf(judged, metadata.generation),
    };
  });
  errors.push(...distinctOverridden(overridden).map(overriddenFinding));
  return {
    status: { kind: ref.kind as 'GatewayPolicy' | 'RoutePolicy', ref, ancestors },
    diagnostics: [
      ...errors.map((finding) => diagnose('policy', ref, finding)),
      ...warnings.map((finding) => diagnose('policy', ref, finding, 'warning')),
    ],
  };
}

/** "Non-accepted policy objects are also not Programmed". */
function conditionsOf(
  { lost, idle, overridden = [], isOverridden, unsupported }: Judged,
  generation: number | undefined,
) {
  const conditions = new Conditions(generation);
  if (lost) return conditions.add('Accepted', 'False', lost.reason, sentence(lost)).list;
  conditions.add('Accepted', 'True', 'Accepted', 'No other policy has this target.');
  if (idle) return conditions.add('Programmed', 'False', idle.reason, sentence(idle)).list;
  const findings = [
    ...distinctOverridden(overridden).map(overriddenFinding),
    ...(unsupported ? [unsupported] : []),
  ];
  if (findings.length === 0) {
    conditions.add('Programmed', 'True', 'Programmed', 'All that it says is in force.');
  } else if (isOverridden) conditions.add('Programmed', 'False', 'Overridden', sentences(findings));
  else conditions.add('Programmed', 'True', 'PartiallyProgrammed', sentences(findings));
  return conditions.list;
}

/** `levels` down to that of the policy. */
function overriddenOf(levels: readonly Level[], policy: ObjectRef, tls: readonly string[]): Judged {
  const own = levels.at(-1)!;
  const held = [
    requestTimeout(levels, []),
    maxRequestBytes(levels, []),
    httpsRedirect(levels, []),
    ipAllow(levels, []),
    minTlsVersion(levels),
  ];
  const defaults = held.flatMap((each) => each?.overridden ?? []);
  const overridden = [
    ...lostOverrides(levels),
    ...defaults.filter(({ from }) => from.policy!.name === policy.name),
  ];
  const unsupported = own.overrides?.ipAllow || own.defaults?.ipAllow ? notOfTls(tls) : undefined;
  return {
    overridden,
    isOverridden: isAllLost(saidBy(own), overridden),
    ...(unsupported ? { unsupported } : {}),
  };
}

/** Fields that say one thing each. */
function saidBy({ overrides = {}, defaults = {} }: Level): string[] {
  const parts = Object.entries(defaults).flatMap(([name, value]) =>
    BOUNDED.has(name) ? Object.keys(value).map((part) => `${name}.${part}`) : [name],
  );
  return [
    ...Object.keys(overrides).map((name) => `spec.overrides.${name}`),
    ...parts.map((name) => `spec.defaults.${name}`),
  ];
}

const BOUNDED = new Set(['requestTimeout', 'maxRequestBytes']);

/** Of networks and headers some may hold where others do not. */
const isAllLost = (said: readonly string[], overridden: readonly Overridden[]): boolean =>
  said.every(
    (field) =>
      !/(ipAllow|responseHeaders)$/.test(field) && overridden.some(({ from }) => from.field === field),
  );

function notOfTls(listeners: readonly string[]): Finding | undefined {
  if (listeners.length === 0) return undefined;
  return {
    reason: 'UnsupportedValue',
    message: `ipAllow is not served for TLSRoutes, so all of their connections are closed at ${listed(listeners)}`,
    fix: 'have the TLS listeners on a Gateway of their own, or say ipAllow in a GatewayPolicy for each listener of HTTP and HTTPS, named in sectionName',
  };
}

function notThere(target: ObjectRef, field: string, isOther: boolean): Finding {
  return {
    reason: 'TargetNotFound',
    field: `${field}.name`,
    message: `${named(target)} ${isOther ? 'is served by another controller, or by none' : 'does not exist'}`,
    fix: 'create it in the namespace of the policy, or correct the name',
    related: [target],
  };
}

function noSuchPart(
  target: ObjectRef,
  part: string,
  name: string,
  there: readonly string[],
  field: string,
): Finding {
  return {
    reason: 'TargetNotFound',
    field: `${field}.sectionName`,
    message: `${named(target)} has no ${part} named ${name}; its ${part}s are named ${listed(there) || 'nothing'}`,
    fix: there.length > 0 ? `set sectionName to ${oneOf(there)}` : 'leave sectionName out',
    related: [target],
  };
}

function conflictOf(
  policy: ObjectRef,
  target: ObjectRef,
  section: string | undefined,
  field: string,
  targets: PolicyTargets,
): Finding | undefined {
  const what = section === undefined ? named(target) : `${section} of ${named(target)}`;
  return targets.conflict(policy, target, section, what, field);
}

const notServed = (route: ObjectRef, field: string): Finding => ({
  reason: 'NotAttached',
  field,
  message: `no Gateway serves ${named(route)}`,
  fix: 'see the status of the route',
  related: [route],
});

/** Listeners to which TLSRoutes attach, of a target and of what is below it. */
function tlsListeners(view: GatewayView | ListenerSetView, sectionName: string | undefined): string[] {
  const own = view.listeners.filter(({ name }) => sectionName === undefined || name === sectionName);
  const below =
    'listenerSets' in view && sectionName === undefined
      ? [...view.listenerSets.values()].flatMap(({ listeners }) => listeners)
      : [];
  return [...own, ...below].flatMap(({ protocol, home, name }) =>
    protocol === 'TLS' ? [`${name} of ${named(home)}`] : [],
  );
}

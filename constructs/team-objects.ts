/**
 * What stands in the chart of a team must be the team's, whoever made it: a construct of this package, an object by hand, an included file.
 * Constructs say more of themselves, and earlier.
 */
import type { IConstruct } from 'constructs';
import { refOf } from '../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP, OWN_GROUP } from '../gateway-runtime/api/names.ts';
import { groupOf, type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import type { ApiPath } from '../gateway-runtime/grants/paths.ts';
import type { AppObject } from './app-objects.ts';
import {
  type Attachment,
  foreignProblem,
  hostnameProblem,
  kindProblem,
  type ListenerPlace,
} from './attachment.ts';
import type { Finding } from './findings.ts';
import { importedGrants } from './import-grant.ts';
import { ownListenerProblems, type WrittenListener } from './own-listeners.ts';
import { pathProblem } from './path-limits.ts';
import { hostnamesText, missingGrant } from './role.ts';
import { isPortKind } from './route-kind.ts';
import { ATTACHMENTS, type SynthHooks } from './synth-hooks.ts';
import type { TeamRef } from './team.ts';

/** Kinds that only the platform makes, by API group; `*` is all of the group. */
const OF_THE_PLATFORM = new Map([
  [GATEWAY_GROUP, ['GatewayClass', 'Gateway', 'ListenerSet']],
  [OWN_GROUP, ['Grant', 'GatewayParameters', 'GatewayPolicy']],
  ['', ['Namespace', 'Node', 'PersistentVolume']],
  ['rbac.authorization.k8s.io', ['ClusterRole', 'ClusterRoleBinding']],
  ['apiextensions.k8s.io', ['*']],
  ['admissionregistration.k8s.io', ['*']],
  ['apiregistration.k8s.io', ['*']],
]);

const ROUTES = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'];

/** What is wrong with the objects of teams. */
export function teamFindings(root: IConstruct, appObjects: readonly AppObject[]): Finding[] {
  const ofTeams = appObjects.filter(({ team }) => team !== undefined);
  if (ofTeams.length === 0) return [];
  const places = new Places(root, ofTeams);
  return ofTeams.flatMap(({ object, path, team }) =>
    problemsOf(object, team!, places).map((message) => ({ severity: 'error' as const, path, message })),
  );
}

/** What can be attached to, by the object that has the listeners. */
class Places {
  readonly #attachments = new Map<string, Set<Attachment>>();
  readonly #bringing: Attachment[] = [];
  /** The grants for which a team made an object. */
  readonly #own = new Map<string, readonly Attachment[]>();

  constructor(root: IConstruct, ofTeams: readonly AppObject[]) {
    for (const each of importedGrants().keys()) this.#add(each);
    for (const construct of root.node.findAll()) {
      for (const each of (construct as SynthHooks)[ATTACHMENTS]?.() ?? []) this.#add(each);
    }
    for (const { object, team } of ofTeams) {
      if (isListenerSet(object)) this.#own.set(refKey(refOf(object)), this.bringing(object, team!));
    }
  }

  /** The grants by which a team may have a ListenerSet at the gateway that it names. */
  bringing(listenerSet: RawObject, team: TeamRef): readonly Attachment[] {
    const gateway = gatewayOf(listenerSet, team);
    return this.#bringing.filter(
      (each) =>
        each.gatewayName === gateway &&
        each.team?.name === team.name &&
        each.team.namespace === team.namespace,
    );
  }

  #add(attachment: Attachment): void {
    if (attachment.ownListeners.length > 0) this.#bringing.push(attachment);
    for (const place of attachment.places()) {
      const key = keyOf(place);
      this.#attachments.set(key, (this.#attachments.get(key) ?? new Set()).add(attachment));
    }
  }

  /** The gateway that such an object is or belongs to, as far as the app knows. */
  gatewayOf(key: string): string {
    const [known] = this.#attachments.get(key) ?? [];
    return known?.gatewayName ?? key.replace(/^Gateway\//, '');
  }

  /** The attachments of an object of which a reference means listeners. */
  meant(key: string, sectionName: string | undefined): Attachment[] {
    const own = this.#own.get(key);
    if (own && own.length > 0) return [...own];
    return [...(this.#attachments.get(key) ?? [])].filter((each) =>
      sectionName === undefined
        ? each.wholeObject && each.places().some((place) => keyOf(place) === key && !place.isShared)
        : each.places().some((place) => place.sectionName === sectionName),
    );
  }
}

const keyOf = ({ kind, namespace, name }: ListenerPlace) => `${kind}/${namespace}/${name}`;

function problemsOf(object: RawObject, team: TeamRef, places: Places): string[] {
  const ref = refOf(object);
  const group = groupOf(String(object.apiVersion));
  const { metadata } = object as { metadata?: { namespace?: unknown; name?: unknown } };
  const kinds = OF_THE_PLATFORM.get(group) ?? [];
  const grants = isListenerSet(object) ? places.bringing(object, team) : [];
  if (grants.length === 0 && (kinds.includes('*') || kinds.includes(ref.kind))) {
    // A chart writes its namespace into objects that are in none as well.
    const name = group === GATEWAY_GROUP || group === OWN_GROUP ? refKey(ref) : `${ref.kind}/${ref.name}`;
    return [
      `${name}: a ${ref.kind} is made by the platform, and this chart belongs to team ${team.name}. ` +
        `${missingFor(object, ref.kind, team)}. Fix: have the platform make it, in a chart of its own.`,
    ];
  }
  const named = refKey({ ...ref, namespace: textOf(metadata?.namespace) ?? '' });
  const namespace = textOf(metadata?.namespace) ?? team.namespace;
  if (namespace !== team.namespace) {
    return [
      `${named} metadata.namespace: found ${namespace}, expected ${team.namespace}: this chart belongs to team ${team.name} in namespace ${team.namespace}. ` +
        `Missing: the right to write into namespace ${namespace}, which no grant gives. Fix: leave the namespace out.`,
    ];
  }
  if (grants.length > 0) {
    const { spec } = object as { spec?: { listeners?: unknown } };
    return listOf<WrittenListener>(spec?.listeners).flatMap((listener, index) =>
      ownListenerProblems(listener, grants, team).map(
        (problem) => `${named} spec.listeners[${index}].${problem}.`,
      ),
    );
  }
  if (group !== GATEWAY_GROUP || !ROUTES.includes(ref.kind)) return [];
  return routeProblems(object, ref.kind, team, places).map((problem) => `${named} ${problem}.`);
}

const isListenerSet = (object: RawObject) =>
  object.kind === 'ListenerSet' && groupOf(String(object.apiVersion)) === GATEWAY_GROUP;

/** Namespace and name of the Gateway that a ListenerSet names. */
function gatewayOf(listenerSet: RawObject, team: TeamRef): string | undefined {
  const { spec } = listenerSet as { spec?: { parentRef?: ParentRef } };
  return spec?.parentRef && `${spec.parentRef.namespace ?? team.namespace}/${spec.parentRef.name}`;
}

/** A ListenerSet of a team would be a grant that nobody gave; all else that is the platform's is a right. */
function missingFor(object: RawObject, kind: string, team: TeamRef): string {
  const { spec } = object as { spec?: { listeners?: unknown } };
  const gateway = kind === 'ListenerSet' ? gatewayOf(object, team) : undefined;
  const hostnames = listOf<{ hostname?: unknown }>(spec?.listeners).map(
    ({ hostname }) => textOf(hostname) ?? '*',
  );
  if (gateway) return missingGrant(hostnamesText(hostnames), gateway, team.name);
  const plural = kind.endsWith('Parameters')
    ? kind
    : kind.endsWith('s')
      ? `${kind}es`
      : `${kind}s`.replace(/([^aeiou])ys$/, '$1ies');
  return `Missing: the right to write ${plural}, which no grant gives`;
}

interface ParentRef {
  readonly group?: unknown;
  readonly kind?: unknown;
  readonly namespace?: unknown;
  readonly name?: unknown;
  readonly sectionName?: unknown;
}

/** Whether a route stays inside of what its team was granted. What breaks a field rule is told by the checks of the objects. */
function routeProblems(object: RawObject, kind: string, team: TeamRef, places: Places): string[] {
  const { spec } = object as {
    spec?: { parentRefs?: unknown; useDefaultGateways?: unknown; hostnames?: unknown; rules?: unknown };
  };
  if (spec?.useDefaultGateways === 'All') {
    return [
      `spec.useDefaultGateways: found All, and a route of team ${team.name} attaches to what was granted to it, which no default Gateway is. Fix: name what was granted in spec.parentRefs, or use new TeamRoute()`,
    ];
  }
  const hostnames = textsOf(spec?.hostnames);
  const attachments = new Set<Attachment>();
  const problems: string[] = [];
  for (const [index, parent] of listOf<ParentRef>(spec?.parentRefs).entries()) {
    // A route of a mesh names a Service (GAMMA); nothing of a gateway is in it.
    if (textOf(parent.group) === '') continue;
    const result = parentProblem(parent, kind, team, hostnames, places);
    if (typeof result === 'string') problems.push(`spec.parentRefs[${index}]: ${result}`);
    else for (const each of result) attachments.add(each);
  }
  const all = [...attachments];
  if (problems.length > 0 || all.length === 0) return problems;
  const ofHostnames = hostnames.flatMap((host, index) => {
    const problem = hostnameProblem(host, all);
    return problem === undefined ? [] : [`spec.hostnames[${index}]: ${problem}`];
  });
  return ofHostnames.length > 0 || kind !== 'HTTPRoute'
    ? ofHostnames
    : listOf<Rule>(spec?.rules).flatMap((rule, index) =>
        pathsOf(rule).flatMap(({ match, path }) =>
          all.flatMap((each) => {
            const problem = pathProblem(path, hostnames, each);
            return problem === undefined ? [] : [`spec.rules[${index}]${match}: ${problem}`];
          }),
        ),
      );
}

interface Rule {
  readonly matches?: unknown;
}

/** The paths of a rule, each with its field; without a match, and in a match without a path, it takes all (HTTPRouteRule.matches). */
function pathsOf({ matches }: Rule): { match: string; path: ApiPath }[] {
  const all = listOf<{ path?: { type?: unknown; value?: unknown } }>(matches);
  if (all.length === 0) return [{ match: '', path: { type: 'PathPrefix', value: '/' } }];
  return all.map(({ path }, index) => ({
    match: `.matches[${index}].path`,
    path: { type: textOf(path?.type) ?? 'PathPrefix', value: textOf(path?.value) ?? '/' },
  }));
}

/** The attachments that a reference means, or why the team has none there. */
function parentProblem(
  parent: ParentRef,
  kind: string,
  team: TeamRef,
  hostnames: readonly string[],
  places: Places,
): readonly Attachment[] | string {
  const object = [parent.kind ?? 'Gateway', parent.namespace ?? team.namespace, parent.name].join('/');
  const section = textOf(parent.sectionName);
  const meant = places.meant(object, section);
  const [first] = meant;
  if (!first) {
    const where = section === undefined ? object : `listener ${section} of ${object}`;
    const gateway = places.gatewayOf(object);
    const what = isPortKind(kind) && section !== undefined ? `listener ${section}` : hostnamesText(hostnames);
    const missing = missingGrant(what, gateway, team.name);
    return `no grant opens ${where} to team ${team.name}. ${missing}`;
  }
  const own = meant.filter((each) => foreignProblem(each, team, hostnames) === undefined);
  if (own.length === 0) return foreignProblem(first, team, hostnames)!;
  const ofKind = own.filter((each) => kindProblem(each, kind, hostnames) === undefined);
  return ofKind.length > 0 ? ofKind : kindProblem(own[0]!, kind, hostnames)!;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
const listOf = <Item extends object>(value: unknown) =>
  (Array.isArray(value) ? value : []).filter(
    (each): each is Item => typeof each === 'object' && each !== null,
  );
const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).filter((each) => typeof each === 'string');

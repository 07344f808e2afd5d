/** What one namespace holds of one Gateway, and what of it a route or a listener may use. */
import type { GrantSpec } from '../api/grant.ts';
import { hostnameMatches } from '../match/hostname.ts';
import { hostnamesText, missingGrant, ownCertificatesText } from './missing.ts';
import { type ApiPath, type PathProblem, pathProblem } from './paths.ts';

/** One grant of a Grant object. */
export type Granted = GrantSpec['grants'][number];

export interface Holding {
  /** The Gateway, as `namespace/name`. */
  readonly gateway: string;
  /** Whose the namespace is, in words. */
  readonly team: string;
  readonly grants: readonly Granted[];
}

/** A listener of the platform, as a Grant names it. */
export interface NamedListener {
  readonly kind: 'Gateway' | 'ListenerSet';
  readonly name: string;
  readonly sectionName: string;
}

/** The grants that let routes of a kind in at a listener; at one that the team brought itself, those of whatever listener. */
export function grantsAt(
  { grants }: Holding,
  routeKind: string,
  listener: NamedListener | undefined,
): readonly Granted[] {
  return grants.filter(
    ({ kinds, listeners }) =>
      (kinds as readonly string[]).includes(routeKind) &&
      (listener === undefined ||
        listeners.some(
          ({ kind, name, sectionNames }) =>
            kind === listener.kind && name === listener.name && sectionNames.includes(listener.sectionName),
        )),
  );
}

/** Those of some grants that a hostname, with all that it stands for, lies within. */
export const grantsOf = (hostname: string, grants: readonly Granted[]): readonly Granted[] =>
  grants.filter(({ hostnames }) => hostnames.some((each) => hostnameMatches(each, hostname)));

/** Whether some grant leaves every path to its routes, so that no match need be looked at. */
export const isForEveryPath = (grants: readonly Granted[]): boolean =>
  grants.some(({ paths, delegated }) => paths.includes('/') && delegated.length === 0);

/** Why routes may not match a path at a hostname under any of some grants that cover it, or undefined. There is at least one grant. */
export function pathRefusal(
  path: ApiPath,
  hostname: string,
  grants: readonly Granted[],
  gateway: string,
): PathProblem | undefined {
  let first: PathProblem | undefined;
  for (const { name, paths, delegated } of grants) {
    const limits = { title: `grant ${name} at gateway ${gateway}`, paths, given: delegated };
    const problem = pathProblem(path, [hostname], limits);
    if (!problem) return undefined;
    first ??= problem;
  }
  return first;
}

/** What routes lack, whatever the listener: hostnames, or grants of their kind for them. Undefined where it is neither. */
export function missingOfRoutes(
  routeKind: string,
  hostnames: readonly string[],
  { gateway, team, grants }: Holding,
): string | undefined {
  const beyond = hostnames.filter((each) => grantsOf(each, grants).length === 0);
  if (beyond.length > 0) return missingGrant(hostnamesText(beyond), gateway, team);
  const ofKind = grants.filter(({ kinds }) => (kinds as readonly string[]).includes(routeKind));
  const others = hostnames.filter((each) => grantsOf(each, ofKind).length === 0);
  return others.length > 0
    ? missingGrant(`${routeKind}s for ${others.join(', ')}`, gateway, team)
    : undefined;
}

/** A listener that a team brings in a ListenerSet of its own. */
export interface BroughtListener {
  readonly port: number;
  readonly protocol: string;
  readonly hostname?: string;
}

const WITHOUT_HOSTNAMES = new Set(['TCP', 'UDP']);

/**
 * Why a team may not bring a listener, or undefined. `holders` gives the namespaces that hold a hostname just as it is written: where another
 * one holds a narrower hostname than this team does, that is the other's, listeners and all. A team that has only some paths, or gave one on
 * under a wider hostname, would take the rest from others.
 */
export function broughtProblem(
  { port, protocol, hostname }: BroughtListener,
  namespace: string,
  { gateway, team, grants }: Holding,
  holders: (hostname: string) => readonly string[],
): string | undefined {
  const own = grants.filter(
    ({ ownListeners, paths }) =>
      ownListeners?.some((each) => each.port === port && each.protocol === protocol) && paths.includes('/'),
  );
  const where = `${protocol} at port ${port}`;
  if (WITHOUT_HOSTNAMES.has(protocol)) {
    return own.length > 0
      ? undefined
      : `team ${team} was granted no listener of its own for ${where}. ${missingGrant(where, gateway, team)}`;
  }
  const asked = hostname ?? '*';
  const outside = `${hostname === undefined ? 'a listener for every hostname' : `hostname ${hostname}`} is outside of what team ${team} was granted`;
  const missing = missingGrant(hostnamesText([asked]), gateway, team);
  const covering = grantsOf(asked, grants);
  const nearest = widening(asked)
    .map(holders)
    .find((some) => some.length > 0);
  if (covering.length === 0 || !nearest?.includes(namespace)) return `${outside}. ${missing}`;
  const allowed = grantsOf(asked, own);
  if (allowed.length === 0) {
    const others = covering.some(({ ownListeners = [] }) => ownListeners.length > 0);
    const what = `${ownCertificatesText([asked])}${others ? ` for ${where}` : ''}`;
    return `team ${team} was granted ${asked}, and no listener of its own for ${where}. ${missingGrant(what, gateway, team)}`;
  }
  return pathRefusal({ type: 'PathPrefix', value: '/' }, asked, allowed, gateway)?.message;
}

/** A hostname and those that hold all of it, the narrowest first: `a.b.c`, `*.b.c`, `*.c`, `*`. */
export function widening(hostname: string): string[] {
  const all = [hostname];
  let dot = hostname.indexOf('.', hostname.startsWith('*.') ? 2 : 0);
  for (; dot >= 0; dot = hostname.indexOf('.', dot + 1)) all.push(`*${hostname.slice(dot)}`);
  if (hostname !== '*') all.push('*');
  return all;
}

/** Grants of one gateway to different teams must not overlap, unless one lies inside the other on purpose. */
import { hostnameMatches } from '../gateway-runtime/match/hostname.ts';
import type { TeamListeners } from './team-listeners.ts';

interface Overlap {
  /** Of the grant that is asked about. */
  readonly own: string;
  readonly other: string;
}

function overlapsOf({ grant }: TeamListeners, { grant: other }: TeamListeners): Overlap[] {
  if (!grant.listeners.some((name: string) => other.listeners.includes(name))) return [];
  return grant.hostnames.flatMap((own: string) =>
    other.hostnames
      .filter((theirs: string) => hostnameMatches(own, theirs) || hostnameMatches(theirs, own))
      .map((theirs: string) => ({ own, other: theirs })),
  );
}

/** A host that both hostnames match. */
const exampleOf = ({ own, other }: Overlap) =>
  (hostnameMatches(own, other) ? other : own).replace(/^\*\./, 'www.');

/** What is wrong with a grant beside some that were made before it; the later one of two reports. */
export function overlapProblems(listeners: TeamListeners, earlier: readonly TeamListeners[]): string[] {
  const { team } = listeners.grant;
  return earlier.flatMap((each) => {
    const declared = listeners.nestedIn.includes(each) || each.grant.team.name === team.name;
    return overlapsOf(listeners, each)
      .filter(({ own, other }) => own === other || !declared)
      .map(
        (overlap) =>
          `grants ${overlap.own} to team ${team.name}, and ${each.node.path} grants ${overlap.other} to team ${each.grant.team.name}: ` +
          `both would get requests such as GET http://${exampleOf(overlap)}/. ` +
          (overlap.own === overlap.other
            ? 'Grant a hostname once.'
            : 'Say nestedIn with the wider grant if the narrower one is carved out of it on purpose.'),
      );
  });
}

/**
 * What nesting asks of the gateway: without listener isolation a request for the inner hostname is offered to routes of the
 * outer listener too (GatewaySpec.listeners, feature GatewayHTTPListenerIsolation).
 */
export function nestingWarnings(listeners: TeamListeners, className: string): string[] {
  return listeners.nestedIn.flatMap((outer) => {
    const { team } = outer.grant;
    const [overlap] = overlapsOf(listeners, outer);
    return overlap === undefined || team.name === listeners.grant.team.name
      ? []
      : [
          `lies inside ${outer.node.path}, so class ${className} must keep listeners apart (feature GatewayHTTPListenerIsolation): ` +
            `else routes of team ${team.name} get requests for ${overlap.own}.`,
        ];
  });
}

/** Hostnames of a grant that the gateway offers to whole namespaces as well. */
export function openWarnings({ grant, gateway }: TeamListeners): string[] {
  const { _specs: specs, node } = gateway;
  const ports = new Set(grant.listeners.map((name: string) => specs[name]!.port));
  return Object.entries(specs).flatMap(([name, { routes, hostname, port }]) => {
    // The gateway's own namespace has no team.
    if (!routes || routes.from === 'Same' || hostname === undefined || !ports.has(port)) return [];
    const own = grant.hostnames.find((each: string) => hostnameMatches(each, hostname));
    return own === undefined
      ? []
      : [
          `grants ${own} to team ${grant.team.name}, and listener ${name} of ${node.path} takes ${hostname} out of it for routes of other namespaces. ` +
            'Fix: give that listener a hostname that is granted to nobody.',
        ];
  });
}

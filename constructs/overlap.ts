/** Grants of one gateway to different teams must not overlap, unless one lies inside the other on purpose. */
import { hostnameMatches } from '../gateway-runtime/match/hostname.ts';
import type { AnyGrant } from './grant.ts';
import type { SharedGateway } from './shared-gateway.ts';

interface Overlap {
  /** Of the grant that is asked about. */
  readonly own: string;
  readonly other: string;
}

function overlapsOf(grant: AnyGrant, other: AnyGrant): Overlap[] {
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

/** What is wrong with a grant beside those made before it; the later one of two reports. */
export function overlapProblems(grant: AnyGrant, all: readonly AnyGrant[]): string[] {
  const problems: string[] = [];
  for (const earlier of all.slice(0, all.indexOf(grant))) {
    const declared = grant._nestedIn.includes(earlier) || earlier._nestedIn.includes(grant);
    const sameTeam = earlier.team.name === grant.team.name;
    for (const overlap of overlapsOf(grant, earlier)) {
      const equal = overlap.own === overlap.other;
      if (!equal && (declared || sameTeam)) continue;
      problems.push(
        `grants ${overlap.own} to team ${grant.team.name}, and ${earlier.node.path} grants ${overlap.other} to team ${earlier.team.name}: ` +
          `both would get requests such as GET http://${exampleOf(overlap)}/. ` +
          (equal
            ? 'Grant a hostname once.'
            : 'Say nestedIn with the wider grant if the narrower one is carved out of it on purpose.'),
      );
    }
  }
  return problems;
}

/**
 * What nesting asks of the gateway: without listener isolation a request for the inner hostname is offered to routes of the
 * outer listener too (GatewaySpec.listeners, feature GatewayHTTPListenerIsolation).
 */
export function nestingWarnings(grant: AnyGrant, className: string): string[] {
  return grant._nestedIn
    .filter((outer) => outer.team.name !== grant.team.name && overlapsOf(grant, outer).length > 0)
    .map(
      (outer) =>
        `lies inside ${outer.node.path}, so class ${className} must keep listeners apart (feature GatewayHTTPListenerIsolation): ` +
        `else routes of team ${outer.team.name} get requests for ${overlapsOf(grant, outer)[0]!.own}.`,
    );
}

/** Hostnames of a grant that the gateway offers to whole namespaces as well. */
export function openWarnings(grant: AnyGrant, gateway: SharedGateway): string[] {
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

/** What is wrong with a grant of a shared gateway, in sentences; hostnames that it shares with others are for `overlap.ts`. */
import { kindsAt } from './gateway.ts';
import { type AnyGrant, Grant } from './grant.ts';
import { nameProblem } from './naming.ts';
import { found } from './props.ts';
import { isPortKind, isPortListener } from './route-kind.ts';
import type { SharedGateway } from './shared-gateway.ts';
import type { TeamGrants } from './team-grants.ts';

interface GivenGrant {
  readonly grant: AnyGrant;
  readonly gateway: SharedGateway;
  /** The listeners that it was to have. */
  readonly listeners: readonly string[];
  /** As they were given. */
  readonly hostnames: unknown;
  /** What it was said to lie in. */
  readonly around: readonly unknown[];
  /** Those that were made before. */
  readonly others: TeamGrants;
}

export function grantProblems(given: GivenGrant): string[] {
  const { around, others } = given;
  return [
    ...around
      .filter((each) => others.of(each) === undefined)
      .map((each) => `grant() takes a grant that this gateway made as nestedIn, this is ${thing(each)}`),
    ...listenerProblems(given),
    ...portProblems(given),
    ...certificateProblems(given.grant),
  ];
}

function listenerProblems({ grant, gateway, listeners }: GivenGrant): string[] {
  const specs = gateway._specs;
  const grantable = Object.keys(specs).filter((name) => !specs[name]!.routes);
  const kinds = grant.kinds.join(', ');
  return [
    ...listeners
      .filter((name) => !grantable.includes(name))
      .map(
        (name) =>
          `listener ${name} is not one that ${gateway.node.path} grants (it has: ${grantable.join(', ')})`,
      ),
    ...(grant.listeners as readonly string[])
      .filter((name) => kindsAt(specs[name]!, grant.kinds).length === 0)
      .map(
        (name) =>
          `listener ${name} has protocol ${specs[name]!.protocol}, which takes no ${kinds}: name another listener, or kinds`,
      ),
    ...(listeners.length > 0
      ? []
      : [
          grant.kinds.every(isPortKind)
            ? `grant() of ${kinds} takes the names of listeners as listeners, since a port is granted to one team: this is undefined`
            : `no listener of ${gateway.node.path} takes ${kinds}: give it one, such as ${grant.kinds.includes('TLSRoute') ? 'tls(443)' : 'http(80)'}`,
        ]),
  ];
}

function portProblems({ grant, gateway, hostnames, others }: GivenGrant): string[] {
  const specs = gateway._specs;
  const taken = (grant.listeners as readonly string[])
    .filter((name) => isPortListener(specs[name]!))
    .flatMap((name) => {
      const holder = others.holderOf(name);
      return holder
        ? [
            `listener ${name} is granted to team ${holder.grant.team.name} by ${holder.node.path}: what comes to a port of ${specs[name]!.protocol} has no hostname, so one team has all of it`,
          ]
        : [];
    });
  return grant.kinds.every(isPortKind) && hostnames !== undefined
    ? [
        `grant() of ${grant.kinds.join(', ')} takes no hostnames, since there are none in what it is for: leave them out`,
        ...taken,
      ]
    : taken;
}

function certificateProblems({ ownCertificates, ownListeners, wholeObject, team }: AnyGrant): string[] {
  if (ownCertificates.length === 0) return [];
  return [
    ...(ownListeners.length === 0
      ? [
          `ownCertificates lets team ${team.name} bring certificates, and no listener of the grant has protocol HTTPS: leave it out, or name a listener that has`,
        ]
      : []),
    ...(wholeObject
      ? []
      : [
          `ownCertificates needs a ListenerSet of team ${team.name}, and teamListeners is 'gateway' here: leave it at 'listener-set'`,
        ]),
    ...ownCertificates.flatMap((name: string) => nameProblem('Secret', name)),
  ];
}

const thing = (value: unknown) => (value instanceof Grant ? value.title : found(value));

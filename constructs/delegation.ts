import { Construct } from 'constructs';
import { GRANTED_PATH } from '../gateway-runtime/api/grant.ts';
import { isBelow } from '../gateway-runtime/grants/paths.ts';
import { hostnameMatches } from '../gateway-runtime/match/hostname.ts';
import { admit, hostnameProblem, type ListenerPlace, listenerProblem } from './attachment.ts';
import { requireChecks } from './checks.ts';
import { type AnyGrant, type DelegateProps, Grant } from './grant.ts';
import type { Delegated } from './path-limits.ts';
import { found, optional, read, type Shape, text, texts } from './props.ts';
import { allow, isTeamRef, type TeamRef } from './team.ts';

const PROPS: Shape<DelegateProps<readonly string[], string>> = {
  hostnames: optional(texts),
  listeners: optional(texts),
  name: optional(text),
};

/** What holds a grant in the tree, and can give parts of it away. */
export interface GrantHolder extends Construct {
  readonly grant: AnyGrant;
  readonly delegations: Delegation[];
}

/** Makes a delegation. Throws an Error where there is no team, or where a second one has the name of the first. */
export function delegate(holder: GrantHolder, path: unknown, team: unknown, given: unknown): AnyGrant {
  const call = `${holder.node.path}: delegate(path, team)`;
  if (!isTeamRef(team))
    throw new Error(`${call} takes a team with name and namespace second, this is ${found(team)}`);
  const { props, problems } = read('delegate()', given, PROPS);
  const name = props.name ?? team.name;
  if (holder.node.tryFindChild(name))
    throw new Error(
      `${holder.node.path} has delegated to ${name} already: give this one a name, delegate(path, team, { name: 'second' })`,
    );
  const made = new Delegation(holder, name, { path, team, props, problems });
  holder.delegations.push(made);
  return made.grant;
}

interface DelegationProps {
  readonly path: unknown;
  readonly team: TeamRef;
  readonly props: DelegateProps<readonly string[], string>;
  readonly problems: readonly string[];
}

/** A part of a grant that its team gave to another one: the paths below one, at the same listeners. */
export class Delegation extends Construct implements GrantHolder {
  readonly grant: AnyGrant;
  readonly delegations: Delegation[] = [];

  constructor(holder: GrantHolder, name: string, { path, team, props, problems }: DelegationProps) {
    super(holder, name);
    const parent = holder.grant;
    const earlier = givenOn(holder);
    const hostnames: readonly string[] = props.hostnames ?? parent.hostnames;
    const ofHttp = new Set(
      parent
        .places()
        .flatMap(({ kinds, listener }: ListenerPlace) =>
          (kinds?.includes('HTTPRoute') ?? true) ? listener : [],
        ),
    );
    const isOfHttp = (name: string) => ofHttp.has(name);
    const listeners: readonly string[] = props.listeners ?? parent.listeners.filter(isOfHttp);
    const isWhole = props.hostnames === undefined && props.listeners === undefined;
    this.grant = new Grant({
      team,
      hostnames,
      kinds: ['HTTPRoute'],
      listeners,
      paths: [typeof path === 'string' ? path : '/'],
      title: `grant ${this.node.path}`,
      gatewayName: parent.gatewayName,
      wholeObject: isWhole && parent.wholeObject,
      places: () => parent.places().filter((place: ListenerPlace) => isPartOf(place, hostnames, listeners)),
      delegations: () => givenOn(this),
      delegate: (...args) => delegate(this, ...args),
      remainder: parent,
    });
    admit(this.grant);
    allow(team, this.grant);
    requireChecks(this, () => {
      const ofPath = pathProblems(path, parent);
      return [
        ...problems,
        ...ofPath,
        ...(team.name === parent.team.name ? [`${parent.title} is for team ${team.name} already`] : []),
        ...(parent.ownListeners.length > 0
          ? [
              `${parent.title} has certificates of team ${parent.team.name}, whose own listeners admit its own namespace alone: delegate paths of a grant without ownCertificates`,
            ]
          : []),
        ...(parent.kinds.includes('HTTPRoute')
          ? []
          : [`${parent.title} is not for HTTPRoute, and only routes of that kind have paths to delegate`]),
        ...hostnames.flatMap((each) => hostnameProblem(each, [parent]) ?? []),
        ...listeners.flatMap(
          (each) =>
            listenerProblem(each, parent, hostnames) ??
            (isOfHttp(each)
              ? []
              : `listener ${each} takes no HTTPRoute, and only routes of that kind have paths to delegate`),
        ),
        ...(ofPath.length > 0 ? [] : earlier.flatMap((each) => overlapProblems(this.given, each))),
      ];
    });
  }

  get given(): Delegated {
    const { paths, hostnames, team } = this.grant;
    return { path: paths[0]!, hostnames, team };
  }

  /** The teams that a listener must admit for it and for what was given on. */
  admitted(listener: string, hostname: string): TeamRef[] {
    const { grant } = this;
    if (!isPartOf({ listener, hostname }, grant.hostnames, grant.listeners)) return [];
    return [grant.team, ...this.delegations.flatMap((each) => each.admitted(listener, hostname))];
  }

  /** It and what was given on. */
  get all(): Delegation[] {
    return [this, ...this.delegations.flatMap(({ all }) => all)];
  }
}

/** What a grant gave on; what is refused gives nothing. */
export const givenOn = ({ grant, delegations }: GrantHolder): Delegated[] =>
  delegations.map(({ given }) => given).filter(({ path }) => pathProblems(path, grant).length === 0);

/** Whether a listener serves one of these hostnames. */
const isPartOf = (
  { listener, hostname }: Pick<ListenerPlace, 'listener' | 'hostname'>,
  hostnames: readonly string[],
  listeners: readonly string[],
): boolean =>
  listeners.includes(listener) &&
  hostnames.some((each) => hostname === undefined || hostnameMatches(hostname, each));

function pathProblems(path: unknown, parent: AnyGrant): string[] {
  const paths: readonly string[] = parent.paths;
  if (typeof path !== 'string' || path === '/' || !GRANTED_PATH.regex.test(path))
    return [`delegate() takes first ${GRANTED_PATH.words}; this is ${found(path)}`];
  if (paths.includes(path) || !paths.some((limit) => isBelow(path, limit))) {
    return [
      `path ${path} is not below that of ${parent.title} (granted: ${paths.join(', ')} and all below): a delegation can only narrow`,
    ];
  }
  return [];
}

/** One path is one team's. */
function overlapProblems(own: Delegated, earlier: Delegated): string[] {
  const share = own.hostnames.some((each) =>
    earlier.hostnames.some((other) => hostnameMatches(each, other) || hostnameMatches(other, each)),
  );
  if (!share || !(isBelow(own.path, earlier.path) || isBelow(earlier.path, own.path))) return [];
  return [
    `delegates ${own.path} to team ${own.team.name}, and ${earlier.path} was delegated to team ${earlier.team.name}: ` +
      'delegate paths of which none lies below another, or delegate the narrower one from the grant of that team',
  ];
}

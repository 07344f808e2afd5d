/** What a team was granted, as data: what the platform's repository writes for that of the team, and how it becomes a grant there. */
import { type Attachment, admit, type ListenerPlace, type OwnListener } from './attachment.ts';
import { inAllCopies } from './copies.ts';
import type { EnforcedBy } from './enforced.ts';
import { Grant } from './grant.ts';
import { type GrantPolicy, isPolicy } from './granted-policies.ts';
import {
  flag,
  isObject,
  list,
  number,
  oneOf,
  optional,
  read,
  type Shape,
  text,
  texts,
  type,
} from './props.ts';
import { type RouteKind, routeKinds } from './route-kind.ts';
import { isTeamRef, teamType } from './team.ts';

/** A grant as plain JSON. Its fields only grow; one that is not known is refused, so that nothing that narrows it is overlooked. */
export interface GrantData {
  readonly team: { readonly name: string; readonly namespace: string };
  /** Namespace and name of the Gateway, such as `infra/shared-gw`. */
  readonly gateway: string;
  /** How messages name it. */
  readonly title: string;
  readonly hostnames: readonly string[];
  readonly kinds: readonly RouteKind[];
  readonly listeners: readonly string[];
  /** The paths below which routes may be. */
  readonly paths: readonly string[];
  /** The names of the Secrets with certificates that the team brings itself. */
  readonly ownCertificates?: readonly string[];
  /** The listeners of the gateway at which it brings them. */
  readonly ownListeners?: readonly OwnListener[];
  /** What of it is another team's. */
  readonly delegated?: readonly {
    readonly path: string;
    readonly hostnames: readonly string[];
    readonly team: { readonly name: string; readonly namespace: string };
  }[];
  /** Whether a route names the object of the listeners as a whole. */
  readonly wholeObject: boolean;
  /** The listeners in the objects. */
  readonly places: readonly ListenerPlace[];
  /**
   * What the platform says of all routes there: what it enforces (`overrides`), and defaults with the bounds of what routes may say. Synth holds
   * routes to it, as the cluster does.
   * @default - none is known: the cluster holds routes to what there is
   */
  readonly policies?: readonly GrantPolicy[];
}

const OWN_LISTENER: Shape<OwnListener> = { listener: text, port: number };
const PLACE: Shape<ListenerPlace> = {
  kind: oneOf('Gateway', 'ListenerSet'),
  namespace: text,
  name: text,
  sectionName: text,
  listener: text,
  hostname: optional(text),
  kinds: optional(routeKinds),
  isShared: optional(flag),
  protocol: optional(oneOf('HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP')),
  port: optional(number),
};
const DATA: Shape<GrantData> = {
  team: teamType,
  gateway: text,
  title: text,
  // None for TCPRoutes and UDPRoutes.
  hostnames: type(
    'a list of texts',
    (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
  ),
  kinds: routeKinds,
  listeners: texts,
  paths: texts,
  ownCertificates: optional(texts),
  ownListeners: optional(
    list(
      'a list of listeners with ports',
      type('a listener with its port', (value) => read('it', value, OWN_LISTENER).problems.length === 0),
    ),
  ),
  delegated: optional(
    list(
      'a list of paths, each with its hostnames and team',
      type(
        'a path with its hostnames and team',
        (value) =>
          isObject(value) &&
          'path' in value &&
          typeof value.path === 'string' &&
          'hostnames' in value &&
          texts.wrong(value.hostnames) === undefined &&
          'team' in value &&
          isTeamRef(value.team),
      ),
    ),
  ),
  wholeObject: type('true or false', (value) => typeof value === 'boolean'),
  // None where the team makes all of the listeners itself.
  places: type(
    'a list of listeners',
    (value) => Array.isArray(value) && value.every((each) => read('it', each, PLACE).problems.length === 0),
  ),
  policies: optional(list('a list of GatewayPolicies', type('a GatewayPolicy', isPolicy))),
};

type Delegated<Data extends GrantData> = Data['delegated'] extends readonly (infer Each extends {
  readonly path: string;
})[]
  ? Each['path']
  : '';

/** A grant as the compiler sees it, by its data. */
export type ImportedGrant<Data extends GrantData> = Grant<
  Data['hostnames'],
  Data['kinds'][number],
  Data['listeners'][number],
  Data['team']['name'],
  Data['paths'][number],
  Delegated<Data>,
  Data['ownCertificates'] extends readonly (infer Secret extends string)[] ? Secret : never,
  EnforcedBy<Data>
>;

const imported = inAllCopies('imported-grants/2', () => new Map<Attachment, GrantData>());

/** All grants that were made of data in this process, each with that. */
export const importedGrants = (): ReadonlyMap<Attachment, GrantData> => imported;

/**
 * A grant that the platform made elsewhere, of what `PlatformChart.exportGrants` wrote or the JSON beside it. Throws an Error where it is no
 * such data. What is said here widens nothing: the listeners of the gateway admit what the platform granted.
 */
export function importGrant<const Data extends GrantData>(data: Data): ImportedGrant<Data> {
  const { props, problems } = read<GrantData>('importGrant()', data, DATA);
  if (problems.length > 0)
    throw new Error(
      `${problems.join('; ')}: have the platform export its grants anew, with a gatewright that is no newer than this one`,
    );
  // Nothing is wrong with it, so nothing of it is missing.
  const { delegated = [], places, gateway, policies: _, ...granted } = props as GrantData;
  const grant = new Grant({
    ...granted,
    gatewayName: gateway,
    places: () => places,
    delegations: () => delegated,
    delegate: () => {
      throw new Error(
        `${granted.title} was made in another repository, which has the listeners: delegate there, and export the grants anew`,
      );
    },
  });
  admit(grant);
  imported.set(grant, props as GrantData);
  return grant as unknown as ImportedGrant<Data>;
}

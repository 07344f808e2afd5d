/** What a team was granted, as data: what the platform's repository writes for that of the team, and how it becomes a grant there. */
import { admit, type ListenerPlace } from './attachment.ts';
import { inAllCopies } from './copies.ts';
import { type AnyGrant, Grant } from './grant.ts';
import { isObject, list, oneOf, optional, read, type Shape, text, texts, type } from './props.ts';
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
}

const PLACE: Shape<ListenerPlace> = {
  kind: oneOf('Gateway', 'ListenerSet'),
  namespace: text,
  name: text,
  sectionName: text,
  listener: text,
  hostname: optional(text),
  kinds: optional(routeKinds),
};
const DATA: Shape<GrantData> = {
  team: teamType,
  gateway: text,
  title: text,
  hostnames: texts,
  kinds: routeKinds,
  listeners: texts,
  paths: texts,
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
  places: list(
    'a list of listeners',
    type('a listener', (value) => read('it', value, PLACE).problems.length === 0),
  ),
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
  Delegated<Data>
>;

const imported = inAllCopies('imported-grants/1', () => new Set<AnyGrant>());

/** All grants that were made of data in this process. */
export const importedGrants = (): Iterable<AnyGrant> => imported;

/**
 * A grant that the platform made elsewhere, of what `PlatformChart.exportGrants` wrote or the JSON beside it. Throws an Error where it is no
 * such data. What is said here widens nothing: the listeners of the gateway admit what the platform granted.
 */
export function importGrant<const Data extends GrantData>(data: Data): ImportedGrant<Data> {
  const { props, problems } = read<GrantData>('importGrant()', data, DATA);
  if (problems.length > 0)
    throw new Error(`${problems.join('; ')}: have the platform export its grants anew`);
  // Nothing is wrong with it, so nothing of it is missing.
  const { delegated = [], places, gateway, ...granted } = props as GrantData;
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
  imported.add(grant);
  return grant as unknown as ImportedGrant<Data>;
}

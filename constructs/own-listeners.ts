/**
 * Listeners that a team makes itself, for certificates that it brings: where its routes find them, and what a ListenerSet of a team may say,
 * whoever wrote it.
 */
import type { IConstruct } from 'constructs';
import { type Attachment, hostnameProblem, type ListenerPlace } from './attachment.ts';
import { inAllCopies } from './copies.ts';
import { hostnamesText, missingGrant, ownCertificatesText } from './role.ts';
import type { TeamRef } from './team.ts';

type Made = Map<Attachment, (() => readonly ListenerPlace[])[]>;

/** By app, since a grant that was imported may be used in several. */
const apps = inAllCopies('own-listeners/1', () => new WeakMap<IConstruct, Made>());

/** Has the routes of the app that are on a grant attach to these listeners too. */
export function addOwnPlaces(
  construct: IConstruct,
  grant: Attachment,
  places: () => readonly ListenerPlace[],
): void {
  const { root } = construct.node;
  const made: Made = apps.get(root) ?? new Map();
  apps.set(root, made);
  made.set(grant, [...(made.get(grant) ?? []), places]);
}

/** The listeners that a team made itself for a grant. */
export const ownPlaces = (construct: IConstruct, grant: Attachment): readonly ListenerPlace[] =>
  (apps.get(construct.node.root)?.get(grant) ?? []).flatMap((places) => places());

/** All listeners that an attachment opens to routes of an app. */
export const placesOf = (construct: IConstruct, attachment: Attachment): readonly ListenerPlace[] => [
  ...attachment.places(),
  ...ownPlaces(construct, attachment),
];

/** A listener of a ListenerSet, as far as it is what it should be. */
export interface WrittenListener {
  readonly name?: unknown;
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly protocol?: unknown;
  readonly tls?: { readonly mode?: unknown; readonly certificateRefs?: readonly CertificateRef[] };
  readonly allowedRoutes?: { readonly namespaces?: { readonly from?: unknown } };
}

interface CertificateRef {
  readonly kind?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
}

/**
 * What a listener of a team says beyond the grants that let it bring certificates.
 *
 * @param grants Those of the team at this gateway; at least one.
 */
export function ownListenerProblems(
  listener: WrittenListener,
  grants: readonly Attachment[],
  team: TeamRef,
): string[] {
  const { hostname, port, protocol, tls, allowedRoutes } = listener;
  const { gatewayName } = grants[0]!;
  // Without a hostname it is for all of them.
  const asked = hostname ?? '*';
  const outside = hostnameProblem(asked, grants);
  if (outside !== undefined) return [`hostname: ${outside}`];
  const covering = grants.filter((each) => hostnameProblem(asked, [each]) === undefined);
  const where = `${protocol} at port ${port}`;
  const at = covering.flatMap((each) => each.ownListeners);
  if (protocol !== 'HTTPS' || !at.some((each) => each.port === port)) {
    const granted = at.map((each) => `HTTPS at port ${each.port}`).join(', ');
    return [
      `port: ${where} is outside ${covering[0]!.title} (granted: ${granted}). ${missingGrant(`${ownCertificatesText([String(asked)])} for ${where}`, gatewayName, team.name)}`,
    ];
  }
  const secrets = covering.flatMap((each) => each.ownCertificates);
  const ofSecrets = (tls?.certificateRefs ?? []).flatMap(({ name, namespace }, index) => {
    const field = `tls.certificateRefs[${index}]`;
    if (namespace !== undefined && namespace !== team.namespace)
      return [
        `${field}: Secret ${namespace}/${name} is not of team ${team.name} in namespace ${team.namespace}. Missing: the right to refer to Secrets of namespace ${namespace}, which no grant gives`,
      ];
    if (typeof name === 'string' && !secrets.includes(name))
      return [
        `${field}: Secret ${name} is not one that the gateway may read (granted: ${secrets.join(', ')}). ${missingGrant(`Secret ${name} in ownCertificates for ${hostnamesText([String(asked)])}`, gatewayName, team.name)}`,
      ];
    return [];
  });
  const from = allowedRoutes?.namespaces?.from ?? 'Same';
  return [
    ...ofSecrets,
    ...(from === 'Same'
      ? []
      : [
          `allowedRoutes.namespaces: a listener of a team admits its own namespace alone, found ${from}. ${missingGrant(hostnamesText([String(asked)]), gatewayName, 'another team')}`,
        ]),
  ];
}

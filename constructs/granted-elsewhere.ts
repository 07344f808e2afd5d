/**
 * What stands in another repository, at synth: in the place of Gateways, ListenerSets and policies that are not in the app, what grants of it
 * say of them. So routes on such grants are checked as they are in one app with what they attach to.
 */
import type { IConstruct } from 'constructs';
import { KINDS, refOf } from '../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import type { Attachment, ListenerPlace } from './attachment.ts';
import { inAllCopies } from './copies.ts';
import { policyObjects } from './granted-policies.ts';
import { type GrantData, importedGrants } from './import-grant.ts';

/** By app, since one process may have several, and grants of the same gateway from different times. */
const apps = inAllCopies('used-attachments/1', () => new WeakMap<IConstruct, Set<Attachment>>());

/** Notes what is attached to in the app of a construct. */
export function noteUse(construct: IConstruct, attachments: readonly Attachment[]): void {
  const { root } = construct.node;
  const used = apps.get(root) ?? new Set();
  apps.set(root, used);
  for (const each of attachments) used.add(each);
}

/** Objects in the place of those that the app lacks. None for grants that were exported without what is needed. */
export function grantedStandIns(root: IConstruct, objects: readonly RawObject[]): RawObject[] {
  const all = importedGrants();
  const grants = [...(apps.get(root) ?? [])].flatMap((each) => all.get(each) ?? []).filter(isKnown);
  const here = new Set(objects.map((object) => refKey(refOf(object))));
  return [...listenerObjects(grants), ...policyObjects(grants)].filter(
    (object) => !here.has(refKey(refOf(object))),
  );
}

const isKnown = ({ places }: GrantData): boolean =>
  places.every(({ protocol, port }) => protocol !== undefined && port !== undefined);

/** A Gateway for each that the grants are of, and ListenerSets. */
function listenerObjects(grants: readonly GrantData[]): RawObject[] {
  const byObject = new Map<string, Map<string, ListenerPlace>>();
  const at = (key: string) => {
    const known = byObject.get(key) ?? new Map<string, ListenerPlace>();
    byObject.set(key, known);
    return known;
  };
  const parents = new Map<string, string>();
  for (const { gateway, places } of grants) {
    at(`Gateway/${gateway}`);
    for (const place of places) {
      at(refKey(place)).set(place.sectionName, place);
      parents.set(refKey(place), gateway);
    }
  }
  return [...byObject].map(([key, places]) => {
    const [kind, namespace, name] = key.split('/') as [ListenerPlace['kind'], string, string];
    const listeners = [...places.values()].map(listener);
    const spec =
      kind === 'Gateway'
        ? {
            gatewayClassName: 'elsewhere',
            allowedListeners: { namespaces: { from: 'All' } },
            // It has one at least.
            listeners: listeners.length > 0 ? listeners : [otherListener(grants)],
          }
        : { parentRef: parentOf(parents.get(key)!), listeners };
    return {
      apiVersion: `${GATEWAY_GROUP}/${KINDS[kind].versions[0]}`,
      kind,
      metadata: { namespace, name },
      spec,
    };
  });
}

/** At a port that no grant has, so that it takes nothing from any. */
function otherListener(grants: readonly GrantData[]): object {
  const taken = new Set(
    grants.flatMap(({ places, ownListeners = [] }) => [...places, ...ownListeners].map(({ port }) => port)),
  );
  let port = 1;
  while (taken.has(port)) port++;
  return { name: 'other', port, protocol: 'HTTP' };
}

function parentOf(gateway: string): { namespace: string; name: string } {
  const [namespace, name] = gateway.split('/') as [string, string];
  return { namespace, name };
}

function listener({ sectionName, hostname, protocol, port }: ListenerPlace): object {
  return {
    name: sectionName,
    port,
    protocol,
    ...(hostname === undefined ? {} : { hostname }),
    allowedRoutes: { namespaces: { from: 'All' } },
    ...(protocol === 'HTTPS' ? { tls: { certificateRefs: [{ name: 'elsewhere' }] } } : {}),
    ...(protocol === 'TLS' ? { tls: { mode: 'Passthrough' } } : {}),
  };
}

/**
 * What a data plane has been given, as plain data: the base of the next difference, what it tells the control plane that it has,
 * and what is kept as last-known-good. Changes all at once, or not at all.
 */
import {
  certificatesHash,
  checkedCertificate,
  checkedEndpoints,
  checkedResource,
  endpointsHash,
  versionAfter,
} from '../distribution/content.ts';
import { InvalidContentError } from '../distribution/exactly.ts';
import type { Commit, Held, Section } from '../distribution/messages.ts';
import { isOlder, type Order, orderText } from '../distribution/order.ts';
import type { AgentUpdate } from '../proxy/agent.ts';
import type {
  BackendEndpoints,
  BackendKey,
  CertificateBundle,
  CertificateId,
  GatewayId,
  Resource,
  ResourceKey,
} from '../snapshot/snapshot.ts';

export interface Content {
  readonly order: Order;
  /** Of the snapshot. */
  readonly version: string;
  readonly resources: ReadonlyMap<ResourceKey, Resource>;
  readonly endpoints: ReadonlyMap<BackendKey, BackendEndpoints>;
  readonly certificates: ReadonlyMap<CertificateId, CertificateBundle>;
  /** As in AgentUpdate; none before the control plane gave any. */
  readonly sessionKeys: readonly string[];
}

/** What came for one section since the last commit; contents not checked. */
export interface Received {
  readonly put: readonly unknown[];
  readonly remove: readonly string[];
}

/** A commit that fits, worked out and not taken yet. */
export interface Step {
  readonly update: AgentUpdate;
  readonly after: Content;
}

export function held({ order, version, endpoints, certificates }: Content): Held {
  return {
    order,
    version,
    endpoints: endpointsHash(endpoints.values()),
    certificates: certificatesHash(certificates.values()),
  };
}

/** Everything of it, for a data plane that has nothing. */
export function wholeUpdate(gateway: GatewayId, content: Content): AgentUpdate {
  const { version, resources, endpoints, certificates, sessionKeys } = content;
  return {
    delta: { gateway, to: version, put: [...resources.values()], remove: [] },
    endpoints,
    certificates,
    ...(sessionKeys.length > 0 ? { sessionKeys } : {}),
  };
}

/**
 * From what is served to what a commit says. Throws InvalidContentError where the commit is older, does not fit on what is
 * there, or is not sound.
 */
export function step(
  gateway: GatewayId,
  before: Content | undefined,
  commit: Commit,
  received: Readonly<Record<Section, Received>>,
): Step {
  const { order, snapshot, whole } = commit;
  if (before && isOlder(order, before.order)) {
    throw new InvalidContentError(
      `found version ${orderText(order)}, expected none older than ${orderText(before.order)}, which is served`,
    );
  }
  if (!snapshot && !before) {
    throw new InvalidContentError('found a commit without snapshot, expected the first one to have it');
  }
  const resources = snapshot && resourcesAfter(before, snapshot, received.resources);
  const endpoints = merged(
    before?.endpoints ?? new Map(),
    whole.includes('endpoints'),
    received.endpoints,
    checkedEndpoints,
    ({ backend }) => backend,
  );
  const certificates = merged(
    before?.certificates ?? new Map(),
    whole.includes('certificates'),
    received.certificates,
    checkedCertificate,
    ({ id }) => id,
  );
  return {
    update: {
      ...(resources ? { delta: { gateway, ...resources.delta } } : {}),
      ...(endpoints.changes.size > 0 ? { endpoints: endpoints.changes } : {}),
      ...(certificates.changes.size > 0 ? { certificates: certificates.changes } : {}),
    },
    after: {
      order,
      version: snapshot?.to ?? before!.version,
      resources: resources?.all ?? before!.resources,
      endpoints: endpoints.all,
      certificates: certificates.all,
      sessionKeys: before?.sessionKeys ?? [],
    },
  };
}

function resourcesAfter(
  before: Content | undefined,
  { from, to }: NonNullable<Commit['snapshot']>,
  { put, remove }: Received,
) {
  if (from !== undefined && from !== before?.version) {
    throw new InvalidContentError(
      `found a difference from version ${from}, expected one from ${before?.version ?? 'nothing'}`,
    );
  }
  const all = new Map(from === undefined ? [] : before!.resources);
  const gone: Resource[] = [];
  const forget = (key: ResourceKey) => {
    const resource = all.get(key);
    if (!resource) return;
    gone.push(resource);
    all.delete(key);
  };
  for (const key of remove) forget(key);
  const come = put.map(checkedResource);
  for (const resource of come) {
    forget(resource.key);
    all.set(resource.key, resource);
  }
  const version = versionAfter(from, gone, come);
  if (version !== to) {
    throw new InvalidContentError(`found resources of version ${version}, expected those of ${to}`);
  }
  return { all, delta: { ...(from === undefined ? {} : { from }), to, put: come, remove } };
}

function merged<V>(
  before: ReadonlyMap<string, V>,
  isWhole: boolean,
  { put, remove }: Received,
  check: (value: unknown) => V,
  keyOf: (value: V) => string,
): { readonly all: ReadonlyMap<string, V>; readonly changes: ReadonlyMap<string, V | undefined> } {
  const changes = new Map<string, V | undefined>();
  if (isWhole) for (const key of before.keys()) changes.set(key, undefined);
  for (const key of remove) changes.set(key, undefined);
  for (const each of put) {
    const value = check(each);
    changes.set(keyOf(value), value);
  }
  if (changes.size === 0) return { all: before, changes };
  const all = new Map(before);
  for (const [key, value] of changes) {
    if (value === undefined) all.delete(key);
    else all.set(key, value);
  }
  return { all, changes };
}

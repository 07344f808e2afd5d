/** Adds up what the views of all objects say, by what each contributes: a change costs what it changes. */
import { type ObjectRef, refKey } from '../api/object.ts';
import type { RouteKind } from '../api/route-kinds.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import {
  type BackendEndpoints,
  type CertificateBundle,
  type CertificateId,
  certificatesOf,
  type GatewayId,
  gatewayKey,
  type ListenerKey,
  type Resource,
  type SnapshotDelta,
} from '../snapshot/snapshot.ts';
import { diagnose } from './findings.ts';
import type { GatewayClassView } from './gateway-classes.ts';
import type { GatewayView, ListenerSetView, ServedListener } from './gateways.ts';
import type { GrantView } from './grant-statuses.ts';
import type { Derived } from './memo.ts';
import { PolicyAncestors } from './policies/ancestors.ts';
import type { PolicyView } from './policies/backend-tls.ts';
import { LeftOut } from './policies/left-out.ts';
import type { PolicyStatusView } from './policies/policy-views.ts';
import { ResourceSet } from './resource-set.ts';
import type { RouteView } from './routes.ts';
import {
  gatewayDiagnostics,
  gatewayRef,
  gatewayStatus,
  listenerSetDiagnostics,
  listenerSetStatus,
} from './status.ts';
import { Tracked } from './tracked.ts';
import type { Infrastructure, ObjectStatus, Translation, TranslationChange } from './translation.ts';

interface Sources {
  readonly gateways: Derived<GatewayView | undefined>;
  readonly listenerSets: Derived<ListenerSetView | undefined>;
  readonly endpoints: Derived<BackendEndpoints>;
  readonly certificates: Derived<CertificateBundle | undefined>;
}

export class Outputs {
  readonly #sources: Sources;
  readonly #statuses = new Tracked<ObjectStatus>();
  readonly #endpoints = new Tracked<BackendEndpoints>();
  readonly #certificates = new Tracked<CertificateBundle>();
  readonly #secrets = new Wanted();
  readonly #configMaps = new Wanted();
  readonly #infrastructure = new Tracked<Infrastructure>();
  readonly #diagnostics = new Tracked<readonly Diagnostic[]>();
  /** Diagnostics of an object by who gave them. */
  readonly #reports = new Map<string, Map<string, readonly Diagnostic[]>>();
  readonly #resources = new Map<string, ResourceSet>();
  readonly #touchedGateways = new Set<string>();
  /** Gateways that are accepted. */
  readonly #served = new Set<string>();
  readonly #attachedRoutes = new Count();
  /** How many rules' Gateways send to a backend, and how many listeners use a certificate. */
  readonly #usedBackends = new Count();
  readonly #usedCertificates = new Count();
  readonly #policies = new PolicyAncestors();
  readonly #leftOut = new LeftOut();
  /** What each policy wanted last, by object. */
  readonly #policyConfigMaps = new Map<string, readonly string[]>();
  /** Gateways and ListenerSets whose status is to be put together anew. */
  readonly #statusDue = new Map<string, ObjectRef>();
  #current: Translation | undefined;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Replaces what one source says about an object. */
  report(ref: ObjectRef, source: string, diagnostics: readonly Diagnostic[]): void {
    const key = refKey(ref);
    const reports = this.#reports.get(key) ?? new Map<string, readonly Diagnostic[]>();
    if (diagnostics.length > 0) this.#reports.set(key, reports.set(source, diagnostics));
    else if (reports.delete(source) && reports.size === 0) this.#reports.delete(key);
    const all = [...reports].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, each]) => each);
    this.#diagnostics.set(key, all.length > 0 ? all : undefined);
  }

  gatewayClass(ref: ObjectRef, after: GatewayClassView | undefined): void {
    this.#statuses.set(refKey(ref), after?.status);
    this.report(ref, 'view', after?.diagnostics ?? []);
  }

  gateway(ref: ObjectRef, before: GatewayView | undefined, after: GatewayView | undefined): void {
    const key = gatewayKey(ref);
    const served = after && !after.refusal;
    if (served) this.#served.add(key);
    else this.#served.delete(key);
    this.#infrastructure.set(key, served ? after.infrastructure : undefined);
    this.#policies.gateway(key, after?.created);
    this.report(ref, 'view', after ? gatewayDiagnostics(after) : []);
    this.#statusDue.set(refKey(ref), ref);

    this.#secrets.replace(before ? allSecrets(before) : [], after ? allSecrets(after) : []);
    this.#configMaps.replace(before?.configMaps ?? [], after?.configMaps ?? []);

    const resources = this.#resourcesOf(ref);
    for (const resource of after ? ownResources(after) : []) {
      resources.add(resource);
      for (const id of certificatesOf(resource)) this.#useCertificate(id);
    }
    for (const resource of before ? ownResources(before) : []) {
      resources.remove(resource);
      for (const id of certificatesOf(resource)) this.#dropCertificate(id);
    }
  }

  listenerSet(ref: ObjectRef, after: ListenerSetView | undefined): void {
    this.report(ref, 'view', after ? listenerSetDiagnostics(after) : []);
    this.#statusDue.set(refKey(ref), ref);
  }

  backendTlsPolicy(ref: ObjectRef, before: PolicyView | undefined, after: PolicyView | undefined): void {
    this.#policies.policy(ref, before, after);
  }

  /** One of our own kinds of policies. */
  policy(ref: ObjectRef, after: PolicyStatusView | undefined): void {
    this.#statuses.set(refKey(ref), after?.status);
    this.report(ref, 'view', after?.diagnostics ?? []);
  }

  grant(ref: ObjectRef, after: GrantView | undefined): void {
    this.#statuses.set(refKey(ref), after?.status);
    this.report(ref, 'view', after?.diagnostics ?? []);
  }

  route(ref: ObjectRef, before: RouteView | undefined, after: RouteView | undefined): void {
    const parents = after?.parents ?? [];
    const kind = ref.kind as RouteKind;
    this.#statuses.set(refKey(ref), parents.length > 0 ? { kind, ref, parents } : undefined);
    this.report(ref, 'view', after?.diagnostics ?? []);
    for (const key of after?.attached ?? []) this.#attachedRoutes.add(key);
    for (const key of before?.attached ?? []) this.#attachedRoutes.remove(key);
    for (const key of [...(before?.attached ?? []), ...(after?.attached ?? [])]) {
      const home = homeOf(key, ref.group);
      this.#statusDue.set(refKey(home), home);
    }
    // First what comes, then what goes, so that what stays is not given up in between.
    for (const { gateway, rules } of after?.gateways ?? []) {
      const resources = this.#resourcesOf(gateway);
      for (const resource of [...rules, ...after!.backends, ...after!.bundles]) resources.add(resource);
      for (const backend of after!.backends) {
        const { key, namespace, service, port } = backend;
        this.#policies.count(gateway, backend, 1);
        if (this.#usedBackends.add(key)) {
          this.#sources.endpoints.observe(
            (_, now) => this.#endpoints.set(key, now),
            namespace,
            service,
            `${port}`,
          );
        }
      }
    }
    for (const { gateway, rules } of before?.gateways ?? []) {
      const resources = this.#resourcesOf(gateway);
      for (const resource of [...rules, ...before!.backends, ...before!.bundles]) resources.remove(resource);
      for (const backend of before!.backends) {
        const { key, namespace, service, port } = backend;
        this.#policies.count(gateway, backend, -1);
        if (this.#usedBackends.remove(key)) this.#sources.endpoints.unobserve(namespace, service, `${port}`);
      }
    }
  }

  /** What changed since the last call. */
  take(): TranslationChange {
    for (const { ref, status, diagnostics, configMaps, leftOut } of this.#policies.take()) {
      this.#statuses.set(refKey(ref), status);
      this.#leaveOut(`${ref.namespace}/${ref.name}`, leftOut);
      this.report(ref, 'view', diagnostics);
      this.#configMaps.replace(this.#policyConfigMaps.get(refKey(ref)) ?? [], configMaps);
      if (configMaps.length > 0) this.#policyConfigMaps.set(refKey(ref), configMaps);
      else this.#policyConfigMaps.delete(refKey(ref));
    }
    for (const [key, ref] of this.#statusDue) this.#statuses.set(key, this.#statusOf(ref));
    this.#statusDue.clear();

    const deltas: SnapshotDelta[] = [];
    const removedGateways: string[] = [];
    for (const key of [...this.#touchedGateways].sort()) {
      const resources = this.#resources.get(key)!;
      if (this.#served.has(key)) {
        const delta = resources.publish();
        if (delta) deltas.push(delta);
      } else {
        if (resources.isPublished) removedGateways.push(key);
        this.#resources.delete(key);
      }
    }
    this.#touchedGateways.clear();
    this.#current = undefined;
    const diagnostics = this.#diagnostics.take();
    return {
      deltas,
      removedGateways,
      statuses: this.#statuses.take(),
      endpoints: this.#endpoints.take(),
      certificates: this.#certificates.take(),
      secrets: this.#secrets.take(),
      configMaps: this.#configMaps.take(),
      infrastructure: this.#infrastructure.take(),
      diagnostics: new Map([...diagnostics].map(([key, each]) => [key, each ?? []])),
    };
  }

  /** Everything as of the last `take`. */
  get current(): Translation {
    this.#current ??= {
      snapshots: sorted(
        new Map([...this.#resources].map(([key, resources]) => [key, resources.snapshot] as const)),
      ),
      statuses: sorted(this.#statuses.values),
      endpoints: sorted(this.#endpoints.values),
      certificates: sorted(this.#certificates.values),
      secrets: sorted(this.#secrets.values),
      configMaps: sorted(this.#configMaps.values),
      infrastructure: sorted(this.#infrastructure.values),
      diagnostics: [...sorted(this.#diagnostics.values).values()].flat(),
    };
    return this.#current;
  }

  #statusOf({ kind, namespace, name }: ObjectRef): ObjectStatus | undefined {
    const countRoutes = (key: ListenerKey) => this.#attachedRoutes.of(key);
    if (kind === 'Gateway') {
      const view = this.#sources.gateways.get(namespace, name);
      return view && gatewayStatus(view, countRoutes, this.#leftOut.findings(gatewayKey(view.id)));
    }
    const view = this.#sources.listenerSets.get(namespace, name);
    return view && listenerSetStatus(view, countRoutes);
  }

  /** A policy is not served on these Gateways: requests to its backends fail there. */
  #leaveOut(policy: string, gateways: readonly string[]): void {
    for (const key of this.#leftOut.replace(policy, gateways)) {
      const [namespace, name] = key.split('/') as [string, string];
      const ref = gatewayRef({ namespace, name });
      this.#statusDue.set(refKey(ref), ref);
      this.report(
        ref,
        'policies',
        this.#leftOut.findings(key).map((finding) => diagnose('gateway', ref, finding)),
      );
      const resources = this.#resources.get(key);
      if (!resources) continue;
      resources.touchBackendsOf(policy);
      this.#touchedGateways.add(key);
    }
  }

  #resourcesOf(gateway: GatewayId): ResourceSet {
    const key = gatewayKey(gateway);
    this.#touchedGateways.add(key);
    let resources = this.#resources.get(key);
    if (!resources) {
      resources = new ResourceSet({ namespace: gateway.namespace, name: gateway.name }, (policy) =>
        this.#leftOut.has(key, policy),
      );
      this.#resources.set(key, resources);
    }
    return resources;
  }

  #useCertificate(id: CertificateId): void {
    if (!this.#usedCertificates.add(id)) return;
    const [namespace, name] = id.split('/') as [string, string];
    this.#sources.certificates.observe((_, now) => this.#certificates.set(id, now), namespace, name);
  }

  #dropCertificate(id: CertificateId): void {
    if (!this.#usedCertificates.remove(id)) return;
    const [namespace, name] = id.split('/') as [string, string];
    this.#sources.certificates.unobserve(namespace, name);
  }
}

/** How often each key is in use. */
class Count {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Whether it is the first. */
  add(key: string): boolean {
    const count = this.of(key) + 1;
    this.#counts.set(key, count);
    return count === 1;
  }

  /** Whether it was the last. */
  remove(key: string): boolean {
    const count = this.of(key) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    return count === 0;
  }
}

/** Objects that are read only because something refers to them, by `namespace/name`. */
class Wanted {
  readonly #count = new Count();
  readonly #ids = new Tracked<true>();

  get values(): ReadonlyMap<string, true> {
    return this.#ids.values;
  }

  /** What one source wants, in place of what it wanted before. */
  replace(before: Iterable<string>, after: Iterable<string>): void {
    for (const id of after) if (this.#count.add(id)) this.#ids.set(id, true);
    for (const id of before) if (this.#count.remove(id)) this.#ids.set(id, undefined);
  }

  take(): Map<string, true | undefined> {
    return this.#ids.take();
  }
}

function sorted<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function homeOf(listener: ListenerKey, group: string): ObjectRef {
  const [, kind, namespace, name] = listener.split('/') as [string, string, string, string];
  return { group, kind, namespace, name };
}

function* allListeners({ listeners, listenerSets }: GatewayView): Generator<ServedListener> {
  yield* listeners;
  for (const set of listenerSets.values()) yield* set.listeners;
}

function* allSecrets(view: GatewayView): Generator<CertificateId> {
  yield* view.secrets;
  for (const { secrets } of allListeners(view)) yield* secrets;
}

function* ownResources(view: GatewayView): Generator<Resource> {
  for (const { programmed, resource, authorities = [] } of allListeners(view)) {
    if (!programmed) continue;
    yield resource!;
    yield* authorities;
  }
  if (view.identity && !view.refusal) yield view.identity;
}

/**
 * Runs the data planes of each Gateway: a Deployment with what belongs to it, in the Gateway's namespace, owned by the Gateway. What is
 * there is compared with what is wanted whenever either changes, and only the difference is written; so it goes on with what an earlier
 * leader made, and puts back what somebody altered. Only a leader writes.
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef, RawObject } from '../api/object.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import type { Infrastructure } from '../translate/translation.ts';
import type { ApiClient } from './cluster/client.ts';
import type { ApiObject, Timings } from './cluster/reflector.ts';
import type { PodView } from './distribution-view.ts';
import { type Address, addressProblem, assignedAddresses, type Problem } from './provisioner/addresses.ts';
import { claimOn } from './provisioner/claim.ts';
import { Followed } from './provisioner/followed.ts';
import { type GeneratedKind, type GeneratedObject, isGateway, ownerOf } from './provisioner/kinds.ts';
import { GATEWAY_NAME_LABEL, generatedName, isManaged } from './provisioner/names.ts';
import { generatedObjects } from './provisioner/objects.ts';
import { Pods } from './provisioner/pods.ts';
import { missingRight } from './provisioner/problems.ts';
import { staticAddresses } from './provisioner/services.ts';
import { Turns } from './provisioner/turns.ts';
import { Writes } from './provisioner/writes.ts';

export interface ProvisionerOptions {
  readonly client: ApiClient;
  /** Asked right before each write. */
  readonly mayWrite: () => boolean;
  /** Of the data planes: that of the control plane. */
  readonly image: string;
  /** Where data planes dial. */
  readonly controlPlane: { readonly host: string; readonly port: number };
  /** What `stateOf` says of the Gateway is something else than before. */
  readonly onState: (gateway: GatewayId) => void;
  /** What went wrong once, as a sentence. */
  readonly onEvent: (message: string) => void;
  readonly timings?: Timings;
}

export interface GatewayState {
  readonly pods: readonly PodView[];
  /** As they are really assigned; absent where none is. */
  readonly addresses?: readonly Address[];
  /** Why the Gateway is not programmed, for that condition. */
  readonly problem?: Problem;
}

interface Entry {
  readonly gateway: GatewayId;
  wanted: Infrastructure | undefined;
  /** What can't be written. */
  problem: Problem | undefined;
  /** What was last said of it. */
  complaint: string | undefined;
  /** Its state, as it was last told. */
  told: string;
}

/** Gateways that are worked on at a time. */
const CONCURRENCY = 8;
/** Milliseconds. */
const RETRY = 30_000;

export class Provisioner {
  readonly #options: ProvisionerOptions;
  readonly #followed: Followed;
  readonly #pods = new Pods();
  readonly #writes: Writes;
  /** Of Gateways that are wanted, and of those that have objects nevertheless. */
  readonly #entries = new Map<string, Entry>();
  readonly #turns: Turns<Entry>;
  /** Everything that is wanted is known. */
  #isTold = false;
  #bundle: string | undefined;
  /** Present while we lead. */
  #session: AbortController | undefined;

  constructor(options: ProvisionerOptions) {
    this.#options = options;
    const { client, onEvent, timings } = options;
    this.#writes = new Writes(client, onEvent);
    this.#turns = new Turns(CONCURRENCY, async (entry) => {
      if (this.#session) await this.#settle(entry, this.#session.signal);
    });
    this.#followed = new Followed({
      client,
      ...(timings ? { timings } : {}),
      onObject: (namespace, before, after) => this.#changed(namespace, before, after),
      onState: (namespace) => {
        if (this.#followed.isKnown(namespace)) this.#writes.retry(namespace);
        for (const entry of this.#entries.values()) {
          if (entry.gateway.namespace === namespace) this.#queue(entry);
        }
      },
    });
  }

  /** By `namespace/name`. The first call is everything; nothing is deleted before it. */
  want(change: ReadonlyMap<string, Infrastructure | undefined>): void {
    this.#isTold = true;
    for (const [key, wanted] of change) {
      const entry = wanted ? this.#entryOf(wanted.gateway) : this.#entries.get(key);
      if (!entry) continue;
      entry.wanted = wanted;
      if (!wanted) entry.problem = undefined;
      this.#queue(entry);
    }
    for (const entry of this.#entries.values()) if (!entry.wanted) this.#queue(entry);
  }

  /** The authorities by which data planes know the control plane, as PEM. Nothing is made before they are known. */
  trust(bundle: string): void {
    if (bundle === this.#bundle) return;
    this.#bundle = bundle;
    for (const entry of this.#entries.values()) this.#queue(entry);
  }

  /**
   * Every version of every Service and EndpointSlice, and of the Gateways and their classes, since one that was let go may be another's
   * now; undefined where it is gone. Others are ignored.
   */
  observe({ group, kind, namespace, name }: ObjectRef, object: RawObject | undefined): void {
    if (kind === 'Service' && group === '') {
      if (object) this.#followed.take({ ...(object as ApiObject), kind });
      else this.#followed.drop(kind, namespace, name);
    } else if (kind === 'EndpointSlice') {
      // It has the labels of its Service.
      const labels = (object as ApiObject | undefined)?.metadata.labels;
      const slice = isManaged(labels) ? object : undefined;
      for (const key of this.#pods.observe(namespace, name, slice, Date.now())) {
        const service = this.#followed.get('Service', namespace, key.slice(namespace.length + 1));
        if (service) this.#changed(namespace, service, service);
      }
    } else if (group === GATEWAY_GROUP && (kind === 'Gateway' || kind === 'GatewayClass')) {
      for (const entry of this.#entries.values()) if (!entry.wanted) this.#queue(entry);
    }
  }

  lead(): void {
    if (this.#session) return;
    this.#session = new AbortController();
    for (const entry of this.#entries.values()) this.#queue(entry);
  }

  /** Stops at once, in the middle of writes too. */
  follow(): void {
    void this.#leave();
  }

  async stop(): Promise<void> {
    await this.#leave();
    this.#entries.clear();
  }

  stateOf(gateway: GatewayId): GatewayState {
    const entry = this.#entries.get(gatewayKey(gateway));
    if (!entry?.wanted) return { pods: [] };
    const name = generatedName(gateway.name, entry.wanted.className);
    const pods = this.#pods.of(`${gateway.namespace}/${name}`);
    const service = this.#followed.get('Service', gateway.namespace, name);
    const addresses = service ? assignedAddresses(service as never) : [];
    const problem = entry.problem ?? (service && addressProblem(entry.wanted, service as never));
    return {
      pods,
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(problem ? { problem } : {}),
    };
  }

  /** Name of the service account of the Gateway's data planes, in its namespace; undefined where there are to be none. */
  accountOf(gateway: GatewayId): string | undefined {
    const wanted = this.#entries.get(gatewayKey(gateway))?.wanted;
    return wanted && generatedName(gateway.name, wanted.className);
  }

  async #leave(): Promise<void> {
    this.#session?.abort();
    this.#session = undefined;
    this.#turns.clear();
    for (const entry of this.#entries.values()) entry.problem = undefined;
    await Promise.all([...this.#followed.namespaces].map((each) => this.#followed.unfollow(each)));
  }

  #entryOf(gateway: GatewayId): Entry {
    const key = gatewayKey(gateway);
    const known = this.#entries.get(key);
    if (known) return known;
    const entry: Entry = {
      gateway: { namespace: gateway.namespace, name: gateway.name },
      wanted: undefined,
      problem: undefined,
      complaint: undefined,
      told: '',
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #changed(namespace: string, before: ApiObject | undefined, after: ApiObject | undefined): void {
    const object = (after ?? before)!;
    const name = ownerNameOf(object) ?? object.metadata.labels?.[GATEWAY_NAME_LABEL];
    if (name === undefined) return;
    // There may be no such Gateway any more, or none that is wanted.
    const entry = this.#entryOf({ namespace, name });
    if (!after && !entry.wanted) this.#writes.forget(before!);
    this.#tell(entry);
    this.#queue(entry);
  }

  #tell(entry: Entry): void {
    const state = canonicalJson(this.stateOf(entry.gateway));
    if (state === entry.told) return;
    entry.told = state;
    this.#options.onState(entry.gateway);
  }

  #queue(entry: Entry): void {
    if (this.#session) this.#turns.queue(entry);
  }

  /** Brings one Gateway to what is wanted. Never throws: what failed is tried again. */
  async #settle(entry: Entry, signal: AbortSignal): Promise<void> {
    const { namespace } = entry.gateway;
    if (!this.#isTold || this.#bundle === undefined || !this.#options.mayWrite()) return;
    const objects = this.#objectsOf(entry);
    if (!entry.wanted && objects.length === 0) return this.#forget(entry);
    this.#followed.follow(namespace);
    if (!this.#followed.isKnown(namespace)) {
      if (entry.wanted && this.#followed.isDenied(namespace)) {
        const name = generatedName(entry.gateway.name, entry.wanted.className);
        this.#report(entry, missingRight(namespace, name));
      }
      return;
    }
    const problem = entry.wanted ? await this.#provide(entry, entry.wanted, signal) : undefined;
    if (signal.aborted) return;
    this.#report(entry, problem);
    await this.#clear(entry, signal);
  }

  async #provide(entry: Entry, wanted: Infrastructure, signal: AbortSignal): Promise<Problem | undefined> {
    const asksForAddress = staticAddresses(wanted.addresses).length > 0;
    let problem: Problem | undefined;
    let again = Number.POSITIVE_INFINITY;
    for (const object of this.#generated(wanted)) {
      // What comes next is another state, or another leader.
      if (signal.aborted || entry.wanted !== wanted || !this.#options.mayWrite()) return entry.problem;
      const { name, namespace } = object.metadata;
      const found = this.#followed.get(object.kind, namespace, name);
      const outcome = await this.#writes.bring(object, entry.gateway, found, signal, asksForAddress);
      if (outcome.object && outcome.object !== found) {
        this.#followed.take({ ...outcome.object, kind: object.kind });
      }
      problem ??= outcome.problem;
      again = Math.min(again, outcome.again ?? Number.POSITIVE_INFINITY);
    }
    if (again === Number.POSITIVE_INFINITY) return problem;
    this.#turns.later(entry, again);
    // What waits to be tried again is no better than it was.
    return problem ?? entry.problem;
  }

  /** Deletes what is needed no longer. */
  async #clear(entry: Entry, signal: AbortSignal): Promise<void> {
    const { wanted } = entry;
    try {
      const superfluous = wanted ? this.#superfluous(entry, wanted) : await this.#abandoned(entry, signal);
      for (const object of superfluous) {
        if (signal.aborted || entry.wanted !== wanted || !this.#options.mayWrite()) return;
        await this.#writes.remove(object, signal);
        const { name, namespace = '' } = object.metadata;
        this.#followed.drop(object.kind as GeneratedKind, namespace, name);
      }
    } catch (error) {
      if (signal.aborted) return;
      const { message } = error as Error;
      this.#complain(entry, `what was made for it and is needed no longer can't be deleted: ${message}`);
      this.#turns.later(entry, RETRY);
    }
  }

  /** What was made under another class stays until the Gateway is served by what replaces it. */
  #superfluous(entry: Entry, wanted: Infrastructure): ApiObject[] {
    const current = generatedName(wanted.gateway.name, wanted.className);
    const kinds = new Set<string>(this.#generated(wanted).map(({ kind }) => kind));
    const isServed = this.stateOf(entry.gateway).pods.some(({ ready }) => ready);
    return this.#objectsOf(entry).filter(({ kind, metadata }) =>
      metadata.name === current ? !kinds.has(kind!) : isServed,
    );
  }

  /**
   * A Gateway that is ours and refused keeps what it has: its addresses would be lost with it. What one leaves that is gone itself is
   * for the garbage collector.
   */
  async #abandoned(entry: Entry, signal: AbortSignal): Promise<ApiObject[]> {
    const claim = await claimOn(entry.gateway, this.#options.client, signal);
    return claim === 'of another' ? this.#objectsOf(entry) : [];
  }

  #generated(wanted: Infrastructure): GeneratedObject[] {
    const { image, controlPlane } = this.#options;
    return generatedObjects(wanted, { image, controlPlane, bundle: this.#bundle! });
  }

  /** Without what has only labels of ours: anybody can write those. */
  #objectsOf({ gateway }: Entry): ApiObject[] {
    return [...this.#followed.in(gateway.namespace)].filter((each) => ownerNameOf(each) === gateway.name);
  }

  #report(entry: Entry, problem: Problem | undefined): void {
    entry.problem = problem;
    if (problem) this.#complain(entry, problem.message);
    else entry.complaint = undefined;
    this.#tell(entry);
  }

  /** Once, however often it is tried again. */
  #complain(entry: Entry, message: string): void {
    if (entry.complaint === message) return;
    entry.complaint = message;
    this.#options.onEvent(`Gateway ${gatewayKey(entry.gateway)}: ${message}`);
  }

  #forget(entry: Entry): void {
    const { namespace } = entry.gateway;
    this.#entries.delete(gatewayKey(entry.gateway));
    this.#turns.cancel(entry);
    if ([...this.#entries.values()].some(({ gateway }) => gateway.namespace === namespace)) return;
    void this.#followed.unfollow(namespace);
  }
}

/** For which Gateway an object was made: that which owns it. */
function ownerNameOf({ metadata }: ApiObject): string | undefined {
  const owner = ownerOf(metadata);
  return owner && isGateway(owner) ? owner.name : undefined;
}

/**
 * One of the replicas leads, by a Lease as client-go takes it: who holds it renews it, who finds that it was not renewed for
 * its whole duration takes it. Times are measured by the clock of who looks, never compared with the other's.
 *
 * Each time that somebody begins to lead has a number of its own, the epoch, which only grows: what a leader of the past
 * sends late is known by it. It is `leaseTransitions`, which begins with the minutes since 1970, so that it grows too where
 * the Lease was deleted in between.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { OWN_GROUP } from '../../api/names.ts';
import { type ApiClient, isStatus } from './client.ts';

export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  /** Default: `gatewright`. */
  readonly name?: string;
  /** Never the same for two processes. */
  readonly identity: string;
  /** Where the other replicas reach this one while it leads; stands in the Lease. */
  readonly address?: () => string | undefined;
  /** Milliseconds after which others may take a Lease that was not renewed. Default: 15 s. */
  readonly duration?: number;
  /** Milliseconds after the last renewal after which the leader gives up; shorter than `duration`. Default: 10 s. */
  readonly deadline?: number;
  /** Milliseconds between attempts. Default: 2 s. */
  readonly period?: number;
  readonly onStarted: (epoch: number) => void;
  /** Called at once, also while a renewal is under way. */
  readonly onStopped: (why: string) => void;
  /** An attempt that failed, as a sentence. */
  readonly onProblem?: (message: string) => void;
}

interface Lease {
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** Annotation of the Lease. */
const ADDRESS = `${OWN_GROUP}/address`;

export interface Leader {
  readonly identity: string;
  readonly epoch: number;
  readonly address?: string;
}

type Optional = 'onProblem' | 'address';

export class LeaderElection {
  readonly #options: Required<Omit<LeaderElectionOptions, Optional>> & Pick<LeaderElectionOptions, Optional>;
  readonly #path: string;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** As last read or written. */
  #lease: Lease | undefined;
  /** Holder and time of renewal as last read, and when we first read them. */
  #observed: string | undefined;
  #observedAt = 0;
  /** Of all that were seen or tried. */
  #highestEpoch = 0;
  #storedEpoch: number | undefined;
  #reported: string | undefined;
  #leading: { readonly epoch: number; until: number } | undefined;
  /** We have written it, or tried to, and nobody else was seen in it since. */
  #mayHold = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = { name: 'gatewright', duration: 15_000, deadline: 10_000, period: 2_000, ...options };
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${this.#options.namespace}/leases`;
  }

  /**
   * The epoch in which we lead now; undefined where another does or may. Looks at the clock: also in a process that was
   * held up it is never true for longer than the Lease allows.
   */
  get epoch(): number | undefined {
    return this.#leading && performance.now() < this.#leading.until ? this.#leading.epoch : undefined;
  }

  /** Who leads as far as we know, ourselves included. */
  get leader(): Leader | undefined {
    const { holderIdentity, leaseTransitions } = this.#lease?.spec ?? {};
    if (!holderIdentity) return undefined;
    const address = this.#lease?.metadata.annotations?.[ADDRESS];
    return { identity: holderIdentity, epoch: leaseTransitions ?? 0, ...(address ? { address } : {}) };
  }

  /** The newest that stands or stood in the Lease, as far as we have seen it; undefined where we could not read it yet. */
  get lastEpoch(): number | undefined {
    return this.#storedEpoch;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Stops leading, and gives the Lease back so that another can lead at once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#lose('it was told to stop');
    await this.#running;
    if (this.#mayHold) await this.#release();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { period } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#attempt();
        this.#reported = undefined;
      } catch (error) {
        // Another was faster, or someone edited it: look again at the next attempt.
        this.#lease = undefined;
        if (!isStatus(error, 409) && !signal.aborted) this.#report((error as Error).message);
      }
      await sleep(period * (0.9 + Math.random() / 5), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Once for each problem, and not at each attempt. */
  #report(message: string): void {
    if (message === this.#reported) return;
    this.#reported = message;
    this.#options.onProblem?.(`The Lease can't be had or renewed: ${message}`);
  }

  async #attempt(): Promise<void> {
    const { identity } = this.#options;
    const began = performance.now();
    // While we lead nobody else writes it, and a conflict tells where somebody did.
    if (!this.#leading || !this.#lease) await this.#look();
    const { holderIdentity } = this.#lease?.spec ?? {};
    if (this.#leading) {
      if (holderIdentity !== identity) return this.#lose(`${holderIdentity || 'nobody'} holds the Lease`);
      await this.#write({
        leaseTransitions: this.#leading.epoch,
        acquireTime: this.#lease!.spec!.acquireTime!,
      });
      return this.#extend(began);
    }
    if (this.#stop.signal.aborted) return;
    if (holderIdentity && performance.now() - this.#observedAt < this.#durationOfHolder) return;
    const epoch = Math.max(this.#highestEpoch + 1, this.#lease ? 0 : minutesSince1970());
    await this.#write({ leaseTransitions: epoch, acquireTime: now() });
    if (this.#stop.signal.aborted || performance.now() - began >= this.#options.deadline) return;
    this.#leading = { epoch, until: 0 };
    this.#extend(began);
    this.#options.onStarted(epoch);
  }

  get #durationOfHolder(): number {
    const seconds = this.#lease?.spec?.leaseDurationSeconds;
    return seconds === undefined ? this.#options.duration : seconds * 1000;
  }

  /** Reads the Lease, and remembers when it last changed by our own clock. */
  async #look(): Promise<void> {
    const { client, name, duration, identity } = this.#options;
    const before = this.#observed;
    const { signal } = this.#stop;
    try {
      this.#lease = await client.get<Lease>(`${this.#path}/${name}`, { timeout: half(duration), signal });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      this.#lease = undefined;
    }
    const { holderIdentity, renewTime, leaseTransitions = 0 } = this.#lease?.spec ?? {};
    this.#highestEpoch = Math.max(this.#highestEpoch, leaseTransitions);
    if (this.#lease) this.#noteStored();
    if (holderIdentity !== identity) this.#mayHold = false;
    const observed = `${holderIdentity} ${renewTime}`;
    if (observed === before) return;
    this.#observed = observed;
    this.#observedAt = performance.now();
  }

  /** Not broken off by `stop`: whether the API server has written it would then be unknown. */
  async #write(spec: { leaseTransitions: number; acquireTime: string }): Promise<void> {
    const { client, name, namespace, identity, duration, deadline } = this.#options;
    const address = this.#options.address?.();
    const annotations = { ...this.#lease?.metadata.annotations };
    delete annotations[ADDRESS];
    if (address !== undefined) annotations[ADDRESS] = address;
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...this.#lease?.metadata, name, namespace, annotations },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(duration / 1000),
        renewTime: now(),
        ...spec,
      },
    };
    this.#highestEpoch = Math.max(this.#highestEpoch, spec.leaseTransitions);
    this.#mayHold = true;
    const timeout = half(deadline);
    this.#lease = this.#lease
      ? await client.call<Lease>('PUT', `${this.#path}/${name}`, { body, timeout })
      : await client.call<Lease>('POST', this.#path, { body, timeout });
    this.#noteStored();
  }

  #noteStored(): void {
    this.#storedEpoch = Math.max(this.#storedEpoch ?? 0, this.#lease?.spec?.leaseTransitions ?? 0);
  }

  /** `began` is when the renewal was asked for: the API server may have written it right then. */
  #extend(began: number): void {
    const { deadline } = this.#options;
    if (!this.#leading) return;
    this.#leading.until = began + deadline;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(
      () => this.#lose(`the Lease could not be renewed for ${deadline / 1000} s`),
      began + deadline - performance.now(),
    );
    this.#deadline.unref();
  }

  #lose(why: string): void {
    clearTimeout(this.#deadline);
    if (!this.#leading) return;
    this.#leading = undefined;
    this.#options.onStopped(why);
  }

  /** Once more where somebody edited it meanwhile. */
  async #release(tries = 2): Promise<void> {
    const { client, name, identity, deadline, onProblem } = this.#options;
    const path = `${this.#path}/${name}`;
    const timeout = half(deadline);
    try {
      // Unknown where our last write had no answer.
      const { metadata, spec } = this.#lease ?? (await client.get<Lease>(path, { timeout }));
      if (spec?.holderIdentity !== identity) return;
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata,
        spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now() },
      };
      await client.call('PUT', path, { body, timeout });
      this.#mayHold = false;
    } catch (error) {
      if (isStatus(error, 404)) return;
      this.#lease = undefined;
      if (isStatus(error, 409) && tries > 1) return this.#release(tries - 1);
      onProblem?.(`The Lease can't be given back: ${(error as Error).message}`);
    }
  }
}

const half = (milliseconds: number) => Math.max(milliseconds / 2, 500);

const minutesSince1970 = () => Math.floor(Date.now() / 60_000);

/** metav1.MicroTime. */
const now = () => new Date().toISOString().replace('Z', '000Z');

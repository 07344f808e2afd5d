/**
 * The control plane's half that talks to the API server: objects from informers go through translate, what translate says
 * of them goes into their status where we lead, and every change is handed on, whoever leads. Nothing is handed on or
 * written before all kinds of objects were read once, nor before the Secrets and ConfigMaps that a change refers to are known: a restart
 * or a new certificate must not look like one that is missing.
 */
import { KINDS, type KindName } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import { type ObjectRef, refKey } from '../api/object.ts';
import type { RegexEngine } from '../match/regex.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { gatewayKey } from '../snapshot/snapshot.ts';
import type {
  Change,
  NamespaceLimits,
  ObjectStatus,
  Translation,
  TranslationChange,
  Withhold,
} from '../translate/translation.ts';
import { Translator } from '../translate/translator.ts';
import type { ApiClient } from './cluster/client.ts';
import { collectionDiagnostics } from './cluster/collection-diagnostics.ts';
import { FollowedByName, type NamedKind, namedRef } from './cluster/followed-by-name.ts';
import { GrantsUnread } from './cluster/grants-unread.ts';
import { Informers } from './cluster/informers.ts';
import { crdDiagnostics, GATEWAY_KINDS, InstalledCrds, supportedVersion } from './cluster/installed-crds.ts';
import { joinedChange } from './cluster/joined-change.ts';
import { type Leader, LeaderElection, type LeaderElectionOptions } from './cluster/leader-election.ts';
import { type ApiObject, type CollectionState, TIMINGS, type Timings } from './cluster/reflector.ts';
import { StatusWriter } from './status-writer.ts';
import type { WantedStatus } from './status-writer-merge.ts';

export interface ClusterOptions {
  readonly client: ApiClient;
  readonly regex: RegexEngine;
  /** As in TranslateOptions. */
  readonly limits?: Partial<NamespaceLimits>;
  /** Where the Lease is: the namespace that we run in. */
  readonly namespace: string;
  /** Never the same for two processes. */
  readonly identity: string;
  /** The first change is everything. */
  readonly onChange: (change: TranslationChange) => void;
  /** All that is wrong with the cluster or our rights in it, whenever it is something else than before. */
  readonly onProblems: (problems: readonly Diagnostic[]) => void;
  /** What went wrong once, such as a write that failed, as a sentence. */
  readonly onEvent: (message: string) => void;
  /** Before the first write of that time. */
  readonly onLeading?: (epoch: number | undefined) => void;
  /**
   * What only others know of a status, such as addresses; undefined where it is not known yet, and then the status stays as it
   * is. Where it changes, call `reconsider`. Asked right after `onChange`.
   */
  readonly complete?: (status: ObjectStatus) => WantedStatus | undefined;
  /** Milliseconds that a batch of changes took to translate. */
  readonly onTranslated?: (milliseconds: number) => void;
  /** Every version of every object that is read, but of Secrets and ConfigMaps, as it comes; undefined where it is gone. */
  readonly onObject?: (ref: ObjectRef, object: ApiObject | undefined) => void;
  readonly timings?: Timings;
  readonly election?: Pick<LeaderElectionOptions, 'name' | 'duration' | 'deadline' | 'period' | 'address'>;
}

const INFORMED: readonly KindName[] = (Object.keys(KINDS) as KindName[]).filter(
  (kind) => kind !== 'Secret' && kind !== 'ConfigMap',
);
const WITH_STATUS: ReadonlySet<string> = new Set([
  ...GATEWAY_KINDS.filter((kind) => kind !== 'ReferenceGrant'),
  'GatewayPolicy',
  'Grant',
  'RoutePolicy',
]);

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #translator: Translator;
  readonly #informers: Informers;
  readonly #crds: InstalledCrds;
  readonly #grantsUnread = new GrantsUnread();
  readonly #secrets: FollowedByName;
  readonly #configMaps: FollowedByName;
  readonly #election: LeaderElection;
  readonly #writer: StatusWriter;
  /** What translate said and nobody was told yet. */
  #held: TranslationChange | undefined;
  #published = false;
  /** Those that were handed on and are still there. */
  readonly #gateways = new Set<string>();
  /** As translate last said, by object key. */
  readonly #statuses = new Map<string, ObjectStatus>();
  #problems: readonly Diagnostic[] = [];
  #sequence = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { client, regex, limits, namespace, identity, onEvent, timings = TIMINGS } = options;
    this.#translator = new Translator({ regex, classes: 'own', ...(limits ? { limits } : {}) });
    const onVersion = (resourceVersion: string) => {
      this.#sequence = Math.max(this.#sequence, sequenceOf(resourceVersion));
    };
    this.#informers = new Informers({
      client,
      kinds: INFORMED,
      timings,
      onChanges: (changes) => this.#apply(changes),
      onObject: (ref, object) => {
        if (WITH_STATUS.has(ref.kind)) this.#writer.observe(ref, object);
        if (this.#grantsUnread.observe(ref, object)) this.#review();
        options.onObject?.(ref, object);
      },
      onVersion,
      onState: () => this.#review(),
    });
    this.#crds = new InstalledCrds(client, () => this.#crdsChanged(), timings);
    const followed = (kind: NamedKind) =>
      new FollowedByName(kind, client, (change) => this.#apply([change]), timings, onVersion);
    this.#secrets = followed('Secret');
    this.#configMaps = followed('ConfigMap');
    this.#election = new LeaderElection({
      client,
      namespace,
      identity,
      ...options.election,
      onStarted: (epoch) => {
        options.onLeading?.(epoch);
        this.#write();
      },
      onStopped: (why) => {
        this.#writer.stop();
        onEvent(`This replica leads no longer: ${why}.`);
        options.onLeading?.(undefined);
      },
      onProblem: onEvent,
    });
    this.#writer = new StatusWriter({
      client,
      mayWrite: () => this.#election.epoch !== undefined,
      onProblem: (ref, message) => onEvent(`${refKey(ref)}: ${message}`),
    });
  }

  /** Everything as of now, whether it was handed on or not. */
  get translation(): Translation {
    return this.#translator.current;
  }

  /** Whether everything was read and handed on once. */
  get synced(): boolean {
    return this.#published;
  }

  /** Number of our time as leader, and part of every version of that time; undefined where another leads. */
  get epoch(): number | undefined {
    return this.#election.epoch;
  }

  get leader(): Leader | undefined {
    return this.#election.leader;
  }

  /** The newest epoch that we know of, whoever leads; undefined where the Lease could not be read yet. */
  get lastEpoch(): number | undefined {
    return this.#election.lastEpoch;
  }

  /**
   * How far everything was read, as a number that means the same in every replica: the highest resource version. It grows with
   * changes that concern nobody here too, and so a replica that missed what was deleted catches up with the others.
   */
  get sequence(): number {
    return this.#sequence;
  }

  /** How it stands with each kind that is read. */
  get collections(): ReadonlyMap<KindName, CollectionState> {
    return new Map(INFORMED.map((kind) => [kind, this.#informers.stateOf(kind)!]));
  }

  get problems(): readonly Diagnostic[] {
    return this.#problems;
  }

  /** Status writes that the API server has taken. */
  get statusWrites(): number {
    return this.#writer.writes;
  }

  start(): void {
    this.#crds.start();
    this.#informers.start();
    this.#election.start();
  }

  /** Gives the Lease back, so that another replica leads at once. */
  async stop(): Promise<void> {
    await this.#election.stop();
    const followed = [this.#secrets, this.#configMaps];
    await Promise.all([this.#informers, this.#crds, ...followed].map((each) => each.stop()));
  }

  /** Puts together anew what an object's status should say, after something changed that `complete` knows. */
  reconsider(ref: ObjectRef): void {
    const status = this.#statuses.get(refKey(ref));
    if (status) this.#want(refKey(ref), status);
  }

  /** The same for every object, where `complete` has begun to answer otherwise. */
  reconsiderAll(): void {
    for (const [key, status] of this.#statuses) this.#want(key, status);
  }

  #apply(changes: readonly (Change | Withhold)[]): void {
    const { secrets, configMaps } = this.#translate(changes);
    this.#secrets.want(secrets);
    this.#configMaps.want(configMaps);
    const forgotten = [...unwanted('Secret', secrets), ...unwanted('ConfigMap', configMaps)];
    if (forgotten.length > 0) this.#translate(forgotten);
    this.#publish();
  }

  #translate(changes: readonly (Change | Withhold)[]): TranslationChange {
    const began = performance.now();
    const change = this.#translator.apply(changes);
    this.#options.onTranslated?.(performance.now() - began);
    this.#held = this.#held ? joinedChange(this.#held, change, this.#gateways) : change;
    return change;
  }

  #publish(): void {
    if (!this.#held || this.#crds.state.phase === 'starting') return;
    if (this.#secrets.pending || this.#configMaps.pending) return;
    const change = this.#held;
    this.#held = undefined;
    for (const { gateway } of change.deltas) this.#gateways.add(gatewayKey(gateway));
    for (const key of change.removedGateways) this.#gateways.delete(key);
    this.#options.onChange(change);
    for (const [key, status] of change.statuses) this.#want(key, status);
    if (this.#published) return;
    this.#published = true;
    this.#write();
  }

  /** Only where it is known of every object what it should say: else entries of ours would be taken for leftovers. */
  #write(): void {
    if (this.#published && this.#election.epoch !== undefined) this.#writer.start();
  }

  #want(key: string, status: ObjectStatus | undefined): void {
    if (!status) {
      this.#statuses.delete(key);
      this.#writer.want(refFromKey(key), undefined);
      return;
    }
    this.#statuses.set(key, status);
    const { complete: completed = (whole: ObjectStatus) => whole } = this.#options;
    const complete = completed(status);
    if (!complete) this.#writer.hold(status.ref);
    else
      this.#writer.want(
        status.ref,
        complete.kind === 'GatewayClass' ? this.#withVersion(complete) : complete,
      );
  }

  #withVersion(status: Extract<WantedStatus, { kind: 'GatewayClass' }>): WantedStatus {
    // Where we may not read them there is nothing to say.
    if (this.#crds.state.phase === 'denied') return status;
    const observedGeneration = status.conditions[0]?.observedGeneration ?? 0;
    const condition = { ...supportedVersion(this.#crds.bundles), observedGeneration };
    return { ...status, conditions: [...status.conditions, condition] };
  }

  #crdsChanged(): void {
    this.#informers.poke();
    this.#review();
    this.#publish();
    for (const [key, status] of this.#statuses) {
      if (status.kind === 'GatewayClass') this.#want(key, status);
    }
  }

  #review(): void {
    const states = this.collections;
    const absent = new Set(INFORMED.filter((kind) => states.get(kind)!.phase === 'absent'));
    const problems = [
      ...collectionDiagnostics(states, this.#crds.state),
      ...(this.#crds.state.phase === 'synced' ? crdDiagnostics(this.#crds.bundles, absent) : []),
      ...this.#grantsUnread.diagnostics(absent.has('Grant')),
    ];
    if (canonicalJson(problems) === canonicalJson(this.#problems)) return;
    this.#problems = problems;
    this.#options.onProblems(problems);
  }
}

const unwanted = (kind: NamedKind, changes: ReadonlyMap<string, true | undefined>) =>
  [...changes].flatMap(([id, wanted]) => (wanted ? [] : [{ remove: namedRef(kind, id) }]));

/** Resource versions are decimal numbers in one order for all kinds, as long as they are in one store, which is the rule. */
function sequenceOf(resourceVersion: string): number {
  const sequence = Number(resourceVersion);
  return Number.isSafeInteger(sequence) ? sequence : 0;
}

function refFromKey(key: string): ObjectRef {
  const [kind, ...rest] = key.split('/') as [string, string, ...string[]];
  const [namespace, name] = rest.length > 1 ? (rest as [string, string]) : ['', rest[0]!];
  return { group: GATEWAY_GROUP, kind, namespace, name };
}

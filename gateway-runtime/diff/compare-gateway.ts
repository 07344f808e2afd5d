/** The regions of one Gateway: port by port, host class by host class, only where listeners or rules differ. */
import { ANY_HOST } from '../match/hostname.ts';
import type { CaBundleKey, Listener } from '../snapshot/snapshot.ts';
import { gatewayKey, type Snapshot } from '../snapshot/snapshot.ts';
import { BucketChanges } from './changed-entries.ts';
import { compareTls } from './compare-tls.ts';
import type { EditedRoutes } from './diff.ts';
import { changeOfDoor, type DoorChange, doorOf } from './door.ts';
import type { Expressions } from './expressions.ts';
import { GatewaySide } from './gateway-side.ts';
import { hostnamesFor, hostOf, mostSpecific } from './hosts.ts';
import { type Parting, partings } from './misdirected.ts';
import { NOT_SERVED, type Outcome } from './outcome.ts';
import type { Region } from './region.ts';
import { type Place, RegionSet, type ServedRequest } from './region-set.ts';
import type { Entry, RuleBucket } from './rule-bucket.ts';
import { type Chain, conditionsOf, type RuleChange, ruleChanges } from './rule-changes.ts';
import { isServedBy } from './verify.ts';
import { findWitness, type WitnessRequest } from './witness.ts';

/** Host classes at which a witness is looked for before a region is left as possible. */
const MOST_TRIED = 8;

export class GatewayComparison {
  readonly #before: GatewaySide;
  readonly #after: GatewaySide;
  readonly #expressions: Expressions;
  readonly #buckets: BucketChanges;
  readonly #regions: RegionSet;

  constructor(
    before: Snapshot | undefined,
    after: Snapshot | undefined,
    expressions: Expressions,
    edited: EditedRoutes,
    written: EditedRoutes | undefined,
  ) {
    this.#before = new GatewaySide(before);
    this.#after = new GatewaySide(after);
    this.#expressions = expressions;
    this.#buckets = new BucketChanges(this.#before, this.#after);
    this.#regions = new RegionSet(gatewayKey((after ?? before)!.gateway), edited, written, expressions);
  }

  regions(): Region[] {
    const ports = new Set([...this.#before.ports, ...this.#after.ports]);
    for (const port of [...ports].sort((a, b) => a - b)) this.#comparePort(port);
    return this.#regions.all();
  }

  #comparePort(port: number): void {
    const was = this.#before.listeners(port);
    const is = this.#after.listeners(port);
    const classes = new Set<string>([ANY_HOST]);
    for (const [side, listeners] of [
      [this.#before, was],
      [this.#after, is],
    ] as const) {
      for (const [hostname, listener] of listeners) {
        classes.add(hostname);
        for (const each of side.hostnames(listener)) classes.add(each);
      }
    }
    const places: Place[] = [];
    for (const host of classes) {
      const hostnames = hostnamesFor(host);
      const before = mostSpecific(was, hostnames);
      const after = mostSpecific(is, hostnames);
      if (!before && !after) continue;
      const at: Place = {
        port,
        host,
        witnessHost: () => hostOf(host, classes),
        before: doorOf(this.#before, port, before),
        after: doorOf(this.#after, port, after),
      };
      places.push(at);
      this.#compareHost(at, hostnames);
    }
    for (const parting of partings(places)) this.#hostsPart(parting);
    compareTls(port, this.#before, this.#after, this.#regions);
  }

  #hostsPart({ place, other, isSplit }: Parting): void {
    const hostnames = hostnamesFor(place.host);
    const before = this.#chain(this.#before, place.before.listener!, hostnames);
    const after = this.#chain(this.#after, place.after.listener!, hostnames);
    const was = this.#served(place, this.#before, before)?.request;
    const is = this.#served(place, this.#after, after)?.request;
    // What no rule takes on one side is told as that.
    if (!was || !is) return;
    this.#regions.addParting(place, isSplit, after.buckets, isSplit ? was : is, other.witnessHost());
  }

  #compareHost(at: Place, hostnames: readonly string[]): void {
    const was = at.before.listener;
    const is = at.after.listener;
    if (!was && !is) return;
    if (!was || !is) {
      this.#opensOrCloses(at, hostnames);
      return;
    }
    const change = was === is ? undefined : changeOfDoor(was, is, (each, side) => this.#bundles(each, side));
    if (change) this.#doorChanges(at, change, this.#chain(this.#before, was, hostnames));
    if (was.protocol === is.protocol) this.#compareRules(at, hostnames, was, is);
  }

  #compareRules(at: Place, hostnames: readonly string[], was: Listener, is: Listener): void {
    const changes = hostnames.map((hostname) => this.#buckets.of(hostname, was, is));
    if (changes.every(({ before, after }) => before.length + after.length === 0)) return;
    const before = this.#chain(this.#before, was, hostnames, new Set(changes.flatMap((each) => each.before)));
    const after = this.#chain(this.#after, is, hostnames, new Set(changes.flatMap((each) => each.after)));
    const differs = (one: Entry | undefined, other: Entry | undefined) =>
      this.#outcome(this.#before, one).key !== this.#outcome(this.#after, other).key;
    for (const change of ruleChanges(before, after, differs, this.#expressions)) {
      this.#regions.addRule(
        at,
        change,
        this.#outcome(this.#before, change.before),
        this.#outcome(this.#after, change.after),
        (tried) => (tried < MOST_TRIED ? this.#witness(at, change, before, after) : undefined),
      );
    }
  }

  #outcome(side: GatewaySide, entry: Entry | undefined): Outcome {
    return entry ? side.outcomes.of(entry.rule, entry.match) : NOT_SERVED;
  }

  #witness(at: Place, change: RuleChange, before: Chain, after: Chain): WitnessRequest | undefined {
    const { set, others } = change;
    const found = findWitness(
      set,
      at.witnessHost(),
      conditionsOf(others, this.#expressions),
      this.#expressions,
    );
    if (!found) return undefined;
    const verified =
      isServedBy(change.before, this.#before, before, at.port, found, this.#expressions) &&
      isServedBy(change.after, this.#after, after, at.port, found, this.#expressions);
    return verified ? found : undefined;
  }

  #doorChanges(at: Place, change: DoorChange, chain: Chain): void {
    const served = this.#served(at, this.#before, chain);
    // Where no rule takes anything, only what is shown to clients and asked of them can differ.
    if (!served && at.before.listener!.protocol !== at.after.listener!.protocol) return;
    this.#regions.addDoor(at, change, chain.buckets, served);
  }

  /** One region for the whole listener, where its rules have a way in on one side only. */
  #opensOrCloses(at: Place, hostnames: readonly string[]): void {
    const { listener } = at.before;
    const side = listener ? this.#before : this.#after;
    const chain = this.#chain(side, (listener ?? at.after.listener)!, hostnames);
    const served = this.#served(at, side, chain);
    if (served) this.#regions.addWay(at, served.outcome.errors, chain.buckets, served.request);
  }

  /** A request that is served without an error, if there is one, else any; undefined where no rule takes anything. */
  #served(at: Place, side: GatewaySide, chain: Chain): ServedRequest | undefined {
    let best: ServedRequest | undefined;
    for (const { after, set, others } of ruleChanges(NO_RULES, allOf(chain), () => true, this.#expressions)) {
      const outcome = this.#outcome(side, after);
      if (best?.request && outcome.errors === 1) continue;
      const found = findWitness(
        set,
        at.witnessHost(),
        conditionsOf(others, this.#expressions),
        this.#expressions,
      );
      const isTrue = found && isServedBy(after, side, chain, at.port, found, this.#expressions);
      if (!isTrue && best) continue;
      best = { request: isTrue ? found : undefined, outcome };
      if (isTrue && outcome.errors < 1) break;
    }
    return best;
  }

  #chain(
    side: GatewaySide,
    listener: Listener,
    hostnames: readonly string[],
    changed: ReadonlySet<Entry> = NO_ENTRIES,
  ): Chain {
    const buckets: RuleBucket[] = [];
    for (const hostname of hostnames) {
      const bucket = side.bucket(listener, hostname);
      if (bucket) buckets.push(bucket);
      if (bucket?.takesEverything) break;
    }
    if (changed.size === 0) return { buckets, changed };
    return { buckets, changed: new Set([...changed].filter((each) => isAmong(each, buckets))) };
  }

  #bundles({ clientCertificates }: Listener, side: 'before' | 'after'): unknown {
    const { snapshot } = side === 'before' ? this.#before : this.#after;
    const hashOf = (key: CaBundleKey) => snapshot!.resources.find((each) => each.key === key)?.hash;
    return clientCertificates?.authorities.map(hashOf).sort();
  }
}

const NO_ENTRIES: ReadonlySet<Entry> = new Set();
const NO_RULES: Chain = { buckets: [], changed: NO_ENTRIES };

const allOf = ({ buckets }: Chain): Chain => ({
  buckets,
  changed: new Set(buckets.flatMap(({ entries }) => entries)),
});

const isAmong = ({ hostname }: Entry, buckets: readonly RuleBucket[]) =>
  buckets.some((each) => each.hostname === hostname);

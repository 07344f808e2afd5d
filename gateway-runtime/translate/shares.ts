/**
 * What the routes of one namespace take up of one Gateway, held under limits, so that one tenant of a shared Gateway can't
 * take it from the others. The oldest routes are kept; from the first that does not fit any more, the newer ones are left
 * out, so that what serves goes on serving. A change costs the routes that it moves across that line.
 */
import type { ObjectRef } from '../api/object.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import { diagnose, type Finding, named } from './findings.ts';
import type { Input, Memo } from './memo.ts';
import type { Outputs } from './outputs.ts';
import type { RoutePlaces } from './route-places.ts';
import { gatewayRef } from './status.ts';
import type { NamespaceLimits } from './translation.ts';

/**
 * More than teams need, and less than slows a Gateway down. A single expression is bounded by the engine.
 */
export const DEFAULT_LIMITS: NamespaceLimits = { rules: 5000, matches: 10_000, regexCharacters: 65_536 };

const MEASURES = ['rules', 'matches', 'regexCharacters'] as const satisfies (keyof NamespaceLimits)[];

export class Shares {
  readonly #limits: NamespaceLimits;
  /** Routes that are left out, by namespace and name of Gateway and route. */
  readonly #leftOut: Input<true>;
  readonly #shares = new Map<string, Share>();
  readonly #touched = new Set<Share>();

  constructor(memo: Memo, limits: NamespaceLimits) {
    this.#leftOut = memo.input();
    this.#limits = limits;
  }

  /** Whether a route is beyond the limits by itself, so that no Gateway takes it. */
  isTooLarge(takes: NamespaceLimits): boolean {
    return !isWithin(takes, this.#limits);
  }

  /** Why a route that attaches to a Gateway is not taken there. */
  refusal(gateway: GatewayId, route: ObjectRef, takes: NamespaceLimits): Finding | undefined {
    const alone = this.isTooLarge(takes);
    if (!alone && !this.#leftOut.get(gateway.namespace, gateway.name, route.namespace, claimName(route))) {
      return undefined;
    }
    const has = alone
      ? 'the route alone has'
      : `older routes of namespace ${route.namespace} leave no room for`;
    return {
      reason: 'LimitExceeded',
      message: `${has} ${inWords(takes)}; ${named(gatewayRef(gateway))} takes at most ${inWords(this.#limits)} from the routes of one namespace`,
      fix: alone
        ? 'make the route smaller'
        : `remove rules or routes from namespace ${route.namespace}, move some to another Gateway, or have the platform raise the limit`,
      related: [gatewayRef(gateway)],
    };
  }

  /** Takes note of a route that came, changed or went. */
  route(route: ObjectRef, before: RoutePlaces | undefined, after: RoutePlaces | undefined): void {
    const [left, joined] = [this.#gatewaysOf(before), this.#gatewaysOf(after)];
    const isAsBefore = before?.created === after?.created && sameAmount(before?.takes, after?.takes);
    for (const [key, gateway] of left) {
      if (!isAsBefore || !joined.has(key)) this.#shareOf(gateway, route.namespace).remove(claimName(route));
    }
    for (const [key, gateway] of joined) {
      if (isAsBefore && left.has(key)) continue;
      this.#shareOf(gateway, route.namespace).add({
        name: claimName(route),
        created: after!.created,
        takes: after!.takes,
      });
    }
  }

  /** Makes known which routes are left out now. Not while the memo settles. */
  settle(outputs: Outputs): void {
    for (const share of this.#touched) {
      const { gateway, namespace } = share;
      for (const [name, isLeftOut] of share.takeChanges()) {
        this.#leftOut.set(isLeftOut ? true : undefined, gateway.namespace, gateway.name, namespace, name);
      }
      const excess = share.excess();
      const ref = gatewayRef(gateway);
      outputs.report(ref, `share ${namespace}`, excess ? [diagnose('gateway', ref, excess, 'warning')] : []);
      if (share.isEmpty) this.#shares.delete(shareKey(gateway, namespace));
    }
    this.#touched.clear();
  }

  /** Where it has a share: not where it attaches to nothing, or is too large by itself. */
  #gatewaysOf(route: RoutePlaces | undefined): ReadonlyMap<string, GatewayId> {
    const gateways = new Map<string, GatewayId>();
    if (!route || this.isTooLarge(route.takes)) return gateways;
    for (const place of route.places) {
      if (place && !place.refusal) gateways.set(gatewayKey(place.gateway), place.gateway);
    }
    return gateways;
  }

  #shareOf(gateway: GatewayId, namespace: string): Share {
    const key = shareKey(gateway, namespace);
    const share = this.#shares.get(key) ?? new Share(gateway, namespace, this.#limits);
    this.#shares.set(key, share);
    this.#touched.add(share);
    return share;
  }
}

const shareKey = (gateway: GatewayId, namespace: string) => `${gatewayKey(gateway)}/${namespace}`;

/** Routes of two kinds may have one name. */
const claimName = ({ kind, name }: ObjectRef) => `${name} ${kind}`;

interface Claim {
  /** As `claimName` gives it. */
  readonly name: string;
  readonly created: number;
  readonly takes: NamespaceLimits;
}

/** The routes of one namespace on one Gateway. */
class Share {
  readonly gateway: GatewayId;
  readonly namespace: string;
  readonly #limits: NamespaceLimits;
  /** Oldest first. */
  readonly #claims: Claim[] = [];
  readonly #byName = new Map<string, Claim>();
  /** So many of the oldest are kept, and take this. */
  #kept = 0;
  readonly #used = { rules: 0, matches: 0, regexCharacters: 0 };
  readonly #asked = { rules: 0, matches: 0, regexCharacters: 0 };
  /** As was made known. */
  readonly #leftOut = new Set<string>();
  readonly #touched = new Set<string>();

  constructor(gateway: GatewayId, namespace: string, limits: NamespaceLimits) {
    this.gateway = gateway;
    this.namespace = namespace;
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#claims.length === 0;
  }

  add(claim: Claim): void {
    const index = this.#indexOf(claim);
    this.#claims.splice(index, 0, claim);
    this.#byName.set(claim.name, claim);
    this.#touched.add(claim.name);
    change(this.#asked, claim.takes, 1);
    if (index < this.#kept) {
      this.#kept++;
      change(this.#used, claim.takes, 1);
    }
    this.#moveLine();
  }

  remove(name: string): void {
    const claim = this.#byName.get(name)!;
    const index = this.#indexOf(claim);
    this.#claims.splice(index, 1);
    this.#byName.delete(name);
    this.#touched.add(name);
    change(this.#asked, claim.takes, -1);
    if (index < this.#kept) {
      this.#kept--;
      change(this.#used, claim.takes, -1);
    }
    this.#moveLine();
  }

  /** Of each route that is left out or taken back since the last call: whether it is left out. */
  *takeChanges(): Generator<readonly [name: string, isLeftOut: boolean]> {
    for (const name of this.#touched) {
      const claim = this.#byName.get(name);
      const isLeftOut = claim !== undefined && this.#indexOf(claim) >= this.#kept;
      if (isLeftOut === this.#leftOut.has(name)) continue;
      if (isLeftOut) this.#leftOut.add(name);
      else this.#leftOut.delete(name);
      yield [name, isLeftOut];
    }
    this.#touched.clear();
  }

  /** For whoever owns the Gateway. */
  excess(): Finding | undefined {
    const left = this.#claims.length - this.#kept;
    if (left === 0) return undefined;
    return {
      reason: 'LimitExceeded',
      message: `routes of namespace ${this.namespace} ask for ${inWords(this.#asked)}, and at most ${inWords(this.#limits)} are taken from one namespace: the newest ${left} of ${this.#claims.length} routes are left out`,
      fix: 'have the namespace remove rules or routes, give it a Gateway of its own, or raise the limit',
    };
  }

  /** To where the routes before it are within the limits, and would not be with the next one. */
  #moveLine(): void {
    while (!isWithin(this.#used, this.#limits)) {
      const claim = this.#claims[--this.#kept]!;
      change(this.#used, claim.takes, -1);
      this.#touched.add(claim.name);
    }
    for (; this.#kept < this.#claims.length; this.#kept++) {
      const claim = this.#claims[this.#kept]!;
      change(this.#used, claim.takes, 1);
      if (!isWithin(this.#used, this.#limits)) {
        change(this.#used, claim.takes, -1);
        return;
      }
      this.#touched.add(claim.name);
    }
  }

  /** Where it is, or would be. */
  #indexOf({ created, name }: Claim): number {
    let [low, high] = [0, this.#claims.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#claims[middle]!;
      if (other.created < created || (other.created === created && other.name < name)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isWithin(amount: NamespaceLimits, limits: NamespaceLimits): boolean {
  return MEASURES.every((measure) => amount[measure] <= limits[measure]);
}

function sameAmount(a: NamespaceLimits | undefined, b: NamespaceLimits | undefined): boolean {
  return MEASURES.every((measure) => a?.[measure] === b?.[measure]);
}

function change(sum: { -readonly [K in keyof NamespaceLimits]: number }, by: NamespaceLimits, sign: 1 | -1) {
  for (const measure of MEASURES) sum[measure] += sign * by[measure];
}

function inWords({ rules, matches, regexCharacters }: NamespaceLimits): string {
  const expressions = counted(regexCharacters, 'character', 'characters');
  return `${counted(rules, 'rule', 'rules')}, ${counted(matches, 'match', 'matches')} and ${expressions} of regular expressions`;
}

const counted = (count: number, one: string, more: string) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : more}`;

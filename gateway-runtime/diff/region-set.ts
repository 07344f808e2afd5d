/** Regions as they are found, those of one pair of rules at several hosts and listeners put together. */
import { ruleField } from '../snapshot/rule-field.ts';
import type { HttpMatch, HttpRule, Listener } from '../snapshot/snapshot.ts';

import type { EditedRoutes } from './diff.ts';
import { type Door, type DoorChange, doorInWords } from './door.ts';
import type { Expressions } from './expressions.ts';
import { NOT_SERVED, type Outcome } from './outcome.ts';
import { type Region, type RegionSide, type RegionSource, severityOf, type Witness } from './region.ts';
import type { Entry, RuleBucket } from './rule-bucket.ts';
import { conditionsOf, type RuleChange } from './rule-changes.ts';
import { namesPort, type WitnessRequest } from './witness.ts';

/** One class of hosts at one port. */
export interface Place {
  readonly port: number;
  readonly host: string;
  /** A host of the class. */
  readonly witnessHost: () => string;
  readonly before: Door;
  readonly after: Door;
}

interface Group {
  readonly before: RegionSide;
  readonly after: RegionSide;
  readonly change?: RuleChange;
  readonly severity: Region['severity'];
  readonly isOverOther?: true;
  readonly extents: Map<string, { listener: Listener; hosts: string[]; others: readonly HttpMatch[] }>;
  /** Of doors: whatever is behind them. */
  readonly rules: Set<HttpRule>;
  readonly authors: readonly string[];
  tried: number;
  witness: Witness | undefined;
}

export class RegionSet {
  readonly #gateway: string;
  readonly #edited: EditedRoutes;
  readonly #expressions: Expressions;
  readonly #groups = new Map<string, Group>();

  constructor(gateway: string, edited: EditedRoutes, expressions: Expressions) {
    this.#expressions = expressions;
    this.#gateway = gateway;
    this.#edited = edited;
  }

  /** @param find a verified request; told how often it was looked for in vain, and not asked once there is one */
  addRule(
    at: Place,
    change: RuleChange,
    before: Outcome,
    after: Outcome,
    find: (tried: number) => WitnessRequest | undefined,
  ): void {
    const key = `${entryKey(change.before)} ${entryKey(change.after)} ${before.key} ${after.key}`;
    const group = this.#group(key, () => ({
      before: sideOf(change.before, before),
      after: sideOf(change.after, after),
      change,
      severity: severityOf(before, after),
      authors: this.#authors(at, change),
    }));
    this.#add(group, at, change);
    if (!group.witness) group.witness = witnessAt(at, find(group.tried++));
  }

  /** All rules of a listener had a way in before, or have one now, and have none on the other side. */
  addWay(
    at: Place,
    errors: number,
    buckets: readonly RuleBucket[],
    request: WitnessRequest | undefined,
  ): void {
    const listener = (at.before.listener ?? at.after.listener)!;
    const open = doorSide(listener, errors);
    const closed = (at.before.closed ?? at.after.closed)!;
    const shut: RegionSide = { outcome: { ...NOT_SERVED, text: closed } };
    const [before, after] = at.before.listener ? [open, shut] : [shut, open];
    const group = this.#group(`way ${listener.key} ${closed} ${errors === 1}`, () => ({
      before,
      after,
      severity: errors === 1 ? 'altered' : at.before.listener ? 'lost' : 'new',
      authors: [listener.source.namespace],
    }));
    this.#addDoor(group, at, buckets, request);
  }

  /** A listener that serves as before, and asks something else of clients, or shows them something else. */
  addDoor(
    at: Place,
    change: DoorChange,
    buckets: readonly RuleBucket[],
    request: WitnessRequest | undefined,
  ): void {
    const was = at.before.listener!;
    const is = at.after.listener!;
    const group = this.#group(`door ${was.key} ${is.key}`, () => ({
      before: doorSide(was),
      after: doorSide(is),
      severity: change.isLess ? 'lost' : 'altered',
      authors: [is.source.namespace],
    }));
    const any = { method: 'GET', host: at.witnessHost(), path: '/', query: '', headers: [] };
    this.#addDoor(group, at, buckets, request ?? any);
    if (change.isForThoseWithout) group.witness = { ...group.witness!, withoutCertificate: true };
  }

  /** Requests over a connection for another host get 421, or got it. */
  addParting(
    at: Place,
    isSplit: boolean,
    buckets: readonly RuleBucket[],
    request: WitnessRequest,
    serverName: string,
  ): void {
    const was = at.before.listener!;
    const is = at.after.listener!;
    const [one, own] = isSplit ? [was, is] : [is, was];
    const served: RegionSide = {
      ...doorSide(one),
      outcome: {
        ...NOT_SERVED,
        key: 'open',
        errors: 0,
        text: 'served over a connection for another host too',
      },
    };
    const text = '421 over a connection for another host, and served over one of its own';
    const refused: RegionSide = { ...doorSide(own), outcome: { ...NOT_SERVED, status: 421, text } };
    const [before, after] = isSplit ? [served, refused] : [refused, served];
    const group = this.#group(`421 ${was.key} ${is.key} ${isSplit}`, () => ({
      before,
      after,
      severity: 'altered',
      isOverOther: true,
      authors: [own.source.namespace],
    }));
    this.#addDoor(group, at, buckets, request);
    group.witness = { ...group.witness!, serverName };
  }

  #addDoor(
    group: Group,
    at: Place,
    buckets: readonly RuleBucket[],
    request: WitnessRequest | undefined,
  ): void {
    this.#add(group, at);
    for (const { rules } of buckets) for (const rule of rules) group.rules.add(rule);
    group.witness ??= witnessAt(at, request);
  }

  #group(
    key: string,
    make: () => Pick<Group, 'before' | 'after' | 'change' | 'severity' | 'isOverOther' | 'authors'>,
  ): Group {
    const known = this.#groups.get(key);
    if (known) return known;
    const group = {
      ...make(),
      extents: new Map(),
      rules: new Set<HttpRule>(),
      tried: 0,
      witness: undefined,
    };
    this.#groups.set(key, group);
    return group;
  }

  #add(group: Group, { host, before, after }: Place, change?: RuleChange): void {
    const listener = (after.listener ?? before.listener)!;
    const others = change ? conditionsOf(change.others, this.#expressions) : [];
    const key = `${listener.key} ${JSON.stringify(others)}`;
    const known = group.extents.get(key);
    if (known) known.hosts.push(host);
    else group.extents.set(key, { listener, hosts: [host], others });
  }

  #authors(at: Place, { before, after }: RuleChange): string[] {
    const teams = [before, after].flatMap((entry) =>
      entry && this.#edited(entry.rule.source) ? [teamOf(entry.rule)] : [],
    );
    // Another listener has the host now, or what had it is gone.
    if (at.before.listener!.key !== at.after.listener!.key) teams.push(at.after.listener!.source.namespace);
    return [...new Set(teams)].sort();
  }

  all(): Region[] {
    return [...this.#groups.values()].map((group): Region => {
      const { severity, isOverOther, before, after, change, extents, rules, authors, witness } = group;
      const owners = [...[change?.before?.rule, change?.after?.rule].filter(Boolean), ...rules] as HttpRule[];
      const teams = new Set(owners.map(teamOf));
      return {
        severity,
        gateway: this.#gateway,
        ...(change ? { requests: change.set } : {}),
        ...(isOverOther ? { isOverOther } : {}),
        extents: [...extents.values()],
        before,
        after,
        ...(witness ? { witness } : {}),
        authors,
        touched: [...teams].filter((team) => !authors.includes(team)).sort(),
      };
    });
  }
}

const entryKey = (entry: Entry | undefined) => (entry ? `${entry.rule.key}#${entry.match}` : '-');

const teamOf = ({ source }: HttpRule) => source.team ?? source.namespace;

function sideOf(entry: Entry | undefined, outcome: Outcome): RegionSide {
  if (!entry) return { outcome };
  const { rule, match } = entry;
  const { kind, namespace, name } = rule.source;
  const field = ruleField(rule.source, rule.matches.length > 1 ? match : undefined);
  return { outcome, source: { kind, namespace, name, field, team: teamOf(rule) } };
}

function doorSide(listener: Listener, errors = 0): RegionSide {
  const outcome = { ...NOT_SERVED, key: 'open', errors, text: doorInWords(listener) };
  return { outcome, source: listenerSource(listener) };
}

function listenerSource({ source }: Listener): RegionSource {
  const { kind, namespace, name, listener } = source;
  return { kind, namespace, name, field: `listener ${listener}`, team: namespace };
}

function witnessAt({ port, before, after }: Place, request: WitnessRequest | undefined): Witness | undefined {
  const listener = (before.listener ?? after.listener)!;
  if (!request || (namesPort(request) && port !== 80 && port !== 443)) return undefined;
  return { ...request, port, tls: listener.protocol === 'HTTPS' };
}

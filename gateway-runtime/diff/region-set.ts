/** Regions as they are found, those of one pair of rules at several hosts and listeners put together. */
import { ruleField } from '../snapshot/rule-field.ts';
import type { HttpMatch, Listener, RouteRule } from '../snapshot/snapshot.ts';
import type { TlsEnd } from './compare-tls.ts';
import type { EditedRoutes } from './diff.ts';
import { type Door, type DoorChange, doorInWords } from './door.ts';
import type { Expressions } from './expressions.ts';
import { NOT_SERVED, type Outcome } from './outcome.ts';
import { policyAuthors } from './policy-authors.ts';
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

/** Whatever is served of the rules of a listener. */
export interface ServedRequest {
  /** Absent where expressions leave open which. */
  readonly request: WitnessRequest | undefined;
  readonly outcome: Outcome;
}

/** A class of server names at one port. */
export interface TlsChange {
  readonly port: number;
  readonly name: string;
  /** One of the class. */
  readonly serverName: string;
  readonly before: TlsEnd;
  readonly after: TlsEnd;
}

interface Group {
  readonly before: RegionSide;
  readonly after: RegionSide;
  readonly change?: RuleChange;
  severity: Region['severity'];
  readonly isOverOther?: true;
  readonly isOfConnections?: true;
  readonly extents: Map<string, { listener: Listener; hosts: string[]; others: readonly HttpMatch[] }>;
  /** Of doors: whatever is behind them. */
  readonly rules: Set<RouteRule>;
  readonly authors: readonly string[];
  /** Of doors: some of what is behind them is served without an error before, the witness among it. */
  isAnswered: boolean;
  tried: number;
  witness: Witness | undefined;
}

export class RegionSet {
  readonly #gateway: string;
  readonly #edited: EditedRoutes;
  readonly #written: EditedRoutes | undefined;
  readonly #expressions: Expressions;
  readonly #groups = new Map<string, Group>();

  /** @param written as the authors of routes say; `edited` may be taken from what became of them */
  constructor(
    gateway: string,
    edited: EditedRoutes,
    written: EditedRoutes | undefined,
    expressions: Expressions,
  ) {
    this.#expressions = expressions;
    this.#gateway = gateway;
    this.#edited = edited;
    this.#written = written;
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

  /**
   * A listener that serves as before, and asks something else of clients, or shows them something else.
   * @param served before; who got nothing but errors has lost nothing
   */
  addDoor(
    at: Place,
    change: DoorChange,
    buckets: readonly RuleBucket[],
    served: ServedRequest | undefined,
  ): void {
    const was = at.before.listener!;
    const is = at.after.listener!;
    const group = this.#group(`door ${was.key} ${is.key}`, () => ({
      before: doorSide(was),
      after: doorSide(is),
      severity: 'altered',
      authors: [is.source.namespace],
    }));
    if (!group.isAnswered && served && served.outcome.errors < 1) {
      group.isAnswered = true;
      group.witness = undefined;
      if (change.isLess) group.severity = 'lost';
    }
    const any = { method: 'GET', host: at.witnessHost(), path: '/', query: '', headers: [] };
    this.#addDoor(group, at, buckets, served?.request ?? any);
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

  /** TLS connections for a class of server names. */
  addTls({ port, name, serverName, before, after }: TlsChange): void {
    const listener = (after.listener ?? before.listener)!;
    const key = [before, after].map(({ rule, listener: at, outcome }) =>
      [rule?.key, at?.key, outcome.key].join(' '),
    );
    const group = this.#group(`tls ${key.join(' ')}`, () => ({
      before: tlsSide(before),
      after: tlsSide(after),
      severity: severityOf(before.outcome, after.outcome),
      isOfConnections: true,
      authors: this.#tlsAuthors(before, after),
    }));
    const known = group.extents.get(listener.key);
    if (known) known.hosts.push(name);
    else group.extents.set(listener.key, { listener, hosts: [name], others: [] });
    for (const { rule } of [before, after]) if (rule) group.rules.add(rule);
    const connection = { method: 'GET', host: serverName, path: '/', query: '', headers: [] };
    group.witness ??= { ...connection, port, tls: true, isConnection: true };
  }

  #tlsAuthors(before: TlsEnd, after: TlsEnd): string[] {
    const teams = [before, after].flatMap(({ rule }) =>
      rule && this.#edited(rule.source) ? [teamOf(rule)] : [],
    );
    const [was, is] = [before, after].map(({ listener }) => listener && doorOfTls(listener));
    if (was !== is) teams.push((after.listener ?? before.listener)!.source.namespace);
    return [...new Set(teams)].sort();
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
    make: () => Pick<
      Group,
      'before' | 'after' | 'change' | 'severity' | 'isOverOther' | 'isOfConnections' | 'authors'
    >,
  ): Group {
    const known = this.#groups.get(key);
    if (known) return known;
    const group = {
      ...make(),
      extents: new Map(),
      rules: new Set<RouteRule>(),
      isAnswered: false,
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
    const teams = policyAuthors(before?.rule, after?.rule, teamOf);
    // By what became of a route alone, it can't be told whether it was edited as well.
    if (teams.length === 0 || this.#written) {
      for (const entry of [before, after])
        if (entry && this.#edited(entry.rule.source)) teams.push(teamOf(entry.rule));
    }
    // Another listener has the host now, or what had it is gone.
    if (at.before.listener!.key !== at.after.listener!.key) teams.push(at.after.listener!.source.namespace);
    return [...new Set(teams)].sort();
  }

  all(): Region[] {
    return [...this.#groups.values()].map((group): Region => {
      const {
        severity,
        isOverOther,
        isOfConnections,
        before,
        after,
        change,
        extents,
        rules,
        authors,
        witness,
      } = group;
      const owners = [
        ...[change?.before?.rule, change?.after?.rule].filter(Boolean),
        ...rules,
      ] as RouteRule[];
      const teams = new Set(owners.map(teamOf));
      // What came or went together with its listener is no bystander.
      const changed = new Set([...rules].filter(({ source }) => this.#written?.(source)).map(teamOf));
      return {
        severity,
        gateway: this.#gateway,
        ...(change ? { requests: change.set } : {}),
        ...(isOverOther ? { isOverOther } : {}),
        ...(isOfConnections ? { isOfConnections } : {}),
        extents: [...extents.values()],
        before,
        after,
        ...(witness ? { witness } : {}),
        authors,
        touched: [...teams].filter((team) => !authors.includes(team) && !changed.has(team)).sort(),
      };
    });
  }
}

const entryKey = (entry: Entry | undefined) => (entry ? `${entry.rule.key}#${entry.match}` : '-');

const teamOf = ({ source }: RouteRule) => source.team ?? source.namespace;

function sideOf(entry: Entry | undefined, outcome: Outcome): RegionSide {
  if (!entry) return { outcome };
  const { rule, match } = entry;
  const { kind, namespace, name } = rule.source;
  const field = ruleField(rule.source, rule.matches.length > 1 ? match : undefined);
  return { outcome, source: { kind, namespace, name, field, team: teamOf(rule) } };
}

/** What of a listener decides about connections, but for the rules at it. */
const doorOfTls = ({ key, tlsMode, certificates, minTlsVersion }: Listener) =>
  JSON.stringify([key, tlsMode, [...certificates].sort(), minTlsVersion]);

function tlsSide({ outcome, rule }: TlsEnd): RegionSide {
  if (!rule) return { outcome };
  const { kind, namespace, name } = rule.source;
  return { outcome, source: { kind, namespace, name, field: ruleField(rule.source), team: teamOf(rule) } };
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

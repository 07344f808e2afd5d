/** What a comparison says: sets of requests whose outcome changes, as data. */
import type { RouteKind } from '../api/route-kinds.ts';
import { Networks } from '../match/networks.ts';
import type { HttpMatch, Listener } from '../snapshot/snapshot.ts';
import type { Conjunction } from './conjunction.ts';
import type { Outcome } from './outcome.ts';
import type { WitnessRequest } from './witness.ts';

/**
 * From the worst: `lost` is answered with an error after, wholly, for a greater share or for clients from more addresses; `moved` goes to other backends or another
 * redirect; `altered` goes where it went, with other shares, edits, limits or another status; `new` was answered with an error.
 */
export type ChangeSeverity = 'lost' | 'moved' | 'altered' | 'new';

export const SEVERITIES: readonly ChangeSeverity[] = ['lost', 'moved', 'altered', 'new'];

/** The rule that answers, or the listener where there is no rule in question. */
export interface RegionSource {
  readonly kind: RouteKind | 'Gateway' | 'ListenerSet';
  readonly namespace: string;
  readonly name: string;
  /** Path of the field, such as `spec.rules[1] (gold)`; the name of a listener. */
  readonly field: string;
  /** That the namespace belongs to, or the namespace where no team is known. */
  readonly team: string;
}

export interface RegionSide {
  readonly outcome: Outcome;
  /** Absent where nothing takes the requests. */
  readonly source?: RegionSource;
}

export interface Witness extends WitnessRequest {
  readonly port: number;
  readonly tls: boolean;
  /** Of the TLS handshake, where it is another than the host. */
  readonly serverName?: string;
  /** No request, but a TLS connection for `host`. */
  readonly isConnection?: true;
  /** The client has no certificate, and gets one outcome or the other for that. */
  readonly withoutCertificate?: true;
}

/** Hosts at which a region is of the same form. */
export interface Extent {
  /** That takes the requests, after the change or, where none does, before. */
  readonly listener: Listener;
  /** Hostnames, each without the hosts that have a more specific one at the port; "*" is any. */
  readonly hosts: readonly string[];
  /** What of the requests other rules take, before or after: no part of the region. */
  readonly others: readonly HttpMatch[];
}

export interface Region {
  readonly severity: ChangeSeverity;
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  /** What all of the requests have; absent for whatever the rules of the listeners take, and for TLS connections. */
  readonly requests?: Conjunction;
  /** Of TLS connections by their server name, whatever is said on them. */
  readonly isOfConnections?: true;
  /** Only of requests over a connection that was opened for a host of another listener. */
  readonly isOverOther?: true;
  /** Where. */
  readonly extents: readonly Extent[];
  readonly before: RegionSide;
  readonly after: RegionSide;
  /** Absent where expressions leave open whether there is such a request at all: the change is possible. */
  readonly witness?: Witness;
  /** Teams with a route that changed, and through which the outcome did. */
  readonly authors: readonly string[];
  /** Teams whose requests these are, before or after, and that changed nothing. */
  readonly touched: readonly string[];
}

/** Whether every client that came in still does. */
function isFromAll(before: Outcome, after: Outcome): boolean {
  if (after.allow === undefined) return true;
  return before.allow !== undefined && new Networks(after.allow).hasAll(before.allow);
}

export function severityOf(before: Outcome, after: Outcome): ChangeSeverity {
  if (after.errors > before.errors) return 'lost';
  if (before.errors < 1 && !isFromAll(before, after)) return 'lost';
  if (before.errors === 1) return after.errors < 1 ? 'new' : 'altered';
  return before.target === after.target ? 'altered' : 'moved';
}

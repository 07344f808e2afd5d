/** Regions as plain JSON and in words, without credentials: what `gatewright diff --json` gives, and what its text is made of. */

import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import { isCredentialName, REDACTED, shownValue } from '../snapshot/credential.ts';
import type { ExampleRequest, Origin } from '../snapshot/diagnostic.ts';
import type { HttpMatch, ValueMatch } from '../snapshot/snapshot.ts';
import type { Conjunction, Wanted } from './conjunction.ts';
import type { Outcome } from './outcome.ts';
import type { Region, RegionSide, RegionSource, Witness } from './region.ts';

/** Where an object of a side stands: file and document, or app, line and construct path. */
export type OriginOf = (ref: ObjectRef) => Origin | undefined;

export interface Surroundings {
  readonly before?: OriginOf;
  readonly after?: OriginOf;
  /** Ports as a client sees them, where they are others than those of the listeners. */
  readonly publicPort?: (gateway: string, port: number) => number;
}

export interface ReportedOutcome extends Omit<Outcome, 'key' | 'target' | 'errors' | 'allow'> {
  /** The part of the requests that the gateway answers with an error: 0 to 1. */
  readonly errors: number;
  readonly source?: RegionSource & { readonly origin?: Origin };
}

/** One of `regions` of `gatewright diff --json`. Fields are added to it and not taken away; texts are for people and may change. */
export interface ReportedRegion {
  readonly severity: Region['severity'];
  readonly gateway: string;
  /** As matches of routes are written; absent for whatever the rules of the listeners take. */
  readonly requests?: string;
  /** No requests, but TLS connections that TLSRoutes pass on, by their server name. */
  readonly connections?: true;
  readonly extents: readonly {
    readonly listener: string;
    readonly protocol: string;
    readonly port: number;
    readonly hosts: readonly string[];
    /** What other rules take of the requests, before or after. */
    readonly without: readonly string[];
  }[];
  readonly before: ReportedOutcome;
  readonly after: ReportedOutcome;
  readonly witness?: ExampleRequest & {
    readonly serverName?: string;
    readonly withoutCertificate?: true;
  };
  /** No witness was found, since expressions decide. */
  readonly possible?: true;
  readonly authors: readonly string[];
  readonly touched: readonly string[];
}

export function reported(region: Region, around: Surroundings = {}): ReportedRegion {
  const { severity, gateway, requests, isOfConnections, extents, witness, authors, touched } = region;
  const [before, after] = outcomesInWords(region.before.outcome, region.after.outcome);
  return {
    severity,
    gateway,
    ...(requests ? { requests: setInWords(requests) } : {}),
    ...(isOfConnections ? { connections: true as const } : {}),
    extents: extents.map(({ listener, hosts, others }) => ({
      listener: listener.source.listener,
      protocol: listener.protocol,
      port: listener.port,
      hosts,
      without: others.map(matchInWords),
    })),
    before: sideForm(region.before, before, around.before),
    after: sideForm(region.after, after, around.after),
    ...(witness
      ? { witness: shownWitness(witness, around.publicPort?.(gateway, witness.port)) }
      : { possible: true as const }),
    authors,
    touched,
  };
}

function sideForm({ outcome, source }: RegionSide, text: string, originOf?: OriginOf): ReportedOutcome {
  const { key: _, target: __, allow: ___, ...shown } = outcome;
  const origin =
    source &&
    originOf?.({ group: GATEWAY_GROUP, kind: source.kind, namespace: source.namespace, name: source.name });
  return {
    ...shown,
    text,
    ...(source ? { source: { ...source, ...(origin ? { origin } : {}) } } : {}),
  };
}

/** Both, with what tells them apart. */
function outcomesInWords(before: Outcome, after: Outcome): [string, string] {
  const withLimits = ({ text, limits }: Outcome) =>
    before.limits.join() === after.limits.join() || limits.length === 0
      ? text
      : `${text}; ${limits.join('; ')}`;
  const [was, is] = [withLimits(before), withLimits(after)];
  if (was !== is) return [was, is];
  const hasSession = before.limits.join().includes('a client comes back');
  return [
    was,
    hasSession ? `${is}; sessions begin anew` : `${is}, with another credential or trusted certificate`,
  ];
}

/** As people read it: `/cart/*`, `/foo` exactly, `~ /v[0-9]+`; then method, headers and query. */
export function matchInWords({ path, method, headers, queryParams }: HttpMatch): string {
  return [
    path.type === 'RegularExpression' ? `~ ${path.value}` : pathInWords(path.type, path.value),
    ...(method === undefined ? [] : [method]),
    ...headers.map((each) => valueInWords(each, ': ')),
    ...queryParams.map((each) => `?${valueInWords(each, '=')}`),
  ].join(' ');
}

export function setInWords({ path, pathExpressions, method, headers, query }: Conjunction): string {
  const isAny = path.value === '/' && path.type === 'PathPrefix' && pathExpressions.length > 0;
  return [
    ...(isAny ? [] : [pathInWords(path.type, path.value)]),
    ...pathExpressions.map((each) => `~ ${each}`),
    ...(method === undefined ? [] : [method]),
    ...[...headers].flatMap(([name, wanted]) => wantedInWords(name, wanted, ': ')),
    ...[...query].flatMap(([name, wanted]) => wantedInWords(name, wanted, '=').map((each) => `?${each}`)),
  ].join(' ');
}

const pathInWords = (type: 'Exact' | 'PathPrefix', value: string) =>
  type === 'Exact' ? value : value === '/' ? '/*' : `${value}/*`;

function wantedInWords(name: string, { value, expressions }: Wanted, equals: string): string[] {
  if (value !== undefined) return [valueInWords({ name, type: 'Exact', value }, equals)];
  return expressions.map((each) => valueInWords({ name, type: 'RegularExpression', value: each }, equals));
}

function valueInWords({ name, type, value }: ValueMatch, equals: string): string {
  const shown = shownValue(name, value);
  return type === 'Exact' ? `${name}${equals}${shown}` : `${name} ~ ${shown}`;
}

function shownWitness(witness: Witness, publicPort = witness.port): NonNullable<ReportedRegion['witness']> {
  const { method, host, tls, path, query, headers, serverName, isConnection, withoutCertificate } = witness;
  const ending = publicPort === (tls ? 443 : 80) ? '' : `:${publicPort}`;
  if (isConnection) return { method: '', url: `tls://${host}${ending}`, headers: [] };
  const parts = query.split('&').map((part) => {
    const name = part.slice(0, part.indexOf('='));
    return isCredentialName(decodeURIComponent(name)) ? `${name}=${REDACTED}` : part;
  });
  const url = `${tls ? 'https' : 'http'}://${host}${ending}${path}${query ? `?${parts.join('&')}` : ''}`;
  return {
    method,
    url,
    headers: headers.map(([name, value]) => ({ name, value: shownValue(name, value) })),
    ...(serverName === undefined ? {} : { serverName }),
    ...(withoutCertificate ? { withoutCertificate } : {}),
  };
}

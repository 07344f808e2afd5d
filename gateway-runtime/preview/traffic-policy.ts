/** Which changes of traffic are refused, and which of those are approved: by a Pulumi program, or on the command line. */
import type { Region } from '../diff/region.ts';
import { isBelow } from '../grants/paths.ts';
import { hostnameMatches } from '../match/hostname.ts';
import type { Approval } from './approval.ts';
import type { ComparedRegion } from './compared.ts';

export const REFUSABLE = ['lost', 'moved', 'altered', 'new', 'cross-team'] as const;
/** A severity of `gatewright diff`; or `cross-team`: what touches a team that changed nothing, whatever its severity. */
export type Refusable = (typeof REFUSABLE)[number];

export interface TrafficPolicy {
  readonly refuse: readonly Refusable[];
  readonly approve: readonly Approval[];
}

export interface Judged {
  /** Refused, and not approved at each of their hosts. */
  readonly refused: readonly ComparedRegion[];
  /** They concern no region any more. */
  readonly unused: readonly Approval[];
}

export function judged(regions: readonly ComparedRegion[], { refuse, approve }: TrafficPolicy): Judged {
  const wanted = new Set(refuse);
  const isRefused = ({ region }: ComparedRegion) =>
    wanted.has(region.severity) || (wanted.has('cross-team') && region.touched.length > 0);
  const isApproved = ({ region }: ComparedRegion) =>
    hostsOf(region).every((host) => approve.some((each) => approves(each, region, host)));
  const concerns = (approval: Approval, { region }: ComparedRegion) =>
    hostsOf(region).some((host) => approves(approval, region, host));
  return {
    refused: regions.filter((each) => isRefused(each) && !isApproved(each)),
    unused: approve.filter((approval) => !regions.some((each) => concerns(approval, each))),
  };
}

/** Whether there is nothing that is not approved, known or not. */
export const approvesAll = (approve: readonly Approval[]): boolean =>
  approve.some(({ host, path = '/' }) => host === '*' && path === '/');

const hostsOf = ({ extents }: Region): string[] => [...new Set(extents.flatMap(({ hosts }) => hosts))];

function approves({ host, path }: Approval, { requests }: Region, asked: string): boolean {
  if (!hostnameMatches(host.toLowerCase(), asked)) return false;
  if (path === undefined || path === '/') return true;
  return requests !== undefined && isBelow(requests.path.value, path.replace(/\/$/, ''));
}

/** Regions that are told one by one. */
const MOST = 20;

export interface Refusal {
  readonly shown: readonly ComparedRegion[];
  /** How many there are beside them. */
  readonly more: number;
  /** That would let those pass that are shown, without their reasons. */
  readonly approvals: readonly Pick<Approval, 'host' | 'path'>[];
}

export function refusalOf(refused: readonly ComparedRegion[]): Refusal {
  const shown = refused.slice(0, MOST);
  const approvals = new Map(shown.flatMap(approvalsFor).map((each) => [JSON.stringify(each), each]));
  return { shown, more: refused.length - shown.length, approvals: [...approvals.values()] };
}

const approvalsFor = ({ region }: ComparedRegion): Pick<Approval, 'host' | 'path'>[] =>
  hostsOf(region).map((host) => {
    const path = region.requests?.path.value ?? '/';
    return { host, ...(path === '/' ? {} : { path }) };
  });

/** Of an approval that concerns nothing any more. */
export const unusedText = ({ host, path = '', why }: Approval): string =>
  `no request of ${host}${path} changes its way any more, which is approved (${why}): take it out`;

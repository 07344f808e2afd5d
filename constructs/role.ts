/** Whose a construct is: what stands in the chart of a team is that team's, all else the platform's. */
import type { IConstruct } from 'constructs';
import type { TeamRef } from './team.ts';

export { hostnamesText, missingGrant, ownCertificatesText } from '../gateway-runtime/grants/missing.ts';

/** The team of a chart. A registered symbol, so that a copy of this package knows the charts of another. */
export const TEAM_OF_CHART = Symbol.for('gatewright.dev/team-of-chart');

/** What routes of the chart attach to where they say nothing. */
export const ON_OF_CHART = Symbol.for('gatewright.dev/on-of-chart');

/** What routes attach to here where they say nothing; undefined where the chart does not say it either. */
export function onOf(construct: IConstruct): unknown {
  const chart = construct.node.scopes.findLast((scope) => TEAM_OF_CHART in scope);
  return (chart as { readonly [ON_OF_CHART]?: unknown } | undefined)?.[ON_OF_CHART];
}

/** The team whose chart this construct is in. */
export function teamOf(construct: IConstruct): TeamRef | undefined {
  const chart = construct.node.scopes.findLast((scope) => TEAM_OF_CHART in scope);
  return (chart as { readonly [TEAM_OF_CHART]?: TeamRef } | undefined)?.[TEAM_OF_CHART];
}

/** What is wrong with a construct that only the platform may make, in the chart of a team. */
export function platformProblems(construct: IConstruct, what: string, instead = 'another chart'): string[] {
  const team = teamOf(construct);
  return team
    ? [
        `a ${what} is made by the platform, and this chart belongs to team ${team.name}: make it in ${instead}`,
      ]
    : [];
}

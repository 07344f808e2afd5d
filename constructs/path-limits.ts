/** Whether rules of a route stay below the paths of a grant, and off those that it delegated, in the words of the constructs. */
import * as grants from '../gateway-runtime/grants/paths.ts';
import type { Attachment } from './attachment.ts';
import { missingGrant } from './role.ts';
import type { TeamRef } from './team.ts';

/** What a team gave to another of what it was granted. */
export interface Delegated {
  readonly path: string;
  readonly hostnames: readonly string[];
  readonly team: TeamRef;
}

/** Why a match of a route may not stand at this attachment, or undefined. */
export function pathProblem(
  path: grants.ApiPath,
  hostnames: readonly string[],
  { title, paths, delegations, team, gatewayName }: Attachment,
): string | undefined {
  const given = delegations().map((each) => ({ ...each, team: each.team.name }));
  const problem = grants.pathProblem(path, hostnames, { title, paths, given });
  if (!problem) return undefined;
  const { cause, message } = problem;
  switch (cause) {
    case 'outside':
      return team ? `${message}. ${missingGrant(`path ${path.value}`, gatewayName, team.name)}` : message;
    case 'expression':
      return `${message}: begin it with ${paths[0]}/, or use prefix() or exact()`;
    case 'given':
      return message;
    case 'taken-back':
      return `${message}: delegate the path at this hostname as well`;
  }
}

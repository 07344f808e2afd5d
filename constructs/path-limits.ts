/** Whether rules of a route stay below the paths of a grant, and off those that it delegated. */
import { hostnameMatches } from '../gateway-runtime/match/hostname.ts';
import { normalizePath } from '../gateway-runtime/match/normalize.ts';
import type { Attachment } from './attachment.ts';
import { missingGrant } from './role.ts';
import type { TeamRef } from './team.ts';

/** What a team gave to another of what it was granted. */
export interface Delegated {
  readonly path: string;
  readonly hostnames: readonly string[];
  readonly team: TeamRef;
}

/** A path of a match in the form of the API. */
export interface ApiPath {
  readonly type: string;
  readonly value: string;
}

/** Whether a path is another one or lies below it, by segments, as PathPrefix matches. */
export const isBelow = (path: string, limit: string): boolean =>
  limit === '/' || path === limit || path.startsWith(`${limit}/`);

/** Why a match of a route may not stand at this attachment, or undefined. */
export function pathProblem(path: ApiPath, hostnames: readonly string[], on: Attachment): string | undefined {
  const { title, paths, delegations } = on;
  const granted = `${title} (granted: ${paths.join(', ')} and all below)`;
  if (path.type === 'RegularExpression') {
    const start = literalStart(path.value);
    if (!paths.some((limit) => limit === '/' || start.startsWith(`${limit}/`)))
      return `the expression ${path.value} could match a path outside of ${granted}: begin it with ${paths[0]}/, or use prefix() or exact()`;
    const given = delegations().find(
      (each) => concerns(each, hostnames) && (isBelow(start, each.path) || `${each.path}/`.startsWith(start)),
    );
    return given && `the expression ${path.value} could match a path below ${delegatedText(given)}`;
  }
  const asked = normalized(path.value);
  if (!paths.some((limit) => isBelow(asked, limit))) {
    const missing = on.team ? `. ${missingGrant(`path ${path.value}`, on.gatewayName, on.team.name)}` : '';
    return `path ${path.value} is outside ${granted}${missing}`;
  }
  const given = delegations().find((each) => concerns(each, hostnames) && isBelow(asked, each.path));
  if (given) return `path ${path.value} lies below ${delegatedText(given)}`;
  return path.type === 'PathPrefix' ? takenBack(asked, hostnames, delegations()) : undefined;
}

/** A more specific hostname goes before a wildcard, whatever the paths (HTTPRouteSpec.hostnames), and would take the path back. */
function takenBack(
  asked: string,
  hostnames: readonly string[],
  delegations: readonly Delegated[],
): string | undefined {
  for (const given of delegations) {
    if (!isBelow(given.path, asked)) continue;
    for (const own of hostnames) {
      const wider = given.hostnames.find((each) => hostnameMatches(each, own));
      if (wider === undefined || given.hostnames.includes(own)) continue;
      return (
        `path ${asked} at hostname ${own}, which goes before ${wider}, would take back ${delegatedText(given)}: ` +
        'delegate the path at this hostname as well'
      );
    }
  }
  return undefined;
}

const delegatedText = ({ path, team }: Delegated) => `${path}, which was delegated to team ${team.name}`;

const concerns = ({ hostnames }: Delegated, asked: readonly string[]) =>
  asked.length === 0 ||
  hostnames.some((own) => asked.some((each) => hostnameMatches(own, each) || hostnameMatches(each, own)));

/** A path with two spellings of one octet is one path; what breaks the field rules is left to them. */
function normalized(path: string): string {
  const result = normalizePath(path);
  return typeof result === 'string' ? result : path;
}

/** What every match of an expression begins with, as far as that is plain to see. */
export function literalStart(expression: string): string {
  // With an alternative nothing is plain.
  if (expression.includes('|')) return '';
  const [start = ''] = /^\^?[\w/~-]*/.exec(expression) ?? [];
  const rest = expression[start.length];
  const literal = start.replace(/^\^/, '');
  return rest !== undefined && '?*{'.includes(rest) ? literal.slice(0, -1) : literal;
}

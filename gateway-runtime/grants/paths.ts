/** Whether matches of a route stay below the paths of a grant, and off those that it gave on. */
import { hostnameMatches } from '../match/hostname.ts';
import { normalizePathPattern } from '../match/normalize.ts';

/** What a team gave to another of what it was granted. */
export interface GivenPath {
  readonly path: string;
  readonly hostnames: readonly string[];
  /** The name of the other team. */
  readonly team: string;
}

/** What of a grant is about paths. */
export interface PathLimits {
  /** How messages name the grant. */
  readonly title: string;
  /** The paths below which its routes are; `/` for all. */
  readonly paths: readonly string[];
  readonly given: readonly GivenPath[];
}

/** A path of a match in the form of the API. */
export interface ApiPath {
  readonly type: string;
  readonly value: string;
}

export interface PathProblem {
  /**
   * `outside` of the paths; an `expression` that may match outside of them; below a path that was `given`; or at a hostname by which a
   * given path would be `taken-back`.
   */
  readonly cause: 'outside' | 'expression' | 'given' | 'taken-back';
  /** Without a full stop. */
  readonly message: string;
}

/** Whether a path is another one or lies below it, by segments, as PathPrefix matches. */
export const isBelow = (path: string, limit: string): boolean =>
  limit === '/' || path === limit || path.startsWith(`${limit}/`);

/** Why a match of a route with these hostnames (none: every one) may not stand under a grant, or undefined. */
export function pathProblem(
  path: ApiPath,
  hostnames: readonly string[],
  { title, paths, given }: PathLimits,
): PathProblem | undefined {
  const granted = `${title} (granted: ${paths.join(', ')} and all below)`;
  if (path.type === 'RegularExpression') {
    const start = literalStart(path.value);
    if (!paths.some((limit) => limit === '/' || start.startsWith(`${limit}/`))) {
      const message = `the expression ${path.value} could match a path outside of ${granted}`;
      return { cause: 'expression', message };
    }
    const other = given.find(
      (each) => concerns(each, hostnames) && (isBelow(start, each.path) || `${each.path}/`.startsWith(start)),
    );
    return (
      other && {
        cause: 'given',
        message: `the expression ${path.value} could match a path below ${givenText(other)}`,
      }
    );
  }
  const asked = normalized(path);
  if (!paths.some((limit) => isBelow(asked, limit)))
    return { cause: 'outside', message: `path ${path.value} is outside ${granted}` };
  const other = given.find((each) => concerns(each, hostnames) && isBelow(asked, each.path));
  if (other) return { cause: 'given', message: `path ${path.value} lies below ${givenText(other)}` };
  return path.type === 'PathPrefix' ? takenBack(asked, hostnames, given) : undefined;
}

/** A more specific hostname goes before a wildcard, whatever the paths (HTTPRouteSpec.hostnames), and would take the path back. */
function takenBack(
  asked: string,
  hostnames: readonly string[],
  given: readonly GivenPath[],
): PathProblem | undefined {
  for (const each of given) {
    if (!isBelow(each.path, asked)) continue;
    for (const own of hostnames) {
      const wider = each.hostnames.find((hostname) => hostnameMatches(hostname, own));
      if (wider === undefined || each.hostnames.includes(own)) continue;
      const message = `path ${asked} at hostname ${own}, which goes before ${wider}, would take back ${givenText(each)}`;
      return { cause: 'taken-back', message };
    }
  }
  return undefined;
}

const givenText = ({ path, team }: GivenPath) => `${path}, which was delegated to team ${team}`;

const concerns = ({ hostnames }: GivenPath, asked: readonly string[]) =>
  asked.length === 0 ||
  hostnames.some((own) => asked.some((each) => hostnameMatches(own, each) || hostnameMatches(each, own)));

/** A path with two spellings of one octet is one path; what breaks the field rules is left to them. */
function normalized({ type, value }: ApiPath): string {
  const result = normalizePathPattern(type === 'Exact' ? 'Exact' : 'PathPrefix', value);
  return typeof result === 'string' ? result : value;
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

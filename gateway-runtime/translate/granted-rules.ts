/**
 * Which rules of an HTTPRoute its grants leave out where it attaches: those with a match outside of the paths, or in one that was given on. A
 * rule that is left out is not there at all, since one that answered 500 would take the path from whoever has it.
 */
import type { RouteObject } from '../api/route-kinds.ts';
import { grantsOf, type Holding, isForEveryPath, pathRefusal } from '../grants/holding.ts';
import { missingGrant } from '../grants/missing.ts';
import type { ApiPath, PathProblem } from '../grants/paths.ts';
import type { Attachment } from './attachment.ts';
import { type Finding, sentences } from './findings.ts';

/** Rules that are left out at a listener, by its hostname. */
export type LeftOutRules = ReadonlyMap<string, ReadonlySet<number>>;

export interface GrantedAttachment extends Attachment {
  readonly leftOut?: LeftOutRules;
}

export interface GrantedRules {
  /** Without the listeners and hostnames at which no rule is left. */
  readonly attachments: readonly GrantedAttachment[];
  /** One for each match of a rule that is left out somewhere. */
  readonly refused: readonly RefusedMatch[];
}

export interface RefusedMatch {
  /** The index of the rule. */
  readonly rule: number;
  readonly finding: Finding;
}

interface AskedPath extends ApiPath {
  readonly field: string;
}

/** Where rules of a route are served by one parentRef. */
export function grantedRules(
  route: RouteObject,
  attachments: readonly Attachment[],
  { gateway, team }: Pick<Holding, 'gateway' | 'team'>,
): GrantedRules {
  if (route.kind !== 'HTTPRoute' || !attachments.some(({ grants }) => grants && !isForEveryPath(grants)))
    return { attachments, refused: [] };
  const { rules } = route.spec;
  const refused = new Map<string, RefusedMatch>();
  const left = attachments.flatMap((attachment): GrantedAttachment[] => {
    const { grants, hostnames } = attachment;
    if (!grants) return [attachment];
    const leftOut = new Map<string, ReadonlySet<number>>();
    for (const hostname of hostnames) {
      const covering = grantsOf(hostname, grants);
      if (isForEveryPath(covering)) continue;
      const out = new Set<number>();
      for (const [index, rule] of rules.entries()) {
        for (const path of pathsOf(rule.matches, `spec.rules[${index}]`)) {
          const problem = pathRefusal(path, hostname, covering, gateway);
          if (!problem) continue;
          out.add(index);
          const finding = findingOf(problem, path, covering[0]!.paths, gateway, team);
          refused.set(`${path.field} ${finding.message}`, { rule: index, finding });
        }
      }
      if (out.size > 0) leftOut.set(hostname, out);
    }
    const served = hostnames.filter((each) => (leftOut.get(each)?.size ?? 0) < rules.length);
    if (served.length === 0) return [];
    return [{ ...attachment, hostnames: served, ...(leftOut.size > 0 ? { leftOut } : {}) }];
  });
  return { attachments: left, refused: [...refused.values()].sort((a, b) => a.rule - b.rule) };
}

/** Why no rule of a route is left by a parentRef, for its condition. */
export const noRuleGranted = (refused: readonly RefusedMatch[]): string =>
  `No rule of the route is granted. ${sentences(refused.map(({ finding }) => finding))}`;

/** Without a match, and in a match without a path, a rule takes all (HTTPRouteRule.matches). */
function pathsOf(matches: readonly { readonly path: ApiPath }[], field: string): AskedPath[] {
  if (matches.length === 0) return [{ type: 'PathPrefix', value: '/', field }];
  return matches.map(({ path }, index) => ({ ...path, field: `${field}.matches[${index}].path` }));
}

function findingOf(
  { cause, message }: PathProblem,
  { value, field }: AskedPath,
  [first = '/']: readonly string[],
  gateway: string,
  team: string,
): Finding {
  const finding = { reason: 'NotAllowedByListeners', field } as const;
  const missing = (path: string) => `${message}. ${missingGrant(`path ${path}`, gateway, team)}`;
  switch (cause) {
    case 'outside':
      return {
        ...finding,
        message: missing(value),
        fix: `match paths below ${first}, or have the platform grant it`,
      };
    case 'expression':
      return {
        ...finding,
        message: missing('/'),
        fix: `begin it with ${first}/, or use PathPrefix or Exact`,
      };
    case 'given':
      return { ...finding, message, fix: 'remove the match: the path is that of the other team' };
    case 'taken-back':
      return { ...finding, message, fix: 'have the platform delegate the path at this hostname as well' };
  }
}

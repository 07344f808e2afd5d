/** Matches of a rule, as the matchers take them: paths normalized, header names in lower case, expressions checked. */
import type { HttpRouteMatch } from '../api/http-route.ts';
import { normalizePathPattern } from '../match/normalize.ts';
import type { RegexEngine } from '../match/regex.ts';
import { isCredentialName } from '../snapshot/credential.ts';
import type { HttpMatch, PathMatch, ValueMatch } from '../snapshot/snapshot.ts';

/** Says why a rule can't be served; requests that match it get 500. */
export type Refuse = (field: string, message: string, fix: string) => void;

export function translateMatch(
  match: HttpRouteMatch,
  field: string,
  regex: RegexEngine,
  refuse: Refuse,
): HttpMatch {
  const checkRegex = (type: string, value: string, at: string, isCredential = false) => {
    if (type !== 'RegularExpression') return;
    const compiled = regex.compile(value);
    if ('problem' in compiled) {
      refuse(
        at,
        // The engine quotes what it can't read.
        `found a regular expression that can't be used${isCredential ? '' : `: ${compiled.problem}`}`,
        'correct it (RE2 syntax)',
      );
    }
  };
  const values = (list: readonly ValueMatch[] | undefined, name: 'headers' | 'queryParams'): ValueMatch[] =>
    (list ?? []).map((each, index) => {
      checkRegex(each.type, each.value, `${field}.${name}[${index}].value`, isCredentialName(each.name));
      return {
        name: name === 'headers' ? each.name.toLowerCase() : each.name,
        type: each.type,
        value: each.value,
      };
    });

  checkRegex(match.path.type, match.path.value, `${field}.path.value`);
  return {
    path: translatePath(match.path, field, refuse),
    ...(match.method ? { method: match.method } : {}),
    // "If multiple entries specify equivalent header names, only the first entry with an equivalent name MUST be
    // considered for a match" (HTTPHeaderMatch.name), names being compared without case.
    headers: firstOfEachName(values(match.headers, 'headers')),
    queryParams: firstOfEachName(values(match.queryParams, 'queryParams')),
  };
}

function translatePath({ type, value }: PathMatch, field: string, refuse: Refuse): PathMatch {
  const normal = normalizePathPattern(type, value);
  if (typeof normal === 'string') return { type, value: normal };
  refuse(
    `${field}.path.value`,
    `found the path ${value}, which no request can have: ${normal.problem}`,
    'correct it',
  );
  return { type, value };
}

function firstOfEachName(values: readonly ValueMatch[]): ValueMatch[] {
  return values.filter((each, index) => values.findIndex(({ name }) => name === each.name) === index);
}

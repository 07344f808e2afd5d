/** HTTPRoute (gateway.networking.k8s.io/v1, release v1.6.1, experimental channel: every field that a route can have). */
import {
  backendObjectFields,
  duration,
  durationMilliseconds,
  headerName,
  headerValue,
  hostname,
  metadata,
  namedValues,
  parentRef,
  sectionName,
  serviceNeedsPort,
} from './fields.ts';
import { type HttpFilter, httpFilters } from './http-filter.ts';
import {
  anything,
  defaulted,
  type FieldProblem,
  hidden,
  type Infer,
  integer,
  list,
  object,
  oneOf,
  optional,
  type Rule,
  string,
} from './schema.ts';

const pathCharacters = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$/;

/** The CEL rules of HTTPPathMatch, one expectation each. */
const pathExpectations: [broken: (value: string) => boolean, expected: string][] = [
  [(value) => !value.startsWith('/'), 'an absolute path that starts with "/"'],
  [(value) => value.includes('//'), 'a path without "//"'],
  [(value) => value.includes('/./') || value.endsWith('/.'), 'a path without "/."'],
  [(value) => value.includes('/../') || value.endsWith('/..'), 'a path without "/.."'],
  [(value) => /%2f/i.test(value), 'a path without an encoded slash'],
  [(value) => value.includes('#'), 'a path without "#"'],
  [(value) => !pathCharacters.test(value), 'a path of the characters of RFC 3986'],
];

const pathMatch = object(
  {
    type: oneOf(['Exact', 'PathPrefix', 'RegularExpression'], 'PathPrefix'),
    value: string({ max: 1024, default: '/' }),
  },
  {
    rules: [
      ({ type, value }, field) => {
        if (type === 'RegularExpression') return undefined;
        const expectation = pathExpectations.find(([broken]) => broken(value));
        return (
          expectation && { field: `${field}.value`, found: JSON.stringify(value), expected: expectation[1] }
        );
      },
    ],
  },
);

const valueMatchType = () => oneOf(['Exact', 'RegularExpression'], 'Exact');
const headerMatches = namedValues(
  object({ name: headerName(), type: valueMatchType(), value: headerValue() }),
);
const queryMatches = namedValues(
  object({
    name: headerName(),
    type: valueMatchType(),
    value: hidden(string({ min: 1, max: 1024 })),
  }),
);

const match = object({
  path: defaulted(pathMatch, { type: 'PathPrefix', value: '/' }),
  headers: optional(headerMatches),
  queryParams: optional(queryMatches),
  method: optional(oneOf(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])),
});
export type HttpRouteMatch = Infer<typeof match>;

const backendRef = object(
  {
    ...backendObjectFields,
    weight: integer({ min: 0, max: 1_000_000, default: 1 }),
    filters: optional(httpFilters),
  },
  { rules: [serviceNeedsPort] },
);
export type HttpBackendRef = Infer<typeof backendRef>;

const timeouts = object(
  { request: optional(duration()), backendRequest: optional(duration()) },
  {
    rules: [
      ({ request, backendRequest }, field) =>
        request &&
        backendRequest &&
        durationMilliseconds(request) > 0 &&
        durationMilliseconds(backendRequest) > durationMilliseconds(request)
          ? {
              field: `${field}.backendRequest`,
              found: backendRequest,
              expected: `at most the request timeout, ${request}`,
            }
          : undefined,
    ],
  },
);

const retry = object({
  codes: optional(list(integer({ min: 400, max: 599 }), { key: (code) => `${code}` })),
  attempts: optional(integer({ min: 1 })),
  backoff: optional(duration()),
});

const sessionPersistence = object(
  {
    sessionName: optional(string({ max: 128 })),
    absoluteTimeout: optional(duration()),
    type: oneOf(['Cookie', 'Header'], 'Cookie'),
    cookieConfig: optional(object({ lifetimeType: oneOf(['Permanent', 'Session'], 'Session') })),
  },
  {
    rules: [
      ({ cookieConfig, absoluteTimeout, type }, field) => {
        if (cookieConfig?.lifetimeType === 'Permanent' && !absoluteTimeout) {
          return {
            field: `${field}.absoluteTimeout`,
            found: 'nothing',
            expected: 'a duration, since the cookie is Permanent',
          };
        }
        if (cookieConfig && type !== 'Cookie') {
          return {
            field: `${field}.cookieConfig`,
            found: 'cookieConfig',
            expected: `nothing, since type is ${type}`,
          };
        }
        return undefined;
      },
    ],
  },
);

interface RuleParts {
  matches: HttpRouteMatch[];
  filters?: HttpFilter[];
  backendRefs?: HttpBackendRef[];
}

const redirectHasNoBackends: Rule<RuleParts> = ({ filters, backendRefs }, field) =>
  backendRefs?.length && filters?.some((filter) => filter.type === 'RequestRedirect')
    ? {
        field: `${field}.backendRefs`,
        found: 'backendRefs beside a RequestRedirect filter',
        expected: 'one of the two',
      }
    : undefined;

/** ReplacePrefixMatch replaces what a PathPrefix matched, so the rule must have exactly one match, of that type. */
const prefixReplacementHasPrefix: Rule<RuleParts> = ({ matches, filters, backendRefs }, field) => {
  const all = [...(filters ?? []), ...(backendRefs ?? []).flatMap((ref) => ref.filters ?? [])];
  const replaces = all.some(({ requestRedirect, urlRewrite }) =>
    [requestRedirect, urlRewrite].some((each) => each?.path?.type === 'ReplacePrefixMatch'),
  );
  if (!replaces || (matches.length === 1 && matches[0]!.path.type === 'PathPrefix')) return undefined;
  return {
    field: `${field}.matches`,
    found: `${matches.length} matches, the first of type ${matches[0]?.path.type}`,
    expected: 'exactly one match, of type PathPrefix, since a filter uses ReplacePrefixMatch',
  };
};

const rule = object(
  {
    name: optional(sectionName()),
    matches: defaulted(list(match, { max: 64 }), [{ path: { type: 'PathPrefix', value: '/' } }]),
    filters: optional(httpFilters),
    backendRefs: optional(list(backendRef, { max: 16 })),
    timeouts: optional(timeouts),
    retry: optional(retry),
    sessionPersistence: optional(sessionPersistence),
  },
  { rules: [redirectHasNoBackends, prefixReplacementHasPrefix] },
);
export type HttpRouteRule = Infer<typeof rule>;

const atMost128Matches: Rule<HttpRouteRule[]> = (rules, field) => {
  const total = rules.reduce((sum, each) => sum + each.matches.length, 0);
  return total > 128
    ? { field, found: `${total} matches`, expected: 'at most 128 matches over all rules of a route' }
    : undefined;
};

const ruleNamesAreDistinct: Rule<HttpRouteRule[]> = (rules, field) => {
  const index = rules.findIndex(
    (each, i) => each.name !== undefined && rules.findIndex((o) => o.name === each.name) < i,
  );
  return index < 0
    ? undefined
    : {
        field: `${field}[${index}].name`,
        found: rules[index]!.name!,
        expected: 'a name that no other rule of the route has',
      };
};

type ParentRef = Infer<typeof parentRef>;

/** Two references to one parent must tell the sections or ports apart (CEL rules of CommonRouteSpec.parentRefs). */
export const parentRefsAreDistinct: Rule<ParentRef[]> = (refs, field): FieldProblem | undefined => {
  const parent = (ref: ParentRef) => `${ref.group}/${ref.kind}/${ref.namespace ?? ''}/${ref.name}`;
  for (const [index, ref] of refs.entries()) {
    for (const other of refs.slice(0, index)) {
      if (parent(ref) !== parent(other)) continue;
      const distinct = ref.sectionName !== other.sectionName || ref.port !== other.port;
      const bothSay =
        (ref.sectionName !== undefined) === (other.sectionName !== undefined) &&
        (ref.port !== undefined) === (other.port !== undefined);
      if (distinct && bothSay) continue;
      return {
        field: `${field}[${index}]`,
        found: `${ref.kind} ${ref.name} a second time`,
        expected: 'each parent once, or with different sectionName or port in every reference to it',
      };
    }
  }
  return undefined;
};

export const httpRoute = object({
  apiVersion: string(),
  kind: oneOf(['HTTPRoute']),
  metadata,
  spec: object({
    parentRefs: optional(list(parentRef, { max: 32, rules: [parentRefsAreDistinct] })),
    useDefaultGateways: optional(oneOf(['All', 'None'])),
    hostnames: optional(list(hostname(), { max: 16 })),
    rules: list(rule, {
      min: 1,
      max: 16,
      default: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }],
      rules: [atMost128Matches, ruleNamesAreDistinct],
    }),
  }),
  status: optional(anything()),
});
export type HttpRoute = Infer<typeof httpRoute>;

/** HTTPRouteFilter: the fields of every filter type of Gateway API v1.6.1, whether it is served or not. */
import {
  backendObjectRef,
  group,
  headerName,
  headerValue,
  kind,
  namedValues,
  objectName,
  port,
  preciseHostname,
} from './fields.ts';
import {
  boolean,
  type FieldProblem,
  type Infer,
  integer,
  list,
  object,
  oneOf,
  optional,
  type Pattern,
  type Rule,
  string,
} from './schema.ts';

/**
 * Fields that frame a message or belong to one hop (RFC 9110 section 7.6.1, RFC 9112 section 6). A route that could set them could
 * make two messages of one; the proxy alone writes them.
 */
export const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const httpHeaders = namedValues(object({ name: headerName(), value: headerValue() }));
const headerModifier = object({
  set: optional(httpHeaders),
  add: optional(httpHeaders),
  remove: optional(list(string(), { max: 16, key: (name) => name })),
});
export type HeaderModifier = Infer<typeof headerModifier>;

const pathModifierFields = {
  type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch']),
  replaceFullPath: optional(string({ max: 1024 })),
  replacePrefixMatch: optional(string({ max: 1024 })),
};
const valueFitsType: Rule<{ type: string; replaceFullPath?: string; replacePrefixMatch?: string }> = (
  path,
  field,
) => {
  const [own, other] =
    path.type === 'ReplaceFullPath'
      ? (['replaceFullPath', 'replacePrefixMatch'] as const)
      : (['replacePrefixMatch', 'replaceFullPath'] as const);
  if (path[own] === undefined)
    return { field: `${field}.${own}`, found: 'nothing', expected: `a path, since type is ${path.type}` };
  if (path[other] !== undefined)
    return {
      field: `${field}.${other}`,
      found: path[other],
      expected: `nothing, since type is ${path.type}`,
    };
  return undefined;
};
const pathModifier = object(pathModifierFields, { rules: [valueFitsType] });
export type PathModifier = Infer<typeof pathModifier>;

const requestRedirect = object({
  scheme: optional(oneOf(['http', 'https'])),
  hostname: optional(preciseHostname()),
  path: optional(pathModifier),
  port: optional(port()),
  statusCode: oneOf([301, 302, 303, 307, 308], 302),
});

const urlRewrite = object({ hostname: optional(preciseHostname()), path: optional(pathModifier) });

const requestMirror = object(
  {
    backendRef: backendObjectRef,
    percent: optional(integer({ min: 0, max: 100 })),
    fraction: optional(
      object(
        { numerator: integer({ min: 0 }), denominator: defaultOneHundred() },
        {
          rules: [
            ({ numerator, denominator }, field) =>
              numerator > denominator
                ? {
                    field: `${field}.numerator`,
                    found: `${numerator}`,
                    expected: `at most the denominator, ${denominator}`,
                  }
                : undefined,
          ],
        },
      ),
    ),
  },
  {
    rules: [
      ({ percent, fraction }, field) =>
        percent !== undefined && fraction
          ? {
              field: `${field}.fraction`,
              found: 'percent and fraction',
              expected: 'one of percent and fraction',
            }
          : undefined,
    ],
  },
);
function defaultOneHundred() {
  return integer({ min: 1, default: 100 });
}

const originPattern: Pattern = {
  regex: /(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)/,
  words: '"*" or an origin such as https://shop.example.com',
};
const starStandsAlone: Rule<string[]> = (values, field) =>
  values.includes('*') && values.length > 1
    ? { field, found: '"*" beside others', expected: '"*" alone, or a list without it' }
    : undefined;
const same = (value: string) => value;
const cors = object({
  allowOrigins: optional(
    list(string({ min: 1, max: 253, pattern: originPattern }), {
      max: 64,
      key: same,
      rules: [starStandsAlone],
    }),
  ),
  allowCredentials: optional(boolean()),
  allowMethods: optional(
    list(oneOf(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', '*']), {
      max: 9,
      key: same,
      rules: [starStandsAlone],
    }),
  ),
  allowHeaders: optional(list(headerName(), { max: 64, key: same, rules: [starStandsAlone] })),
  exposeHeaders: optional(list(headerName(), { max: 64, key: same })),
  maxAge: integer({ min: 1, default: 5 }),
});

const authPathPattern: Pattern = {
  regex: /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$/,
  words: 'a path of the characters of RFC 3986',
};
const externalAuth = object(
  {
    protocol: oneOf(['HTTP', 'GRPC']),
    backendRef: backendObjectRef,
    grpc: optional(object({ allowedHeaders: optional(list(string(), { max: 64, key: same })) })),
    http: optional(
      object({
        path: optional(string({ max: 1024, pattern: authPathPattern })),
        allowedHeaders: optional(list(string(), { max: 64, key: same })),
        allowedResponseHeaders: optional(list(string(), { max: 64, key: same })),
      }),
    ),
    forwardBody: optional(object({ maxSize: optional(integer({ min: 0, max: 65535 })) })),
  },
  {
    rules: [
      (auth, field) => {
        const [own, other] =
          auth.protocol === 'GRPC' ? (['grpc', 'http'] as const) : (['http', 'grpc'] as const);
        if (!auth[own])
          return {
            field: `${field}.${own}`,
            found: 'nothing',
            expected: `${own}, since protocol is ${auth.protocol}`,
          };
        if (auth[other])
          return {
            field: `${field}.${other}`,
            found: other,
            expected: `nothing, since protocol is ${auth.protocol}`,
          };
        return undefined;
      },
    ],
  },
);

/** The field that holds the configuration of each filter type. */
export const FILTER_FIELDS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
  CORS: 'cors',
  ExternalAuth: 'externalAuth',
} as const;
export type FilterType = keyof typeof FILTER_FIELDS;

export const httpFilter = object(
  {
    type: oneOf(Object.keys(FILTER_FIELDS) as FilterType[]),
    requestHeaderModifier: optional(headerModifier),
    responseHeaderModifier: optional(headerModifier),
    requestMirror: optional(requestMirror),
    requestRedirect: optional(requestRedirect),
    urlRewrite: optional(urlRewrite),
    extensionRef: optional(object({ group: group(), kind: kind(), name: objectName() })),
    cors: optional(cors),
    externalAuth: optional(externalAuth),
  },
  {
    rules: [
      (filter, field) => {
        for (const [type, name] of Object.entries(FILTER_FIELDS)) {
          const present = filter[name] !== undefined;
          if (present && type !== filter.type) {
            return {
              field: `${field}.${name}`,
              found: name,
              expected: `nothing, since the filter's type is ${filter.type}`,
            };
          }
          if (!present && type === filter.type) {
            return {
              field: `${field}.${name}`,
              found: 'nothing',
              expected: `${name}, since the filter's type is ${type}`,
            };
          }
        }
        return undefined;
      },
    ],
  },
);
export type HttpFilter = Infer<typeof httpFilter>;

const ONCE: FilterType[] = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
  'URLRewrite',
  'CORS',
];

function filtersFit(filters: HttpFilter[], field: string): FieldProblem | undefined {
  const redirect = filters.findIndex((filter) => filter.type === 'RequestRedirect');
  const rewrite = filters.findIndex((filter) => filter.type === 'URLRewrite');
  if (redirect >= 0 && rewrite >= 0) {
    return {
      field: `${field}[${rewrite}]`,
      found: 'URLRewrite beside RequestRedirect',
      expected: 'one of the two',
    };
  }
  for (const type of ONCE) {
    const [, second] = filters.flatMap((filter, index) => (filter.type === type ? [index] : []));
    if (second !== undefined)
      return { field: `${field}[${second}]`, found: type, expected: `${type} at most once` };
  }
  return undefined;
}

export const httpFilters = list(httpFilter, { max: 16, rules: [filtersFit] });

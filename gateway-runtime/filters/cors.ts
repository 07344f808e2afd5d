/**
 * CORS (HTTPRouteFilter, extended; GEP-1767): which pages of other origins may call, and read what comes back. Preflight requests are
 * answered here; of all other requests the answer is marked. What a backend says about CORS itself is taken away: this filter decides.
 */
import type { MatchRequest } from '../match/request.ts';
import type { FilterDefinition, LocalReply, ReplyField, RequestHead, ResponseHead } from './definition.ts';

interface Cors {
  /** In the form of `canonicalOrigin`, in which a host may begin with "*"; or "*" alone. None allows no origin. */
  readonly origins: readonly string[];
  readonly credentials: boolean;
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly expose: readonly string[];
  /** Seconds. */
  readonly maxAge: number;
}

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const ALLOW_CREDENTIALS = 'Access-Control-Allow-Credentials';
const EXPOSE_HEADERS = 'Access-Control-Expose-Headers';
const ALLOW_METHODS = 'Access-Control-Allow-Methods';
const ALLOW_HEADERS = 'Access-Control-Allow-Headers';
const MAX_AGE = 'Access-Control-Max-Age';
const ALL = [ALLOW_ORIGIN, ALLOW_CREDENTIALS, EXPOSE_HEADERS, ALLOW_METHODS, ALLOW_HEADERS, MAX_AGE];

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const TOKENS = /^[\w!#$%&'*+.^`|~, -]+$/;
/** One origin and not several, nor something else: RFC 6454 section 7. */
const ORIGIN = /^[\x21-\x2b\x2d-\x7e]+$/;
const NOTHING: readonly ReplyField[] = [];

export const cors: FilterDefinition<'CORS', Cors> = {
  type: 'CORS',
  features: ['HTTPRouteCORS'],
  onRules: true,
  onBackends: true,

  translate(filter) {
    const { allowOrigins, allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge } =
      filter.cors!;
    return {
      origins: (allowOrigins ?? []).map(canonicalOrigin),
      credentials: allowCredentials ?? false,
      methods: allowMethods ?? [],
      headers: allowHeaders ?? [],
      expose: exposeHeaders ?? [],
      maxAge,
    };
  },

  compile(config) {
    const allowed = originTest(config);
    const { methods, headers, credentials, maxAge } = config;
    const anyMethod = methods.includes('*');
    const anyHeader = headers.includes('*');
    const listedMethods = methods.join(', ');
    const listedHeaders = headers.join(', ');
    // "the gateway cannot use the `*` in the Access-Control-Expose-Headers response header" with credentials.
    const exposed = config.expose.filter((name) => name !== '*' || !credentials).join(', ');
    const variesByOrigin = credentials || !config.origins.includes('*');

    const fields = (allowedOrigin: string): ReplyField[] => [
      [ALLOW_ORIGIN, allowedOrigin],
      ...(credentials ? [[ALLOW_CREDENTIALS, 'true'] as const] : []),
      ...(exposed ? [[EXPOSE_HEADERS, exposed] as const] : []),
    ];
    const VARY: readonly ReplyField[] = variesByOrigin ? [['Vary', 'Origin']] : NOTHING;

    return {
      request(head: RequestHead): LocalReply | undefined {
        const method = head.method === 'OPTIONS' ? head.get('access-control-request-method') : undefined;
        if (method === undefined) return undefined;
        const origin = head.get('origin');
        if (origin === undefined) return undefined;
        if (allowed(origin) === undefined) return { status: 204, headers: NOTHING, body: '' };
        const asked = head.get('access-control-request-headers');
        const allowedMethods = !anyMethod ? listedMethods : credentials ? echoed(method, TOKEN) : '*';
        // "*" would not stand for Authorization (Fetch, section 4.9).
        const allowedHeaders = !anyHeader ? listedHeaders : echoed(asked, TOKENS) || (credentials ? '' : '*');
        return {
          status: 204,
          headers: [
            ...(allowedMethods ? [[ALLOW_METHODS, allowedMethods] as const] : []),
            ...(allowedHeaders ? [[ALLOW_HEADERS, allowedHeaders] as const] : []),
            [MAX_AGE, String(maxAge)],
          ],
          body: '',
        };
      },

      reply(request: MatchRequest): readonly ReplyField[] {
        const origin = request.header('origin');
        const allowedOrigin = origin === undefined ? undefined : allowed(origin);
        return allowedOrigin === undefined ? VARY : [...fields(allowedOrigin), ...VARY];
      },

      response(head: ResponseHead, request: MatchRequest): void {
        for (const name of ALL) head.remove(name);
        const origin = request.header('origin');
        const allowedOrigin = origin === undefined ? undefined : allowed(origin);
        if (allowedOrigin !== undefined) {
          head.add(ALLOW_ORIGIN, allowedOrigin);
          if (credentials) head.add(ALLOW_CREDENTIALS, 'true');
          if (exposed) head.add(EXPOSE_HEADERS, exposed);
        }
        // Also where no origin was sent: a cache must not give that answer to a page.
        if (variesByOrigin) head.add('Vary', 'Origin');
      },
    };
  },

  explain({ origins, credentials, methods, headers, expose, maxAge }) {
    const from = origins.length > 0 ? origins.join(', ') : 'no origin, since allowOrigins is empty';
    const unexposed = credentials && expose.includes('*') ? ' (but not *, which credentials rule out)' : '';
    return [
      `CORS: allows ${from}`,
      ...(credentials ? ['with credentials'] : []),
      ...(methods.length > 0 ? [`methods ${methods.join(', ')}`] : []),
      ...(headers.length > 0 ? [`headers ${headers.join(', ')}`] : []),
      ...(expose.length > 0 ? [`exposes ${expose.join(', ')}${unexposed}`] : []),
      `for ${maxAge} s`,
    ].join('; ');
  },
};

/** Lower case, without the port that its scheme has anyway. */
function canonicalOrigin(origin: string): string {
  return origin.toLowerCase().replace(/^(http:.*):80$|^(https:.*):443$/, '$1$2');
}

/** The value of Access-Control-Allow-Origin for an origin; undefined where it is not allowed. */
function originTest({ origins, credentials }: Cors): (origin: string) => string | undefined {
  // "the gateway must not return `*`" with credentials: the origin stands in its place.
  if (origins.includes('*'))
    return (origin) => (!credentials ? '*' : ORIGIN.test(origin) ? origin : undefined);
  const exact = new Set(origins.filter((origin) => !origin.includes('*')));
  const wildcards = origins.filter((origin) => origin.includes('*')).map(wildcardTest);
  return (origin) => {
    const canonical = canonicalOrigin(origin);
    if (exact.has(canonical)) return origin;
    return wildcards.some((matches) => matches(canonical)) ? origin : undefined;
  };
}

const PARTS = /^(https?:\/\/)([a-z0-9.-]+|\*(?:\.[a-z0-9.-]+)?)((?::[0-9]{1,5})?)$/;

/** `*` stands for any number of labels: "a greedy match to the left". */
function wildcardTest(origin: string): (canonical: string) => boolean {
  const [, scheme, host, port] = PARTS.exec(origin)!;
  const suffix = host!.slice(1);
  return (canonical) => {
    const parts = PARTS.exec(canonical);
    if (!parts || parts[1] !== scheme || parts[3] !== port || parts[2]!.includes('*')) return false;
    return parts[2]!.length > suffix.length && parts[2]!.endsWith(suffix);
  };
}

function echoed(value: string | undefined, form: RegExp): string {
  return value !== undefined && form.test(value) ? value : '';
}

/**
 * ExternalAuth (HTTPRouteFilter, extended; GEP-1494): before the request goes on, a Service is asked whether it may. It goes on where that
 * answers 200; everything else, and no answer at all, ends it. Over HTTP; a filter with protocol GRPC is refused.
 */
import { normalizePath } from '../match/normalize.ts';
import type { BackendKey } from '../snapshot/snapshot.ts';
import type {
  AuthorizedHead,
  CompiledAuthorization,
  FilterDefinition,
  LocalReply,
  ReplyField,
  RequestHead,
  TranslateContext,
} from './definition.ts';
import { FRAMING } from './header-edits.ts';

interface ExternalAuth {
  /** As the route names it: `Service shop/auth:80`. */
  readonly name: string;
  /** Absent where the reference did not resolve: then requests get 500. */
  readonly backend?: BackendKey;
  /** What stands before the path of the request: normalized, without a trailing slash; empty for nothing. */
  readonly prefix: string;
  /** Fields that it is told, beside those that it always is. Lower case. */
  readonly tells: readonly string[];
  /** Fields of its answer that go to the backend. Lower case; none listed is all. */
  readonly takes: readonly string[];
  /** Octets of the request's body that it is sent; 0 is none of it. A longer body is refused. */
  readonly body: number;
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** No field of these goes from one message into another: they frame it, or are for one connection. */
const OF_ONE_MESSAGE = new Set([...FRAMING, 'expect', 'proxy-authenticate', 'proxy-authorization']);
/** "all headers from the authorization server except Authority or Host" (HTTPAuthConfig.allowedResponseHeaders). */
const NAMES_OF_HOST = new Set(['host', 'authority']);
/** "must always be sent to the authorization server" (HTTPAuthConfig.allowedHeaders); method and path stand in the first line. */
const ALWAYS_SENT = new Set(['host', 'method', 'path', 'content-length', 'authorization']);

const UNRESOLVED: LocalReply = Object.freeze({
  status: 500,
  headers: [['content-type', 'text/plain; charset=utf-8'] as const],
  body: "500: the route that matches asks an authorization service that can't be used; see the route's status\n",
});

export const externalAuth: FilterDefinition<'ExternalAuth', ExternalAuth> = {
  type: 'ExternalAuth',
  // The conformance suite of v1.6.1 knows no feature for it.
  features: [],
  onRules: true,
  onBackends: false,

  translate(filter, context) {
    const { protocol, backendRef, http, forwardBody } = filter.externalAuth!;
    if (protocol !== 'HTTP') {
      return context.refuse(
        'UnsupportedValue',
        `found an ExternalAuth filter of protocol ${protocol}, which is not served; requests that match get 500 until it is of protocol HTTP or removed`,
      );
    }
    const tells = names(http?.allowedHeaders, 'allowedHeaders', context);
    const takes = names(http?.allowedResponseHeaders, 'allowedResponseHeaders', context, NAMES_OF_HOST);
    const prefix = prefixOf(http?.path, context);
    if (!tells || !takes || prefix === undefined) return undefined;
    const { name, backend } = context.backend(backendRef, 'externalAuth.backendRef');
    return {
      name,
      ...(backend ? { backend } : {}),
      prefix,
      tells: tells.filter((each) => !ALWAYS_SENT.has(each)),
      takes,
      body: forwardBody?.maxSize ?? 0,
    };
  },

  compile(config) {
    return config.backend === undefined
      ? { request: () => UNRESOLVED }
      : { authorization: compileAuthorization(config, config.backend) };
  },

  explain({ name, backend, prefix, tells, takes, body }) {
    if (!backend) return `asks nobody: ${name} can't be used`;
    return [
      `asks ${name} whether the request may go on`,
      ...(prefix ? [`under ${prefix}`] : []),
      ...(tells.length > 0 ? [`tells it ${tells.join(', ')}`] : []),
      ...(body > 0 ? [`sends it the body, up to ${body} bytes`] : []),
      `takes ${takes.length > 0 ? takes.join(', ') : 'all fields'} from its answer`,
    ].join('; ');
  },
};

/** Lower case, each once; undefined where one can't be used. */
function names(
  given: readonly string[] | undefined,
  field: string,
  context: TranslateContext,
  more?: ReadonlySet<string>,
): string[] | undefined {
  const lower = [...new Set((given ?? []).map((name) => name.toLowerCase()))];
  for (const name of lower) {
    if (!TOKEN.test(name)) {
      return context.refuse(
        'UnsupportedValue',
        `found ${JSON.stringify(name)} in ${field}, expected the name of a header`,
      );
    }
    // Of the request it is sent anyway, with the length that is sent.
    const isFraming = OF_ONE_MESSAGE.has(name) && !(name === 'content-length' && !more);
    if (isFraming || more?.has(name)) {
      return context.refuse(
        'UnsupportedValue',
        `found ${name} in ${field}, which belongs to one message and can't be taken into another; remove it from the list`,
      );
    }
  }
  return lower;
}

function prefixOf(given: string | undefined, context: TranslateContext): string | undefined {
  if (!given) return '';
  const path = normalizePath(given.startsWith('/') ? given : `/${given}`);
  if (typeof path !== 'string') {
    return context.refuse(
      'UnsupportedValue',
      `${JSON.stringify(given)} can't stand before a path (${path.problem}); give a path such as /check`,
    );
  }
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

function compileAuthorization(
  { name, prefix, tells, takes, body }: ExternalAuth,
  backend: BackendKey,
): CompiledAuthorization {
  const takesAll = takes.length === 0;
  const taken = new Set(takes);
  // What an origin may read as one of these: CGI, and what descends from it, makes one name of X-User and X_User.
  const spoofable = new Set(takes.map(plain));
  const initials = [...new Set(takes.map((each) => each[0]!))].join('');
  return {
    name,
    backend,
    body,

    ask(head: RequestHead) {
      const fields: ReplyField[] = [];
      const authorization = head.get('authorization');
      if (authorization !== undefined) fields.push(['Authorization', authorization]);
      for (const each of tells) {
        const value = head.get(each);
        if (value !== undefined) fields.push([each, value]);
      }
      const { method, query, authority } = head;
      const path = prefix + head.path;
      return { method, target: query ? `${path}?${query}` : path, authority, fields };
    },

    allow(head: AuthorizedHead, answered: readonly string[]): void {
      // First, so that what a client says of itself never stands where the service has said nothing.
      if (!takesAll) head.removeIf(initials, (each) => spoofable.has(plain(each)));
      const seen = new Set<string>();
      for (let i = 0; i < answered.length; i += 2) {
        const lower = answered[i]!.toLowerCase();
        if (takesAll ? !mayBeTaken(lower) : !taken.has(lower)) continue;
        if (takesAll && !seen.has(lower)) {
          const alias = plain(lower);
          head.removeIf(lower[0]!, (each) => plain(each) === alias);
          seen.add(lower);
        }
        head.add(answered[i]!, answered[i + 1]!);
      }
    },
  };
}

const plain = (lower: string) => lower.replaceAll(/[^a-z0-9]/g, '-');

/** Where nothing is listed. Content-* is about the content of the answer, which goes nowhere, and would be taken for that of the request. */
function mayBeTaken(lower: string): boolean {
  return !OF_ONE_MESSAGE.has(lower) && !NAMES_OF_HOST.has(lower) && !lower.startsWith('content-');
}

/**
 * Session persistence of one rule (GEP-1619), for one of its matches: reads the session of a request out of its cookie or header, and
 * gives the field that begins one. What is forged, expired or of another rule is as nothing. Cookies of other names are not touched.
 */
import type { EditableHead } from '../../filters/definition.ts';
import type { MatchRequest } from '../../match/request.ts';
import { contentHash } from '../../snapshot/canonical.ts';
import { sessionBinding, sessionName } from '../../snapshot/session.ts';
import type { BackendKey, HttpRule, PathMatch, RuleSession } from '../../snapshot/snapshot.ts';
import type { UpstreamEndpoint } from '../upstream/upstream-endpoint.ts';
import { LONGEST, type OpenedSession, type SessionKeys, TAG } from './session-keys.ts';

/** Cookies of one name that are looked at: "the implementation MUST be able to handle multiple cookies". */
const MOST_COOKIES = 4;

/** What became of a session: begun, at its endpoint again, or gone to another. */
export type SessionWord = 'new' | 'kept' | 'moved';

/** What is known of the session of one request. */
export class RequestSession {
  /** As the client showed it; undefined where it showed none that counts. */
  readonly shown: OpenedSession | undefined;
  /** The endpoint that it names, where it may be sent requests. */
  readonly endpoint: UpstreamEndpoint | undefined;

  constructor(shown?: OpenedSession, endpoint?: UpstreamEndpoint) {
    this.shown = shown;
    this.endpoint = endpoint;
  }

  /** What became of it, once the request has gone to `endpoint`. */
  wordFor(endpoint: UpstreamEndpoint): SessionWord {
    if (!this.shown) return 'new';
    return this.endpoint === endpoint ? 'kept' : 'moved';
  }
}

export class RuleSessions<B extends { readonly backend?: BackendKey }> {
  readonly #keys: SessionKeys;
  readonly #session: RuleSession;
  readonly #binding: string;
  /** Of the cookie with "=", or of the header. */
  readonly #name: string;
  readonly #attributes: string;
  readonly #backends: ReadonlyMap<string, B>;
  readonly #tags: ReadonlyMap<BackendKey, string>;

  /** @param backends all of the rule, those without weight too: a session goes on where new ones don't begin any more */
  constructor(rule: HttpRule, path: PathMatch, backends: readonly B[], keys: SessionKeys) {
    const session = rule.session!;
    this.#keys = keys;
    this.#session = session;
    this.#binding = sessionBinding(rule.source);
    const name = sessionName(rule);
    this.#name = session.type === 'Cookie' ? `${name}=` : name.toLowerCase();
    this.#attributes = `; Path=${cookiePath(path)}${maxAge(session)}; HttpOnly; SameSite=Strict`;
    const tagged = backends.filter(({ backend }) => backend !== undefined);
    // Of one that stands there twice, the first.
    this.#backends = new Map(tagged.toReversed().map((each) => [backendTag(each.backend!), each]));
    this.#tags = new Map(tagged.map(({ backend }) => [backend!, backendTag(backend!)]));
  }

  /** Undefined where the request shows nothing; null where it shows something that does not count. */
  find(request: MatchRequest, now: number): OpenedSession | null | undefined {
    const isCookie = this.#session.type === 'Cookie';
    const text = request.header(isCookie ? 'cookie' : this.#name);
    if (text === undefined) return undefined;
    if (!isCookie) return this.#open(text, now) ?? null;
    let seen: null | undefined;
    let from = 0;
    for (let left = MOST_COOKIES; left > 0; ) {
      const at = text.indexOf(this.#name, from);
      if (at < 0) break;
      from = at + this.#name.length;
      if (at > 0 && !isBetween(text.charCodeAt(at - 1))) continue;
      left--;
      seen = null;
      let end = from;
      while (end < text.length && !isBetween(text.charCodeAt(end)) && end - from <= LONGEST) end++;
      const session = this.#open(text.slice(from, end), now);
      if (session) return session;
    }
    return seen;
  }

  #open(token: string, now: number): OpenedSession | undefined {
    const session = this.#keys.open(token, this.#binding);
    return session && (session.expires === 0 || now < session.expires) ? session : undefined;
  }

  /** Undefined where the rule does not have it any more. */
  backendOf({ backend }: OpenedSession): B | undefined {
    return this.#backends.get(backend);
  }

  /** Has the client come back to the endpoint that answered, where it would not. */
  mark(
    head: EditableHead,
    session: RequestSession,
    backend: BackendKey,
    endpoint: UpstreamEndpoint,
    isSecure: boolean,
    now: number,
  ): void {
    const isKept = session.endpoint === endpoint;
    if (isKept && !session.shown!.isOld) return;
    const { lifetime } = this.#session;
    const expires = isKept ? session.shown!.expires : lifetime === undefined ? 0 : now + lifetime;
    const { address, port } = endpoint;
    const token = this.#keys.seal(
      { backend: this.#tags.get(backend)!, address, port, expires },
      this.#binding,
    );
    if (this.#session.type === 'Header') head.set(this.#name, token);
    else head.add('Set-Cookie', `${this.#name}${token}${this.#attributes}${isSecure ? '; Secure' : ''}`);
  }
}

function backendTag(backend: BackendKey): string {
  return contentHash(backend).slice(0, TAG);
}

/** Whether it stands between cookies, in one field or in several that were joined. */
function isBetween(code: number): boolean {
  return code === 0x3b || code === 0x20 || code === 0x2c;
}

/** Seconds, so that the browser forgets it; without, it does so when it ends, and what is sealed in it says when it has expired. */
function maxAge({ isPermanent, lifetime }: RuleSession): string {
  return isPermanent ? `; Max-Age=${Math.ceil(lifetime! / 1000)}` : '';
}

/**
 * The path under which the cookie is sent: that of the match; of an expression "the longest non-regex prefix" (GEP-1619), in whole
 * segments.
 */
export function cookiePath({ type, value }: PathMatch): string {
  if (type !== 'RegularExpression') return beforeSemicolon(value);
  if (value.includes('|')) return '/';
  const pattern = value.replace(/^\^/, '');
  const literal = /^[\w/~%-]*/.exec(pattern)![0];
  const rest = pattern.slice(literal.length);
  if (rest === '' || rest === '$') return literal.startsWith('/') ? literal : '/';
  const end = literal.lastIndexOf('/');
  return end > 0 && literal.startsWith('/') ? literal.slice(0, end) : '/';
}

/** Which would end the attribute: the segments before it will do. */
function beforeSemicolon(path: string): string {
  const at = path.indexOf(';');
  if (at < 0) return path;
  return path.slice(0, Math.max(1, path.lastIndexOf('/', at)));
}

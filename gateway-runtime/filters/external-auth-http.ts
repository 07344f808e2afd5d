/** ExternalAuth of protocol HTTP: the Service is sent a request like the one that it is asked about, and says yes with 200. */
import type { HttpFilter } from '../api/http-filter.ts';
import { normalizePath } from '../match/normalize.ts';
import type { BackendKey } from '../snapshot/snapshot.ts';
import { answerNames, mayBeTaken, plainName, removeAliases, requestNames } from './authorized-fields.ts';
import {
  ALLOWED,
  type AuthorizationAnswer,
  type AuthorizedHead,
  type CompiledAuthorization,
  type ReplyField,
  type TranslateContext,
} from './definition.ts';

export interface HttpAsking {
  readonly protocol: 'HTTP';
  /** What stands before the path of the request: normalized, without a trailing slash; empty for nothing. */
  readonly prefix: string;
  /** Fields that it is told, beside those that it always is. Lower case. */
  readonly tells: readonly string[];
  /** Fields of its answer that go to the backend. Lower case; none listed is all. */
  readonly takes: readonly string[];
}

type HttpSettings = NonNullable<NonNullable<HttpFilter['externalAuth']>['http']>;

/** "must always be sent to the authorization server" (HTTPAuthConfig.allowedHeaders); method and path stand in the first line. */
const ALWAYS_SENT = new Set(['host', 'method', 'path', 'content-length', 'authorization']);

export function translateHttp(
  http: HttpSettings | undefined,
  context: TranslateContext,
): HttpAsking | undefined {
  const tells = requestNames(http?.allowedHeaders, context);
  const takes = answerNames(http?.allowedResponseHeaders, context);
  const prefix = prefixOf(http?.path, context);
  if (!tells || !takes || prefix === undefined) return undefined;
  return { protocol: 'HTTP', prefix, tells: tells.filter((each) => !ALWAYS_SENT.has(each)), takes };
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

export function explainTold({ prefix, tells }: HttpAsking): string[] {
  return [
    ...(prefix ? [`under ${prefix}`] : []),
    ...(tells.length > 0 ? [`tells it ${tells.join(', ')}`] : []),
  ];
}

export function explainTaken({ takes }: HttpAsking): string {
  return `takes ${takes.length > 0 ? takes.join(', ') : 'all fields'} from its answer`;
}

/** @param body octets of the request's body that it is sent */
export function compileHttp(
  { prefix, tells, takes }: HttpAsking,
  name: string,
  backend: BackendKey,
  body: number,
): CompiledAuthorization {
  const takesAll = takes.length === 0;
  const taken = new Set(takes);
  const spoofable = new Set(takes.map(plainName));
  const initials = [...new Set(takes.map((each) => each[0]!))].join('');

  const take = (head: AuthorizedHead, answered: readonly string[]) => {
    // First, so that what a client says of itself never stands where the service has said nothing.
    if (!takesAll) head.removeIf(initials, (each) => spoofable.has(plainName(each)));
    const seen = new Set<string>();
    for (let i = 0; i < answered.length; i += 2) {
      const lower = answered[i]!.toLowerCase();
      if (takesAll ? !mayBeTaken(lower) : !taken.has(lower)) continue;
      if (takesAll && !seen.has(lower)) {
        removeAliases(head, lower);
        seen.add(lower);
      }
      head.add(answered[i]!, answered[i + 1]!);
    }
  };

  return {
    name,
    backend,
    body,

    ask({ head, body: content = [] }) {
      const fields: ReplyField[] = [];
      const authorization = head.get('authorization');
      if (authorization !== undefined) fields.push(['Authorization', authorization]);
      for (const each of tells) {
        const value = head.get(each);
        if (value !== undefined) fields.push([each, value]);
      }
      const { method, query, authority } = head;
      const path = prefix + head.path;
      return { method, target: query ? `${path}?${query}` : path, authority, fields, content };
    },

    judge(head: AuthorizedHead, { status, fields, body: content }: AuthorizationAnswer) {
      // "Any other code is considered an authorization failure" (HTTPExternalAuthFilter.protocol).
      if (status !== 200) return { result: 'denied', status, fields, body: content };
      take(head, fields);
      return ALLOWED;
    },
  };
}

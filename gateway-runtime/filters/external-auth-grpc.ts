/** ExternalAuth of protocol GRPC: the Service is asked by a call of Envoy's ext_authz protocol, `envoy.service.auth.v3.Authorization/Check`. */
import type { HttpFilter } from '../api/http-filter.ts';
import type { BackendKey } from '../snapshot/snapshot.ts';
import { mayBeEdited, mayBeTold, removeAliases, requestNames } from './authorized-fields.ts';
import {
  ALLOWED,
  type AuthorizationAnswer,
  type AuthorizationSubject,
  type AuthorizationVerdict,
  type AuthorizedHead,
  type CompiledAuthorization,
  type EditableHead,
  type TranslateContext,
  UNANSWERED,
} from './definition.ts';
import { checkRequest } from './ext-authz/check-request.ts';
import { type CheckAnswer, type FieldEdit, readCheckResponse } from './ext-authz/check-response.ts';
import { messagePrefix, onlyMessage } from './ext-authz/grpc-message.ts';
import { MalformedMessage } from './ext-authz/protobuf-reader.ts';

export interface GrpcAsking {
  readonly protocol: 'GRPC';
  /** Fields that it is told. Lower case; none listed is all. */
  readonly tells: readonly string[];
}

type GrpcSettings = NonNullable<NonNullable<HttpFilter['externalAuth']>['grpc']>;

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const FIELDS = [
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
] as const;

export function translateGrpc(
  grpc: GrpcSettings | undefined,
  context: TranslateContext,
): GrpcAsking | undefined {
  const tells = requestNames(grpc?.allowedHeaders, context);
  return tells && { protocol: 'GRPC', tells };
}

export function explainGrpc({ tells }: GrpcAsking): string[] {
  return ['by gRPC', `tells it ${tells.length > 0 ? tells.join(', ') : 'all fields'}`];
}

/** @param body octets of the request's body that it is sent */
export function compileGrpc(
  { tells }: GrpcAsking,
  name: string,
  backend: BackendKey,
  body: number,
): CompiledAuthorization {
  const told = new Set(tells);
  const isTold = (lower: string) => (told.size === 0 ? mayBeTold(lower) : told.has(lower));
  return {
    name,
    backend,
    body,

    ask(subject) {
      const message = checkRequest(subject, headersOf(subject, isTold));
      return {
        method: 'POST',
        target: CHECK,
        authority: subject.head.authority,
        fields: FIELDS,
        content: [messagePrefix(message.length), ...message.pieces],
        isHttp2: true,
      };
    },

    judge(head, answer) {
      const check = answerOf(answer);
      if (!check) return UNANSWERED;
      if (!check.isAllowed) return denial(check);
      for (const each of check.removes) if (mayBeEdited(each)) removeAliases(head, each);
      for (const each of check.edits) editRequest(head, each);
      const edits = check.responseEdits.filter(({ field }) => mayBeEdited(field[0].toLowerCase()));
      return edits.length > 0 ? { result: 'allowed', response: (back) => editAll(back, edits) } : ALLOWED;
    },
  };
}

/** "All header keys must be lower-cased", and those of one name merged (AttributeContext.HttpRequest.headers). */
function headersOf(
  { head }: AuthorizationSubject,
  isTold: (lower: string) => boolean,
): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (isTold('host')) headers.set('host', head.authority);
  head.each((name, value) => {
    const lower = name.toLowerCase();
    if (lower === 'host' || !isTold(lower)) return;
    const before = headers.get(lower);
    // Pairs of cookies are joined in their own way (RFC 9113 section 8.2.3).
    const joint = lower === 'cookie' ? '; ' : ', ';
    headers.set(lower, before === undefined ? value : `${before}${joint}${value}`);
  });
  return headers;
}

/** Undefined where the call has failed, or what came is no answer of this protocol. */
function answerOf({ status, fields, body, trailers }: AuthorizationAnswer): CheckAnswer | undefined {
  const message = body && onlyMessage(body);
  if (status !== 200 || firstOf(trailers, 'grpc-status') !== '0' || !message) return undefined;
  if (!/^application\/grpc(?:[+;]|$)/.test(firstOf(fields, 'content-type') ?? '')) return undefined;
  try {
    return readCheckResponse(message);
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}

function denial({ status, edits, body }: CheckAnswer & { isAllowed: false }): AuthorizationVerdict {
  const fields: string[] = [];
  for (const { field, action } of edits) {
    if (action === 'replace') drop(fields, field[0].toLowerCase());
    fields.push(...field);
  }
  return { result: 'denied', status, fields, body };
}

function drop(fields: string[], lower: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if (fields[i]!.toLowerCase() === lower) fields.splice(i, 2);
  }
}

function editRequest(head: AuthorizedHead, { field, action }: FieldEdit): void {
  const lower = field[0].toLowerCase();
  if (!mayBeEdited(lower)) return;
  if (action === 'replace') removeAliases(head, lower);
  head.add(field[0], field[1]);
}

function editAll(head: EditableHead, edits: readonly FieldEdit[]): void {
  for (const { field, action } of edits) {
    const isThere = head.get(field[0]) !== undefined;
    if (action === 'add' || (action === 'add-if-absent' && !isThere)) head.add(field[0], field[1]);
    else if (action === 'replace' || (action === 'replace-if-present' && isThere))
      head.set(field[0], field[1]);
  }
}

function firstOf(fields: readonly string[], lower: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i]!.toLowerCase() === lower) return fields[i + 1];
  return undefined;
}

/** The fields that go from a request to a Service that is asked about it, and from its answer to the request. */

import { FRAMING } from '../api/http-filter.ts';
import type { AuthorizedHead, TranslateContext } from './definition.ts';
import { isFieldName } from './field-syntax.ts';

/** No field of these goes from one message into another: they frame it, or are for one connection. */
const OF_ONE_MESSAGE = new Set([...FRAMING, 'expect', 'proxy-authenticate', 'proxy-authorization']);
/** "all headers from the authorization server except Authority or Host" (HTTPAuthConfig.allowedResponseHeaders). */
const NAMES_OF_HOST = new Set(['host', 'authority']);

/** What an origin may read as the same name: CGI, and what descends from it, makes one name of X-User and X_User. */
export const plainName = (lower: string): string => lower.replaceAll(/[^a-z0-9]/g, '-');

/** Removes every field that an origin may read as this one. */
export function removeAliases(head: AuthorizedHead, lower: string): void {
  const plain = plainName(lower);
  head.removeIf(lower[0]!, (each) => plainName(each) === plain);
}

/** Whether a field of an answer may become one of the request. Content-* is about the content of the answer, which goes nowhere. */
export function mayBeTaken(lower: string): boolean {
  return mayBeEdited(lower) && !lower.startsWith('content-');
}

/** The same of one that is named by the Service, and not just found in its answer. */
export function mayBeEdited(lower: string): boolean {
  return !OF_ONE_MESSAGE.has(lower) && !NAMES_OF_HOST.has(lower);
}

/** Whether a Service may be told a field of the request. The length is that of the body that it is sent. */
export function mayBeTold(lower: string): boolean {
  return !OF_ONE_MESSAGE.has(lower) || lower === 'content-length';
}

/** Names of a list in lower case, each once; undefined where one can't be used. */
export function requestNames(
  given: readonly string[] | undefined,
  context: TranslateContext,
): string[] | undefined {
  return names(given, 'allowedHeaders', mayBeTold, context);
}

/** The same for fields of the answer. */
export function answerNames(
  given: readonly string[] | undefined,
  context: TranslateContext,
): string[] | undefined {
  return names(given, 'allowedResponseHeaders', mayBeEdited, context);
}

function names(
  given: readonly string[] | undefined,
  field: string,
  isUsable: (lower: string) => boolean,
  context: TranslateContext,
): string[] | undefined {
  const lower = [...new Set((given ?? []).map((name) => name.toLowerCase()))];
  for (const name of lower) {
    if (!isFieldName(name)) {
      return context.refuse(
        'UnsupportedValue',
        `found ${JSON.stringify(name)} in ${field}, expected the name of a header`,
      );
    }
    if (!isUsable(name)) {
      return context.refuse(
        'UnsupportedValue',
        `found ${name} in ${field}, which belongs to one message and can't be taken into another; remove it from the list`,
      );
    }
  }
  return lower;
}

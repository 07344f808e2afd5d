/** The edits of RequestHeaderModifier and ResponseHeaderModifier, which are the same but for the head they work on. */
import type { HeaderModifier } from '../api/http-filter.ts';
import { shownValue } from '../snapshot/credential.ts';
import type { EditableHead, TranslateContext } from './definition.ts';

type Field = readonly [name: string, value: string];

/** In the order in which they are applied: set, add, remove. */
export interface HeaderEdits {
  readonly set: readonly Field[];
  readonly add: readonly Field[];
  readonly remove: readonly string[];
}

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

export function translateHeaderEdits(
  modifier: HeaderModifier,
  forbidden: ReadonlyMap<string, string>,
  context: TranslateContext,
): HeaderEdits | undefined {
  const names = [
    ...[...(modifier.set ?? []), ...(modifier.add ?? [])].map((header) => header.name),
    ...(modifier.remove ?? []),
  ];
  for (const name of names) {
    const lower = name.toLowerCase();
    if (FRAMING.has(lower)) {
      return context.refuse(
        'UnsupportedValue',
        `the header ${name} frames the message or belongs to one connection, so a filter must not edit it; remove it from the filter`,
      );
    }
    const instead = forbidden.get(lower);
    if (instead)
      return context.refuse(
        'UnsupportedValue',
        `the header ${name} can't be edited by this filter; ${instead}`,
      );
  }
  // "If the names differ only in case, the first entry is used" (HTTPHeader.name).
  return {
    set: firstOfEachName(modifier.set ?? []),
    add: firstOfEachName(modifier.add ?? []),
    remove: [...new Set((modifier.remove ?? []).map((name) => name.toLowerCase()))],
  };
}

function firstOfEachName(headers: readonly { name: string; value: string }[]): Field[] {
  const seen = new Map<string, Field>();
  for (const { name, value } of headers) {
    if (!seen.has(name.toLowerCase())) seen.set(name.toLowerCase(), [name, value]);
  }
  return [...seen.values()];
}

export function applyHeaderEdits(edits: HeaderEdits, head: EditableHead): void {
  for (const field of edits.set) head.set(field[0], field[1]);
  for (const field of edits.add) head.add(field[0], field[1]);
  for (const name of edits.remove) head.remove(name);
}

export function explainHeaderEdits(edits: HeaderEdits, what: 'request' | 'response'): string {
  const parts = [
    ...edits.set.map(([name, value]) => `sets ${name}: ${shownValue(name, value)}`),
    ...edits.add.map(([name, value]) => `adds ${name}: ${shownValue(name, value)}`),
    ...edits.remove.map((name) => `removes ${name}`),
  ];
  return `${what} headers: ${parts.join(', ') || 'no change'}`;
}

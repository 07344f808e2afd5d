/** The edits of RequestHeaderModifier and ResponseHeaderModifier, which are the same but for the head they work on. */
import { FRAMING, type HeaderModifier } from '../api/http-filter.ts';
import { shownValue } from '../snapshot/credential.ts';
import type { EditableHead, TranslateContext } from './definition.ts';

type Field = readonly [name: string, value: string];

/** In the order in which they are applied: set, add, remove. */
export interface HeaderEdits {
  readonly set: readonly Field[];
  readonly add: readonly Field[];
  readonly remove: readonly string[];
}

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
  return headerEdits(modifier);
}

/** Of what was checked before. */
export function headerEdits({ set = [], add = [], remove = [] }: HeaderModifier): HeaderEdits {
  // "If the names differ only in case, the first entry is used" (HTTPHeader.name).
  return {
    set: firstOfEachName(set),
    add: firstOfEachName(add),
    remove: [...new Set(remove.map((name) => name.toLowerCase()))],
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

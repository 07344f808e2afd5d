/** What a stage finds wrong with an object, once: it becomes a condition for the cluster and a Diagnostic for people. */
import { type ObjectRef, refKey } from '../api/object.ts';
import type { Diagnostic, ExampleRequest, Severity } from '../snapshot/diagnostic.ts';
import type { Reason } from './reasons.ts';
import type { Condition } from './translation.ts';

export interface Finding {
  /** A reason of Gateway API where it has one, such as `RefNotPermitted`. */
  readonly reason: Reason;
  /** Path in the object at fault. */
  readonly field?: string;
  /** What was found and what was expected, without a full stop. */
  readonly message: string;
  /** The next step, as an imperative without a full stop. */
  readonly fix?: string;
  /** The other objects. They are shown in diagnostics only: a status may be read by another team. */
  readonly related?: readonly ObjectRef[];
  /** A request that shows it. */
  readonly example?: ExampleRequest;
}

/** As one or two sentences, for a condition. */
export function sentence({ field, message, fix }: Finding): string {
  return `${field ? `${field}: ` : ''}${message}.${fix ? ` ${capitalized(fix)}.` : ''}`;
}

/** Several findings as one text, not more than people read. */
export function sentences(findings: readonly Finding[]): string {
  const shown = findings.slice(0, 8).map(sentence).join(' ');
  return findings.length > 8 ? `${shown} And ${findings.length - 8} more.` : shown;
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Stable code of a finding: `route/backend-not-found` for the reason BackendNotFound. */
export function codeOf(subject: string, reason: string): string {
  return `${subject}/${reason.replace(/(?<=[a-z0-9])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])/g, (letter) => `-${letter}`).toLowerCase()}`;
}

/** What the owner of the other side decided: nothing to mend for whoever wrote the object. */
const BY_DESIGN = new Set(['NotAllowedByListeners']);

export function diagnose(
  subject: string,
  object: ObjectRef,
  { reason, field, message, fix, related, example }: Finding,
  severity: Severity = BY_DESIGN.has(reason) ? 'warning' : 'error',
): Diagnostic {
  return {
    severity,
    code: codeOf(subject, reason),
    object,
    ...(field ? { field } : {}),
    message,
    ...(fix ? { fix } : {}),
    ...(related?.length ? { related } : {}),
    ...(example ? { example } : {}),
  };
}

/** What a message lists at most; the rest is counted. */
const MOST_LISTED = 8;

/** `a, b, c`; `a, b and 12 more` where they are many. */
export function listed(words: readonly string[]): string {
  const more = words.length - MOST_LISTED;
  return more > 0 ? `${words.slice(0, MOST_LISTED).join(', ')} and ${more} more` : words.join(', ');
}

/** What to choose from: `a`, or `one of a, b, c`. */
export const oneOf = (words: readonly string[]): string =>
  words.length === 1 ? words[0]! : `one of ${listed(words)}`;

/** Characters of a condition's message; the API server takes 32,768. */
const LONGEST_MESSAGE = 16_384;

/** Conditions of one object or part of it, all seen at the same generation. */
export class Conditions {
  readonly list: Condition[] = [];
  readonly #generation: number;

  constructor(generation: number | undefined) {
    this.#generation = generation ?? 0;
  }

  add(type: string, status: Condition['status'], reason: Reason, message: string): this {
    const shown = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message;
    this.list.push({ type, status, reason, message: shown, observedGeneration: this.#generation });
    return this;
  }
}

/** `Gateway infra/shared`: how messages name an object. */
export function named(ref: { kind: string; namespace: string; name: string }): string {
  return refKey(ref).replace('/', ' ');
}

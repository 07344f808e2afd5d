/**
 * How a stage reports without throwing: which object, which field, what was found, what was expected, what to do.
 * Every message that a user sees about an object is one of these.
 */

import { type ObjectRef, refKey } from '../api/object.ts';
import type { FieldProblem } from '../api/schema.ts';

export type Severity = 'error' | 'warning' | 'info';

export interface Diagnostic {
  readonly severity: Severity;
  /** Stable, for machines and tests: `<subject>/<what>` in kebab case, such as `route/not-allowed-by-listener`. */
  readonly code: string;
  readonly object: ObjectRef;
  /** Path in the object, where one field is at fault. */
  readonly field?: string;
  /** One sentence with what was found and what was expected. */
  readonly message: string;
  /** The next step. */
  readonly fix?: string;
  /** The other side, where two objects do not fit. */
  readonly related?: readonly ObjectRef[];
  /** A request that shows it. */
  readonly example?: ExampleRequest;
}

/** A request for people to try, and to ask `gatewright explain` about. Credentials in it are redacted. */
export interface ExampleRequest {
  /** Empty for a connection over which nothing is known to be said, `tls://shop.example.com`. */
  readonly method: string;
  /** Absolute. The port is that of the listener; an expression stands between `<` and `>`. */
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** As `gatewright explain` takes it: `GET http://shop.example.com/cart -H 'x-tier: gold'`. */
export function formatExample({ method, url, headers }: ExampleRequest): string {
  const shown = headers.map(({ name, value }) => ` -H '${`${name}: ${value}`.replaceAll("'", "'\\''")}'`);
  return `${method}${method ? ' ' : ''}${url}${shown.join('')}`;
}

/** Where an object came from: `file.yaml document 2`, or a construct path. Kept beside objects, never inside. */
export type Origin = string;

export function fromFieldProblem(object: ObjectRef, problem: FieldProblem): Diagnostic {
  return {
    severity: 'error',
    code: 'object/invalid-field',
    object,
    field: problem.field,
    message: `found ${problem.found}, expected ${problem.expected}`,
    ...(problem.fix ? { fix: problem.fix } : {}),
  };
}

/**
 * One diagnostic as text, without colour: `error HTTPRoute/shop/cart spec.rules[0]: ... Fix: ... (origin) See ... Example: ...`.
 * Without `originOf` nothing is said of where the objects stand.
 */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  originOf?: (ref: ObjectRef) => Origin | undefined,
): string {
  const { severity, object, field, message, fix, related, example } = diagnostic;
  const origin = originOf?.(object);
  const parts = [`${severity} ${refKey(object)}${field ? ` ${field}` : ''}: ${message}.`];
  if (fix) parts.push(`Fix: ${fix}.`);
  if (origin) parts.push(`(${origin})`);
  for (const ref of related ?? []) {
    // The message names it already: what helps is where it stands.
    const other = originOf?.(ref);
    if (other) parts.push(`See ${refKey(ref)} (${other}).`);
  }
  if (example) parts.push(`Example: ${formatExample(example)}.`);
  return parts.join(' ');
}

/** Where objects come from, and what can be wrong before they are objects: the common part of files and apps. */
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import type { Origin, Severity } from '../snapshot/diagnostic.ts';

/** An object that passed the rules of its kind, and where it stands. */
export interface SourcedObject {
  readonly ref: ObjectRef;
  readonly raw: RawObject;
  readonly origin: Origin;
  /** Where parts of it stand that were made elsewhere than the object, by name: the grants of a Grant. */
  readonly parts?: ReadonlyMap<string, Origin>;
}

/** What is wrong in a source: in the text itself, or in one object of it. */
export interface SourceProblem {
  readonly severity: Severity;
  /** As shown to the user: relative to the working directory where it lies below it. */
  readonly file: string;
  /** From 1; absent where the file has a single document. */
  readonly document?: number;
  /** From 1. */
  readonly line?: number;
  readonly object?: ObjectRef;
  /** The construct path, where the checks of an app found it. */
  readonly construct?: string;
  readonly field?: string;
  /** One sentence, without a full stop. */
  readonly message: string;
  readonly fix?: string;
}

/** `error shop.yaml:14 (document 2) HTTPRoute/shop/cart spec.rules[0]: found ..., expected .... Fix: ....` */
export function formatSourceProblem(problem: SourceProblem): string {
  const { severity, file, document, line, object, field, message, fix } = problem;
  const where = `${file}${line === undefined ? '' : `:${line}`}${document === undefined ? '' : ` (document ${document})`}`;
  const what = object ? ` ${refKey(object)}${field ? ` ${field}` : ''}` : '';
  const end = message.endsWith('?') ? '' : '.';
  return `${severity} ${where}${what}: ${message}${end}${fix ? ` Fix: ${fix}.` : ''}`;
}

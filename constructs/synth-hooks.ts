/**
 * What a construct may add to a synth. By registered symbols, so that the command line finds them in an app that brings another
 * copy of this package.
 */
import type { RawObject } from '../gateway-runtime/api/object.ts';
import type { Attachment } from './attachment.ts';
import type { PrioritizedRoute } from './priorities.ts';

/** Brings its child objects up to date: for a construct that knows only at synth which objects it has. */
export const MATERIALIZE = Symbol.for('gatewright.dev/materialize');

/** Sentences about what is not wrong in itself; cdk8s' own validations know errors only. */
export const WARNINGS = Symbol.for('gatewright.dev/warnings');

/** What routes may attach to, as far as the construct has a say in it. */
export const ATTACHMENTS = Symbol.for('gatewright.dev/attachments');

/** The rules of a route, with their priorities. */
export const PRIORITIZED = Symbol.for('gatewright.dev/prioritized');

export interface SynthHooks {
  [PRIORITIZED]?(): PrioritizedRoute;
  [ATTACHMENTS]?(): readonly Attachment[];
  [MATERIALIZE]?(): void;
  [WARNINGS]?(objects: readonly RawObject[]): string[];
}

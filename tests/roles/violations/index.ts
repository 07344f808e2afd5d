/**
 * What teams must not be able to do, once, for every layer that has to stop it: the compiler, synth, admission and the runtime. Each entry is
 * complete by itself; it is tried against the platform of `fixture.ts`.
 */
import { ATTACHMENTS } from './attachments.ts';
import { BOUNDS } from './bounds.ts';
import { HOSTNAMES } from './hostnames.ts';
import { KINDS } from './kinds.ts';
import { OWN_LISTENERS } from './own-listeners.ts';
import { PATHS } from './paths.ts';
import { PLATFORM_OBJECTS } from './platform-objects.ts';
import { REFERENCES } from './references.ts';
import type { Violation } from './violation.ts';

export type { Complaint, Refusal, Unseen, Violation } from './violation.ts';

export const VIOLATIONS: readonly Violation[] = [
  ...HOSTNAMES,
  ...ATTACHMENTS,
  ...KINDS,
  ...PATHS,
  ...PLATFORM_OBJECTS,
  ...BOUNDS,
  ...REFERENCES,
  ...OWN_LISTENERS,
];

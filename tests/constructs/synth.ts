/** An app's objects and errors, for tests. */
import type { App } from 'cdk8s';
import { type Finding, SynthError, synthesize } from 'gatewright';

export interface SynthesizedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: whatever the kind has
  readonly [field: string]: any;
}

export function objects(app: App): SynthesizedObject[] {
  return synthesize(app).objects.map(({ object }) => object as unknown as SynthesizedObject);
}

export function ofKind(app: App, kind: string): SynthesizedObject[] {
  return objects(app).filter((object) => object.kind === kind);
}

/** The object of this kind and name; fails where there is none. */
export function named(app: App, kind: string, name: string): SynthesizedObject {
  const found = ofKind(app, kind).find(({ metadata }) => metadata.name === name);
  if (!found)
    throw new Error(
      `no ${kind} ${name}: there are ${ofKind(app, kind).map(({ metadata }) => metadata.name)}`,
    );
  return found;
}

/** `[path] message` of each error that refuses the synth. */
export function errors(app: App): string[] {
  try {
    synthesize(app);
    return [];
  } catch (error) {
    if (error instanceof SynthError) return error.errors.map(line);
    throw error;
  }
}

export function warnings(app: App): string[] {
  return synthesize(app).warnings.map(line);
}

const line = ({ path, message }: Finding) => `[${path}] ${message}`;

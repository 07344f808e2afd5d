import type { App } from 'cdk8s';
import type { AppObject } from './app-objects.ts';
import { check, strict } from './checks.ts';
import type { Finding } from './findings.ts';
import { flag, optional, read, type Shape } from './props.ts';

export interface SynthesizeOptions {
  /**
   * Whether warnings are errors.
   * @default false
   */
  readonly strict?: boolean;
}

const OPTIONS: Shape<SynthesizeOptions> = { strict: optional(flag) };

export interface Synthesis {
  readonly objects: readonly AppObject[];
  readonly warnings: readonly Finding[];
}

/** What stands in the way of a synth. Its message lists each error with the path of its construct. */
export class SynthError extends Error {
  readonly errors: readonly Finding[];

  constructor(errors: readonly Finding[]) {
    const lines = errors.map(({ path, message }) => `  [${path}] ${message}`);
    super(
      `${errors.length === 1 ? 'one error' : `${errors.length} errors`} in the app:\n${lines.join('\n')}`,
    );
    this.name = 'SynthError';
    this.errors = errors;
  }
}

/** Checks an app and gives its objects, without writing or printing anything. Throws a SynthError where there are errors. */
export function synthesize(app: App, options: SynthesizeOptions = {}): Synthesis {
  const { props, problems } = read('synthesize()', options, OPTIONS);
  if (problems.length > 0) throw new Error(problems.join('; '));
  if (props.strict) strict(app);
  const { errors, warnings, objects } = check(app);
  if (errors.length > 0) throw new SynthError(errors);
  return { objects, warnings };
}

/** Counterexamples of properties as files of `tests/cases`, to be put there with what should have come out. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { ObjectRef, RawObject } from '../../gateway-runtime/api/object.ts';
import { refKey } from '../../gateway-runtime/api/object.ts';
import type { TranslateOptions } from '../../gateway-runtime/translate/translation.ts';

export interface FoundCase {
  readonly options: Pick<TranslateOptions, 'classes' | 'limits'>;
  readonly objects: readonly RawObject[];
  /** Each step one edit. */
  readonly steps?: readonly (readonly FoundEdit[])[];
}

export type FoundEdit =
  | { readonly set: RawObject }
  | { readonly remove: ObjectRef }
  | { readonly withhold: ObjectRef };

/** A case that can be pasted. That it expects no diagnostics is to be replaced. */
export function asCase(name: string, { options, objects, steps = [] }: FoundCase): string {
  const expected = { diagnostics: 'none' };
  const withheld = steps.flat().flatMap((each) => ('withhold' in each ? [refKey(each.withhold)] : []));
  const edits = steps.flatMap((step, index) => {
    const set = step.flatMap((each) => ('set' in each ? [each.set] : []));
    const remove = step.flatMap((each) => ('remove' in each ? [refKey(each.remove)] : []));
    if (set.length + remove.length === 0) return [];
    return [
      {
        about: `Step ${index + 1}, where the property fails or before.`,
        ...(set.length > 0 ? { set } : {}),
        ...(remove.length > 0 ? { remove } : {}),
        ...expected,
      },
    ];
  });
  const { classes, limits } = options;
  const text = stringify(
    {
      about: `Found by a property test: ${name}.`,
      spec: 'say where it is written down',
      ...(classes ? { classes } : {}),
      ...(limits ? { limits } : {}),
      objects,
      ...expected,
      ...(edits.length > 0 ? { edits } : {}),
    },
    { aliasDuplicateObjects: false, lineWidth: 0 },
  );
  const notes = withheld.map(
    (key) => `# In between, ${key} may not be read any more, which no case can say.\n`,
  );
  return notes.join('') + text;
}

/** As `fc.assert`, with the counterexample as a case at the head of the error. */
export function assertWithCase<T>(
  property: fc.IProperty<T>,
  numRuns: number,
  found: (counterexample: T) => FoundCase,
): void {
  const details = fc.check(property, { numRuns });
  if (!details.failed) return;
  const name = expect.getState().currentTestName ?? 'a property';
  const { counterexample, seed, counterexamplePath, errorInstance } = details;
  const shown = counterexample === null ? 'no counterexample' : asCase(name, found(counterexample));
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  throw new Error(
    `${name}: it does not hold for this case (seed ${seed}, path ${counterexamplePath}):\n\n${shown}\n${why}`,
    { cause: errorInstance },
  );
}

/** Runs the programs of the catalogue as plain JavaScript. */
import { ApiObject } from 'cdk8s';
import type * as own from 'gatewright';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import type { fixture } from './fixture.ts';

type Fixture = ReturnType<typeof fixture>;

/** What synth says of a program; that the program throws is a refusal at no construct. */
export function refusals(
  given: Fixture,
  gatewright: typeof own,
  code: string,
  objects: readonly RawObject[],
): readonly own.Finding[] {
  const scope = { ...gatewright, ...given, objects };
  try {
    new Function(...Object.keys(scope), `'use strict'; ${code}`)(...Object.values(scope));
  } catch (error) {
    return [{ severity: 'error', path: '', message: String(error) }];
  }
  return errorsOf(given, gatewright);
}

/** What synth says of objects in the chart of a team. */
export function refusalsOfObjects(
  given: Fixture,
  gatewright: typeof own,
  team: 'shop' | 'media' | 'payments',
  objects: readonly RawObject[],
): readonly own.Finding[] {
  const chart = given[`${team}Chart`];
  for (const [index, object] of objects.entries()) new ApiObject(chart, `object-${index}`, object as never);
  // A backend may be in the cluster, for all that synth knows, so a warning is all that it has to say of one.
  return errorsOf(given, gatewright, true).filter(({ path }) => path.startsWith(`${team}/object-`));
}

function errorsOf({ app }: Fixture, gatewright: typeof own, strict = false): readonly own.Finding[] {
  try {
    gatewright.synthesize(app, { strict });
    return [];
  } catch (error) {
    if (error instanceof gatewright.SynthError) return error.errors;
    throw error;
  }
}

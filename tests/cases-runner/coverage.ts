/** What the cases show: each field of the kinds that are read, each status reason that translate can give. */
import { KINDS, type KindName, parse } from '../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import type { Schema } from '../../gateway-runtime/api/schema.ts';
import type { Case, Step } from './load.ts';
import type { ConditionsExpectation, StatusExpectation } from './status-form.ts';

/** The path of every field of a schema, without indices: `rules.matches.path.type`. */
export function fieldPaths(schema: Schema<unknown>, path: string): string[] {
  if (schema.item) return fieldPaths(schema.item, path);
  return Object.entries(schema.fields ?? {}).flatMap(([name, field]) => [
    `${path}.${name}`,
    ...fieldPaths(field, `${path}.${name}`),
  ]);
}

/** Every field of the spec of a kind, as cases name it: `HTTPRoute.rules.matches.method`. */
export function fieldsOf(kind: KindName): string[] {
  return fieldPaths(KINDS[kind].schema.fields!.spec!, kind);
}

export type Claim = 'positive' | 'negative';

/** The fields that a case says it shows. */
export function claimsOf({ form }: Case, claim: Claim): string[] {
  return [...(form.shows ?? []), ...(form[claim] ?? [])];
}

/** Whether an object of the case has the field, whatever its value. */
function has(value: unknown, path: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((each) => has(each, path));
  const [first, ...rest] = path;
  if (first === undefined) return true;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return false;
  return has((value as Record<string, unknown>)[first], rest);
}

function objectsWith(step: Step, field: string): RawObject[] {
  const [kind, ...path] = field.split('.');
  return step.objects.filter((object) => object.kind === kind && has(object.spec, path));
}

const conditionsIn = ({ expects }: Step) =>
  [...(expects.statuses ?? [])].flatMap(([key, status]) => expectedConditions(key, status));

/** Something goes well in this step: an answer that is no refusal, or a condition that is True. */
function succeeds(step: Step): boolean {
  return (
    step.requests.some(({ answer, shares }) => shares || (answer && isGood(answer))) ||
    conditionsIn(step).some(({ status }) => status === 'True')
  );
}

function isGood({ backend, endpoint, location }: { backend?: string; endpoint?: string; location?: string }) {
  return backend !== undefined || endpoint !== undefined || location !== undefined;
}

/** Something is refused in this step, or not taken. */
function fails(step: Step): boolean {
  return (
    step.requests.some(({ answer, shares }) => shares?.has('500') || (answer && !isGood(answer))) ||
    conditionsIn(step).some(({ status }) => status === 'False') ||
    (step.expects.diagnostics ?? []).some(({ severity }) => severity === 'warning')
  );
}

/** A diagnostic that the step expects for this field or one below it. */
function isRefused(step: Step, field: string): boolean {
  return (step.expects.diagnostics ?? []).some((each) => {
    const path = (each.field ?? '').replace(/\[\d+\]/g, '').replace(/^spec\./, '');
    const named = `${each.object?.split('/')[0]}.${path}`;
    return named === field || named.startsWith(`${field}.`);
  });
}

/** Why the case does not show what it claims to; undefined where it does. */
export function whyNotShown({ steps }: Case, field: string, claim: Claim): string | undefined {
  if (claim === 'negative' && steps.some((step) => isRefused(step, field))) return undefined;
  const holding = steps.filter((step) => objectsWith(step, field).length > 0);
  if (holding.length === 0) return `no object of it has ${field}`;
  if (claim === 'negative') return steps.some(fails) ? undefined : 'nothing in it is refused';
  const valid = holding.filter((step) =>
    objectsWith(step, field).some((object) => parse(object).outcome === 'known'),
  );
  if (valid.length === 0) return `every object with ${field} is refused`;
  return steps.some(succeeds) ? undefined : 'nothing in it is served or accepted';
}

/** A condition as a case expects it, or as translate gave it: `Listener Accepted False UnsupportedProtocol`. */
export interface Reason {
  /** Kind of the object; Listener for one of a Gateway or ListenerSet. */
  readonly subject: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

export const reasonText = ({ subject, type, status, reason }: Reason) =>
  `${subject} ${type} ${status} ${reason}`;

function expectedConditions(key: string, status: StatusExpectation): Reason[] {
  const of = (subject: string, { conditions }: ConditionsExpectation): Reason[] =>
    [...conditions].map(([type, each]) => ({
      subject,
      type,
      status: each.status,
      reason: each.reason ?? '',
    }));
  const kind = key.split('/')[0]!;
  return [
    ...of(kind, status),
    ...[...(status.listeners ?? new Map()).values()].flatMap((each) => of('Listener', each)),
    ...[...(status.parents ?? new Map()).values()].flatMap((each) => of(kind, each)),
    ...[...(status.ancestors ?? new Map()).values()].flatMap((each) => of(kind, each)),
  ];
}

/** Every condition that a case expects anywhere. */
export const expectedReasons = ({ steps }: Case): Reason[] => steps.flatMap(conditionsIn);

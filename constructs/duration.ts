/** Spans of time: `'500ms'`, `'10s'`, `'1h30m'`, or a Duration of cdk8s. */
import type { Duration } from 'cdk8s';
import { duration, durationMilliseconds } from '../gateway-runtime/api/fields.ts';
import { isObject, type, valueProblems } from './props.ts';

type Unit = 'h' | 'm' | 's' | 'ms';
type Part = `${bigint}${Unit}`;

/** A span of time as the API writes it (GEP-2257), of one part or two, or as cdk8s does: `Duration.seconds(10)`. `'0s'` is none. */
export type TimeSpan = Part | `${Part}${Part}` | Duration;

/** That of another copy of cdk8s is one, too. */
const isDuration = (value: unknown): value is Duration =>
  isObject(value) && 'toMilliseconds' in value && typeof value.toMilliseconds === 'function';

const isText = (value: unknown): value is string => {
  if (typeof value !== 'string') return false;
  const problems: unknown[] = [];
  duration().check(value, '', problems as never);
  return problems.length === 0;
};

export const timeSpan = type(
  "a span of time, such as '500ms', '10s' or Duration.seconds(10),",
  (value) => isText(value) || isDuration(value),
);

const milliseconds = (span: TimeSpan): number =>
  typeof span === 'string' ? durationMilliseconds(span) : span.toMilliseconds({ integral: false });

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** In the form of the API; a text stays as it is. */
export function apiDuration(span: TimeSpan): string {
  if (typeof span === 'string') return span;
  let left = Math.round(milliseconds(span));
  let text = '';
  for (const [unit, length] of UNITS) {
    const amount = Math.floor(left / length);
    if (amount > 0) text += `${amount}${unit}`;
    left -= amount * length;
  }
  return text || '0s';
}

/** Whole seconds, or what is wrong with it. */
export function seconds(call: string, name: string, span: unknown): { value?: number; problems: string[] } {
  const problems = valueProblems(call, name, timeSpan, span);
  if (problems.length > 0) return { problems };
  const value = milliseconds(span as TimeSpan) / 1000;
  if (Number.isInteger(value) && value >= 1) return { value, problems };
  return { problems: [`${call} takes whole seconds, at least one, as ${name}, this is ${value} s`] };
}

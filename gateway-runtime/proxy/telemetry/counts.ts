/** What was counted, as plain data: on its way from a worker to the process that tells the counts of all of them. */
import type { BackendKey, RuleKey } from '../../snapshot/snapshot.ts';
import type { GatewayEvent, Series } from './gateway-metrics.ts';

/** Of the fields of Series that count: numbers, lists of numbers, and maps of numbers as their entries. */
type Counts = Readonly<Record<string, number | readonly number[] | readonly (readonly [string, number])[]>>;

/** For one rule, listener and backend; each is empty where there was none. */
export interface SeriesCounts {
  readonly rule: RuleKey | '';
  readonly listener: string;
  readonly backend: BackendKey | '';
  readonly counts: Counts;
}

export interface GatewayCounts {
  readonly events: readonly (readonly [GatewayEvent, number])[];
  readonly series: readonly SeriesCounts[];
}

/** Leaves the series at 0, as the same object: requests under way have it. Undefined where no request was counted. */
export function takeCounts(series: Series): Counts | undefined {
  if (!series.codes.some(Boolean)) return undefined;
  const counts: Record<string, Counts[string]> = {};
  const fields = series as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(fields)) {
    if (typeof value === 'number') {
      if (value !== 0) counts[field] = value;
      fields[field] = 0;
    } else if (Array.isArray(value)) {
      counts[field] = [...value];
      value.fill(0);
    } else if (value instanceof Map && value.size > 0) {
      counts[field] = [...value];
      value.clear();
    }
  }
  return counts;
}

export function addCounts(series: Series, counts: Counts): void {
  const fields = series as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(counts)) {
    const sum = fields[field];
    if (typeof sum === 'number') fields[field] = sum + (value as number);
    else if (Array.isArray(sum)) {
      for (const [index, each] of (value as number[]).entries()) sum[index] += each;
    } else if (sum instanceof Map) {
      for (const [key, each] of value as [string, number][]) sum.set(key, (sum.get(key) ?? 0) + each);
    }
  }
}

/**
 * A snapshot as it may be shown. It holds no key material, but routes can have credentials in header values, to set or to match
 * on: those of fields whose names say so are left out.
 */
import type { FilterConfig, HttpRule, Snapshot, ValueMatch } from '../snapshot/snapshot.ts';

const SECRET = /auth|cookie|credential|key|pass|secret|session|signature|token/i;

export const REDACTED = '[redacted]';

export function redactSnapshot(snapshot: Snapshot): Snapshot {
  return ofRules(snapshot, (rule) => ({
    ...withoutFilterValues(rule),
    matches: rule.matches.map((match) => ({
      ...match,
      headers: match.headers.map(redactValue),
      queryParams: match.queryParams.map(redactValue),
    })),
  }));
}

/** What filters set is left out; what routes match on stays, so that requests match as they do. */
export function redactFilters(snapshot: Snapshot): Snapshot {
  return ofRules(snapshot, withoutFilterValues);
}

function ofRules(snapshot: Snapshot, change: (rule: HttpRule) => HttpRule): Snapshot {
  return {
    ...snapshot,
    resources: snapshot.resources.map((each) => (each.type === 'http-rule' ? change(each) : each)),
  };
}

function withoutFilterValues(rule: HttpRule): HttpRule {
  return {
    ...rule,
    filters: rule.filters.map(redactFilter),
    backends: rule.backends.map((each) => ({ ...each, filters: each.filters.map(redactFilter) })),
  };
}

function redactValue(match: ValueMatch): ValueMatch {
  return SECRET.test(match.name) ? { ...match, value: REDACTED } : match;
}

const redactFilter = ({ type, config }: FilterConfig): FilterConfig => ({
  type,
  config: redactFields(config),
});

/** In the configuration of a filter, header fields are lists of pairs of name and value. */
function redactFields(config: unknown): unknown {
  if (Array.isArray(config)) {
    return config.map((each) => (isSecretField(each) ? [each[0], REDACTED] : redactFields(each)));
  }
  if (typeof config !== 'object' || config === null) return config;
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, redactFields(value)]));
}

function isSecretField(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && SECRET.test(value[0]);
}

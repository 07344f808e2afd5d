/**
 * A snapshot as it may be shown. It holds no key material, but routes can have credentials in header values, to set or to match
 * on: those of fields whose names say so are left out.
 */
import { isCredentialName, REDACTED, shownValue } from '../snapshot/credential.ts';
import type { FilterConfig, HttpRule, Snapshot, ValueMatch } from '../snapshot/snapshot.ts';

export function redactSnapshot(snapshot: Snapshot): Snapshot {
  return {
    ...snapshot,
    resources: snapshot.resources.map((each) => (each.type === 'http-rule' ? redactRule(each) : each)),
  };
}

function redactRule(rule: HttpRule): HttpRule {
  return {
    ...rule,
    matches: rule.matches.map((match) => ({
      ...match,
      headers: match.headers.map(redactValue),
      queryParams: match.queryParams.map(redactValue),
    })),
    filters: rule.filters.map(redactFilter),
    backends: rule.backends.map((each) => ({ ...each, filters: each.filters.map(redactFilter) })),
  };
}

function redactValue(match: ValueMatch): ValueMatch {
  return { ...match, value: shownValue(match.name, match.value) };
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
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isCredentialName(value[0])
  );
}

/**
 * Routes can have credentials in the values of headers and query parameters, to set or to match on. Whatever shows a snapshot to
 * people leaves out those whose names say so, by this one rule.
 */

const CREDENTIAL = /auth|cookie|credential|key|pass|secret|session|signature|token/i;

export const REDACTED = '[redacted]';

/** Whether the value of a header or query parameter of this name is not to be shown. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL.test(name);
}

/** The value as it may be shown. */
export function shownValue(name: string, value: string): string {
  return isCredentialName(name) ? REDACTED : value;
}

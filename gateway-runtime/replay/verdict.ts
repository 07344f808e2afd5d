/** What changes for one request: what becomes of it in two configurations, or in one against what a log says. */
import { type ChangeSeverity, severityOf } from '../diff/region.ts';
import type { LoggedRequest } from './logged-request.ts';
import type { Reached } from './side.ts';

/** `unchanged`, or how it changes. */
export type Change = ChangeSeverity | 'unchanged';

export function changeBetween(before: Reached, after: Reached): Change {
  const [a, b] = [before.outcome, after.outcome];
  // Two errors of the gateway are told apart by their status only: it is all that a client sees.
  if (a.errors === 1 && b.errors === 1) return a.status === b.status ? 'unchanged' : 'altered';
  return a.key === b.key ? 'unchanged' : severityOf(a, b);
}

/**
 * Against what the log says of the answer; undefined where that says too little. Of a Gateway's own log it is the backend; of others only
 * that there was an answer, so that of them nothing is ever said to have moved. Shares are not seen in single requests.
 */
export function changeSince({ status = 0, served }: LoggedRequest, after: Reached): Change | undefined {
  const { outcome } = after;
  const isError = outcome.errors === 1;
  if (!served) return isError && status > 0 && status < 400 ? 'lost' : 'unchanged';
  if (served.backend !== undefined) {
    if (isError) return 'lost';
    return outcome.backends.some(({ name, unresolved }) => name === served.backend && !unresolved)
      ? 'unchanged'
      : 'moved';
  }
  // From here on the gateway answered itself.
  if (served.rule === undefined) {
    if (!isError) return 'new';
    return outcome.status === status ? 'unchanged' : 'altered';
  }
  if (isError) return status >= 500 ? 'unchanged' : 'lost';
  if (status >= 300 && status < 400) {
    if (outcome.backends.length > 0) return 'moved';
    return outcome.status === status ? 'unchanged' : 'altered';
  }
  // A filter did, such as CORS or ExternalAuth, or nothing could be done.
  return status < 500 && nameOf(after) === served.rule ? 'unchanged' : undefined;
}

/** As `Served.rule`. */
function nameOf({ rule }: Reached): string | undefined {
  return rule && `${rule.source.namespace}/${rule.source.name} ${rule.source.ruleName ?? rule.source.rule}`;
}

/** What the log says became of it, in words. */
export function loggedInWords({ status, served }: LoggedRequest): string {
  if (served?.backend !== undefined) return served.backend;
  return status === undefined ? 'no answer' : `answered ${status}`;
}

/** Routes that might have served a request, and are not attached where they say: what a bare 404 leaves out. */

import { type ObjectRef, refKey } from '../api/object.ts';
import { hostnameMatches } from '../match/hostname.ts';
import { normalizeHost } from '../match/normalize.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { RefusedRoute } from './explanation.ts';

/** What is known of a route. */
export interface RouteReport {
  readonly ref: ObjectRef;
  /** Undefined where they can't be read: then it may be for any host. */
  readonly hostnames: readonly string[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Whether a Gateway here has an opinion on it: it has a status. */
  readonly judged: boolean;
  readonly origin?: string;
}

/** The ways in which routes for a host are refused, in the order of the routes. */
export function refusedRoutes(routes: Iterable<RouteReport>, host: string): RefusedRoute[] {
  const canonical = normalizeHost(host);
  const asked = typeof canonical === 'string' ? canonical : host;
  return [...routes].flatMap(({ ref, hostnames, diagnostics, judged, origin }) => {
    if (hostnames?.length && !hostnames.some((each) => hostnameMatches(each, asked))) return [];
    const place = { route: refKey(ref), ...(origin === undefined ? {} : { origin }) };
    const found = diagnostics.filter(keepsFromServing).map(({ code, field, message, fix, example }) => ({
      ...place,
      reason: reasonOf(code),
      ...(field === undefined ? {} : { field }),
      message,
      ...(fix === undefined ? {} : { fix }),
      ...(example === undefined ? {} : { example }),
    }));
    if (found.length > 0 || judged) return found;
    return [
      {
        ...place,
        reason: 'NoParent',
        message: 'none of the Gateways and ListenerSets that it names is served here',
      },
    ];
  });
}

/** Of a rule that is attached the explanation itself says what is wrong. */
const keepsFromServing = ({ severity, code, field }: Diagnostic) =>
  field?.startsWith('spec.parentRefs') ||
  field === 'spec.useDefaultGateways' ||
  // Also of a rule: one that is not granted is not there to be explained.
  code === 'route/not-allowed-by-listeners' ||
  (severity === 'error' && !code.startsWith('route/')) ||
  code === REFUSED_AT_SYNTH;

/** Code of what the checks of an app say of a route. */
export const REFUSED_AT_SYNTH = 'route/refused-at-synth';

/** `NoMatchingParent` of `route/no-matching-parent`. */
const reasonOf = (code: string) =>
  code
    .slice(code.indexOf('/') + 1)
    .replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());

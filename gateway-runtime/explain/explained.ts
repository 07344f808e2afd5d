/** The answer for a request that several Gateways may get: only its address tells for which of them it is. */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { Origin } from '../snapshot/diagnostic.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { explain } from './explain.ts';
import type { Explained, Explanation, RefusedRoute } from './explanation.ts';
import type { AskedRequest } from './request.ts';

/** A Gateway that may get the request. */
export interface AskedPlace {
  readonly snapshot: Snapshot;
  /** Of the Gateway, not one that it was moved to. */
  readonly port: number;
  /** Ports as a client sees them, for redirects. By default the same. */
  readonly publicPort?: (port: number) => number;
}

/** What is known beside the snapshots. */
export interface KnownObjects {
  /** Routes for a host that are not attached where they say. Asked only where no route serves the request. */
  readonly refused: (host: string) => readonly RefusedRoute[];
  /** Where an object stands. */
  readonly originOf?: (ref: ObjectRef) => Origin | undefined;
}

/** The one answer that the command line, the admin server and tests give. At least one place. */
export function explainAsked(
  places: readonly AskedPlace[],
  { tls, serverName, client, request }: AskedRequest,
  { refused, originOf }: KnownObjects,
  regex: RegexEngine,
): Explained {
  const connection = {
    tls,
    ...(serverName === undefined ? {} : { serverName }),
    ...(client === undefined ? {} : { client }),
  };
  const explanations = places.map(({ snapshot, ...at }) =>
    withOrigins(explain(snapshot, { ...at, ...connection }, request, regex), originOf),
  );
  return explained(explanations as [Explanation, ...Explanation[]], () => refused(request.host));
}

function withOrigins(explanation: Explanation, originOf: KnownObjects['originOf']): Explanation {
  if (!explanation.policies || !originOf) return explanation;
  return {
    ...explanation,
    policies: explanation.policies.map((each) => {
      const { kind, namespace, name } = each;
      const origin = originOf({ group: GATEWAY_GROUP, kind, namespace, name });
      return origin === undefined ? each : { ...each, origin };
    }),
  };
}

/** Best first; of equals, the one that comes first. `refused` is asked only where no route serves the request. At least one explanation. */
export function explained(
  explanations: readonly [Explanation, ...Explanation[]],
  refused: () => readonly RefusedRoute[],
): Explained {
  const [first, ...others] = explanations.toSorted((a, b) => rankOf(a) - rankOf(b)) as [
    Explanation,
    ...Explanation[],
  ];
  return { ...first, others, refused: isServed(first) ? [] : refused() };
}

/** Whether a route takes the request, however it answers. */
export const isServed = ({ matches }: Explanation): boolean =>
  matches.some(({ outcome }) => outcome === 'serves');

/** Whether every such request gets an answer that was meant: of a backend, or a redirect. */
export const isAnswered = (explanation: Explanation): boolean => rankOf(explanation) === 0;

/** 0 where it is answered, 1 where some requests get an error, 2 without a route, 3 where no listener even takes the host. */
function rankOf(explanation: Explanation): number {
  if (!isServed(explanation)) return explanation.listeners.some(({ serves }) => serves) ? 2 : 3;
  const { status = 200, backends } = explanation;
  return status >= 400 || backends.some(({ share, unresolved }) => share > 0 && unresolved) ? 1 : 0;
}

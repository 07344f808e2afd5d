/** `/explain`: a request as a client would send it, explained for each Gateway that could get it. */
import { explainAsked, type KnownObjects } from '../explain/explained.ts';
import type { Explained } from '../explain/explanation.ts';
import { parseRequest } from '../explain/request.ts';
import type { RegexEngine } from '../match/regex.ts';
import { gatewayKey } from '../snapshot/snapshot.ts';
import type { AdminGateway } from './admin.ts';

export interface ExplainProblem {
  readonly status: number;
  readonly message: string;
}

/** The port in the URL is the one that clients use, or else the one in the Gateway. */
export function explainRequest(
  query: URLSearchParams,
  gateways: readonly AdminGateway[],
  regex: RegexEngine,
  known: KnownObjects,
): Explained | ExplainProblem {
  const url = query.get('url');
  if (url === null) {
    return {
      status: 400,
      message:
        'found no url, expected /explain?method=GET&url=http://shop.example.com/cart&header=x-tier:gold',
    };
  }
  const asked = parseRequest(
    `${query.get('method') ?? 'GET'} ${url}`,
    query.getAll('header'),
    query.get('client') ?? undefined,
  );
  if ('problem' in asked) return { status: 400, message: asked.problem };
  const { port } = asked;

  const named = query.get('gateway');
  const places = gateways
    .filter(({ gateway }) => named === null || gatewayKey(gateway) === named)
    .flatMap((gateway) =>
      portsOf(gateway).map((listenerPort) => ({
        gateway,
        port: listenerPort,
        bound: gateway.boundPort(listenerPort),
      })),
    );
  const exact = places.filter(({ bound }) => bound === port);
  const chosen = exact.length ? exact : places.filter((place) => place.port === port);
  if (chosen.length === 0) {
    const served = places.map(
      ({ gateway, port, bound }) => `${gatewayKey(gateway.gateway)} at ${bound ?? 'no port'} for ${port}`,
    );
    return {
      status: 404,
      message: `no Gateway has a listener at port ${port}; served are: ${served.join(', ') || 'none'}`,
    };
  }
  const askedPlaces = chosen.map(({ gateway, port: listenerPort }) => ({
    snapshot: gateway.snapshot!,
    port: listenerPort,
    publicPort: (each: number) => gateway.publicPort(each),
  }));
  return explainAsked(askedPlaces, asked, known, regex);
}

function portsOf({ snapshot }: AdminGateway): number[] {
  const ports = new Set<number>();
  for (const resource of snapshot?.resources ?? [])
    if (resource.type === 'listener') ports.add(resource.port);
  return [...ports];
}

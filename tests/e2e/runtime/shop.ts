/** A Gateway, teams and their routes: what an organisation would apply, in namespaces of its own. */
import { randomBytes } from 'node:crypto';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { authority, issue } from '../../support/certificates.ts';
import { echoDeployment, echoService, restrictedNamespace } from '../echo.ts';
import { CLASS } from './installed.ts';

const API = 'gateway.networking.k8s.io/v1';

export { authority };

export interface Shop {
  readonly infra: string;
  readonly team: string;
  /** In the order in which they are applied. */
  readonly objects: readonly RawObject[];
  readonly gateway: RawObject;
  readonly route: RawObject;
}

const HOST = 'shop.example.com';

export { HOST };

/** A Gateway with HTTP and HTTPS in one namespace; routes and pods of a team in another. */
export function makeShop(): Shop {
  const suffix = randomBytes(3).toString('hex');
  const infra = `infra-${suffix}`;
  const team = `shop-${suffix}`;
  const { certificate, privateKey } = issue(`${infra}/edge`, [HOST]);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'edge', namespace: infra },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
  };
  const fromTeam = {
    namespaces: { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': team } } },
  };
  const gateway: RawObject = {
    apiVersion: API,
    kind: 'Gateway',
    metadata: { name: 'edge', namespace: infra },
    spec: {
      gatewayClassName: CLASS,
      listeners: [
        { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: fromTeam },
        {
          name: 'secure',
          port: 443,
          protocol: 'HTTPS',
          hostname: HOST,
          tls: { certificateRefs: [{ name: 'edge' }] },
          allowedRoutes: fromTeam,
        },
      ],
    },
  };
  const route = routeOf(team, infra, 'cart', [
    {
      matches: [{ path: { type: 'PathPrefix', value: '/cart' } }],
      backendRefs: [{ name: 'cart', port: 80 }],
    },
    {
      matches: [{ path: { type: 'Exact', value: '/old' } }],
      filters: [
        {
          type: 'RequestRedirect',
          requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/cart' } },
        },
      ],
    },
  ]);
  const refused = routeOf(infra, infra, 'from-elsewhere', [{ backendRefs: [{ name: 'cart', port: 80 }] }]);
  return {
    infra,
    team,
    gateway,
    route,
    objects: [
      restrictedNamespace(infra),
      restrictedNamespace(team),
      secret,
      echoDeployment(team),
      echoService(team, 'cart', {}),
      gateway,
      route,
      refused,
    ],
  };
}

export const routeOf = (
  namespace: string,
  infra: string,
  name: string,
  rules: readonly object[],
): RawObject => ({
  apiVersion: API,
  kind: 'HTTPRoute',
  metadata: { name, namespace },
  spec: { hostnames: [HOST], parentRefs: [{ name: 'edge', namespace: infra }], rules },
});

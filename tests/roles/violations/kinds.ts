/** Routes of kinds that were not granted. */
import {
  asObjects,
  grantOf,
  httpRoute,
  listenersOf,
  NO_CONSTRUCT,
  route,
  type Violation,
} from './violation.ts';

const DEVELOPER = { by: 'shop', role: 'application developer' } as const;
const toCart = [{ backendRefs: [{ name: 'cart', port: 8080 }] }];

function ofKind(name: string, kind: 'GRPCRoute' | 'TLSRoute' | 'TCPRoute' | 'UDPRoute'): Violation {
  const hasHostnames = kind === 'GRPCRoute' || kind === 'TLSRoute';
  return {
    name,
    ...DEVELOPER,
    violates: `a ${kind} on a grant of HTTPRoutes`,
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: [`${kind}/shop/r`, `grant platform/shared-gw/shop is not for ${kind} (granted: HTTPRoute)`],
    },
    objects: [
      route(kind, {
        rules: toCart,
        ...(hasHostnames ? {} : { hostnames: undefined }),
      }),
    ],
    missing: grantOf(
      `${kind}s for ${hasHostnames ? 'shop.example.com' : 'shop.example.com, *.apps.example.com'}`,
      'shop',
    ),
    threatens: 'http://media.example.com/',
  };
}

/** The same by a construct. */
function byConstruct(
  name: string,
  kind: 'GRPCRoute' | 'TLSRoute',
  construct: string,
  rule: string,
): Violation {
  return {
    ...ofKind(name, kind),
    code: `new ${construct}(shopChart, 'r', { on: shopEdge, hostnames: ['shop.example.com'] })${rule}.to(cart);`,
    typescript: { at: 'on', words: [`this grant is not for ${kind} (granted: HTTPRoute)`] },
    javascript: {
      path: 'shop/r',
      words: [`grant platform/shared-gw/shop is not for ${kind} (granted: HTTPRoute)`],
    },
  };
}

export const KINDS: readonly Violation[] = [
  {
    name: 'http-route-on-a-grant-of-another-kind',
    ...DEVELOPER,
    violates: 'an HTTPRoute on a grant of GRPCRoutes',
    code: `new TeamRoute(shopChart, 'r', { on: rpcEdge }).rule().to(cart);`,
    typescript: { at: 'on', words: ['this grant is not for HTTPRoute (granted: GRPCRoute)'] },
    javascript: {
      path: 'shop/r',
      words: ['grant platform/shared-gw/rpc is not for HTTPRoute (granted: GRPCRoute)'],
    },
    objects: [httpRoute({ parentRefs: [listenersOf('shop-rpc')], hostnames: ['rpc.example.com'] })],
    missing: grantOf('HTTPRoutes for rpc.example.com', 'shop'),
    threatens: 'http://media.example.com/',
  },
  byConstruct('grpc-route', 'GRPCRoute', 'TeamGrpcRoute', '.rule()'),
  byConstruct('tls-route', 'TLSRoute', 'TeamTlsRoute', ''),
  ofKind('tcp-route', 'TCPRoute'),
  ofKind('udp-route', 'UDPRoute'),
];

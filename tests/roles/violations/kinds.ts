/** Routes of kinds that were not granted. */
import {
  type AtRuntime,
  asObjects,
  grantOf,
  httpRoute,
  listenersOf,
  NO_CONSTRUCT,
  route,
  type Violation,
} from './violation.ts';

const DEVELOPER = { by: 'shop', role: 'application developer' } as const;
/** Nothing reads it, so nobody gives it a status. */
const notRead = (kind: string): AtRuntime => ({
  says: [`${kind} is not a kind that is read`],
  withoutStatus: true,
});

const toCart = [{ backendRefs: [{ name: 'cart', port: 8080 }] }];

/** A listener of the gateway of ports. */
const atPort = (sectionName: string) =>
  ({ kind: 'Gateway', name: 'ports-gw', namespace: 'infra', sectionName }) as const;

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
    ...(kind === 'TLSRoute' ? {} : { runtime: notRead(kind) }),
    threatens: 'http://media.example.com/',
  };
}

/** The same by a construct. */
function byConstruct(
  name: string,
  kind: 'GRPCRoute' | 'TLSRoute' | 'TCPRoute' | 'UDPRoute',
  construct: string,
  rule = '',
): Violation {
  const hostnames = kind === 'TCPRoute' || kind === 'UDPRoute' ? '' : `, hostnames: ['shop.example.com']`;
  return {
    ...ofKind(name, kind),
    code: `new ${construct}(shopChart, 'r', { on: shopEdge${hostnames} })${rule}.to(cart);`,
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
  byConstruct('tls-route', 'TLSRoute', 'TeamTlsRoute'),
  byConstruct('tcp-route', 'TCPRoute', 'TeamTcpRoute'),
  byConstruct('udp-route', 'UDPRoute', 'TeamUdpRoute'),
  {
    name: 'port-of-another-team',
    ...DEVELOPER,
    violates: 'a TCPRoute at the port of another team',
    code: `new TeamTcpRoute(shopChart, 'r', { on: dbEdge }).to(cart);`,
    typescript: { at: 'on', words: ['this grant is for team media, this chart belongs to team shop'] },
    javascript: {
      path: 'shop/r',
      words: ['grant platform/ports-gw/media is for team media, this chart belongs to team shop'],
    },
    objects: [route('TCPRoute', { parentRefs: [atPort('db')], hostnames: undefined, rules: toCart })],
    missing: 'a grant of listener db at gateway infra/ports-gw to team shop',
    runtime: notRead('TCPRoute'),
    threatens: 'http://media.example.com/',
  },
  {
    name: 'port-that-nobody-was-granted',
    ...DEVELOPER,
    violates: 'a TCPRoute at a port that is granted to nobody',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['no grant opens listener cache of Gateway/infra/ports-gw to team shop'],
    },
    objects: [route('TCPRoute', { parentRefs: [atPort('cache')], hostnames: undefined, rules: toCart })],
    missing: 'a grant of listener cache at gateway infra/ports-gw to team shop',
    runtime: notRead('TCPRoute'),
    threatens: 'http://media.example.com/',
  },
  {
    name: 'udp-route-on-a-grant-of-tcp',
    by: 'media',
    role: 'application developer',
    violates: 'a UDPRoute on a grant of TCPRoutes',
    code: `new TeamUdpRoute(mediaChart, 'r', { on: dbEdge }).to(service('feed', 8080));`,
    typescript: { at: 'on', words: ['this grant is not for UDPRoute (granted: TCPRoute)'] },
    javascript: {
      path: 'media/r',
      words: ['grant platform/ports-gw/media is not for UDPRoute (granted: TCPRoute)'],
    },
    objects: [
      route('UDPRoute', {
        namespace: 'media',
        parentRefs: [atPort('db')],
        hostnames: undefined,
        rules: [{ backendRefs: [{ name: 'feed', port: 8080 }] }],
      }),
    ],
    missing: 'a grant of UDPRoutes for listener db at gateway infra/ports-gw to team media',
    runtime: notRead('UDPRoute'),
    threatens: 'http://shop.example.com/',
  },
];

import { list, oneOf } from './props.ts';

/** The kinds of routes that a grant can allow, each with its resource in RBAC. */
export const ROUTE_RESOURCES = {
  HTTPRoute: 'httproutes',
  GRPCRoute: 'grpcroutes',
  TLSRoute: 'tlsroutes',
  TCPRoute: 'tcproutes',
  UDPRoute: 'udproutes',
} as const;

/** Kinds of routes that a grant can allow. */
export type RouteKind = keyof typeof ROUTE_RESOURCES;

export const ROUTE_KINDS = Object.keys(ROUTE_RESOURCES) as RouteKind[];

/** The protocols of listeners that take routes of a kind. */
export const PROTOCOLS: Readonly<Record<RouteKind, readonly string[]>> = {
  HTTPRoute: ['HTTP', 'HTTPS'],
  GRPCRoute: ['HTTP', 'HTTPS'],
  TLSRoute: ['TLS'],
  TCPRoute: ['TCP'],
  UDPRoute: ['UDP'],
};

/** Kinds of routes without hostnames: what is granted of them is a listener as a whole. */
export type PortKind = 'TCPRoute' | 'UDPRoute';

export const isPortKind = (kind: unknown): kind is PortKind => kind === 'TCPRoute' || kind === 'UDPRoute';

/** Whether a listener serves no hostnames, but whatever comes to its port. */
export const isPortListener = ({ protocol }: { readonly protocol: string }): boolean =>
  protocol === 'TCP' || protocol === 'UDP';

/** A listener without kinds would admit all of them (AllowedRoutes.kinds), and one with a foreign kind none. */
export const routeKinds = list(`a list of ${ROUTE_KINDS.join(', ')}`, oneOf(...ROUTE_KINDS));

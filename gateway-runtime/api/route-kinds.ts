/** The kinds of routes that are served. */
import type { KindObject } from './kinds.ts';

export const ROUTE_KINDS = ['HTTPRoute', 'TLSRoute'] as const;
export type RouteKind = (typeof ROUTE_KINDS)[number];

export type RouteObject = KindObject<RouteKind>;

export const isRouteKind = (kind: string): kind is RouteKind =>
  (ROUTE_KINDS as readonly string[]).includes(kind);

/**
 * ExternalAuth (HTTPRouteFilter, extended; GEP-1494): before the request goes on, a Service is asked whether it may, over HTTP or by gRPC. Everything
 * but a yes, and no answer at all, ends it.
 */
import type { BackendKey } from '../snapshot/snapshot.ts';
import type { FilterDefinition, LocalReply } from './definition.ts';
import { compileGrpc, explainGrpc, type GrpcAsking, translateGrpc } from './external-auth-grpc.ts';
import {
  compileHttp,
  explainTaken,
  explainTold,
  type HttpAsking,
  translateHttp,
} from './external-auth-http.ts';

type ExternalAuth = (HttpAsking | GrpcAsking) & {
  /** As the route names it: `Service shop/auth:80`. */
  readonly name: string;
  /** Absent where the reference did not resolve: then requests get 500. */
  readonly backend?: BackendKey;
  /** Octets of the request's body that it is sent; 0 is none of it. A longer body is refused. */
  readonly body: number;
};

const UNRESOLVED: LocalReply = Object.freeze({
  status: 500,
  headers: [['content-type', 'text/plain; charset=utf-8'] as const],
  body: "500: the route that matches asks an authorization service that can't be used; see the route's status\n",
});

export const externalAuth: FilterDefinition<'ExternalAuth', ExternalAuth> = {
  type: 'ExternalAuth',
  // The conformance suite of v1.6.1 knows no feature for it.
  features: [],
  onRules: true,
  onBackends: false,

  translate(filter, context) {
    const { protocol, backendRef, http, grpc, forwardBody } = filter.externalAuth!;
    const asking = protocol === 'GRPC' ? translateGrpc(grpc, context) : translateHttp(http, context);
    if (!asking) return undefined;
    const { name, backend } = context.backend(backendRef, 'externalAuth.backendRef');
    return { name, ...(backend ? { backend } : {}), body: forwardBody?.maxSize ?? 0, ...asking };
  },

  compile(config) {
    const { backend, name, body } = config;
    if (backend === undefined) return { request: () => UNRESOLVED };
    return {
      authorization:
        config.protocol === 'GRPC'
          ? compileGrpc(config, name, backend, body)
          : compileHttp(config, name, backend, body),
    };
  },

  explain(config) {
    const { name, backend, body } = config;
    if (!backend) return `asks nobody: ${name} can't be used`;
    return [
      `asks ${name} whether the request may go on`,
      ...(config.protocol === 'GRPC' ? explainGrpc(config) : explainTold(config)),
      ...(body > 0 ? [`sends it the body, up to ${body} bytes`] : []),
      ...(config.protocol === 'GRPC' ? [] : [explainTaken(config)]),
    ].join('; ');
  },
};

/** The answers that the gateway gives itself: one line of plain text that says what to do, and nothing about other tenants. */
import type { LocalReply } from '../filters/definition.ts';
import type { UpstreamFailure } from './exchange.ts';

function textReply(status: number, sentence: string): LocalReply {
  return Object.freeze({
    status,
    headers: [['content-type', 'text/plain; charset=utf-8'] as const],
    body: `${status}: ${sentence}\n`,
  });
}

export const NO_LISTENER = textReply(
  404,
  'no listener of this gateway serves this host; check the Host header',
);
export const NO_ROUTE = textReply(
  404,
  'no route of this gateway matches; check host, path, method, headers and query',
);
/** "If another Listener has an exact match or more specific wildcard entry, the Gateway SHOULD return a 421" (Listener.hostname). */
export const MISDIRECTED = textReply(
  421,
  'this TLS connection was opened for another host, or before this one asked for more; open a new connection',
);
export const REFUSED_RULE = textReply(
  500,
  "the route that matches has a rule that can't be served; see the route's status",
);
/** "If all entries in BackendRefs are invalid ... MUST receive a 500 status code" (HTTPRouteRule.backendRefs). */
export const NO_BACKEND = textReply(500, 'the route that matches sends this request to no backend');
export const UNRESOLVED_BACKEND = textReply(
  500,
  "the route that matches names a backend that can't be used; see the route's status",
);
/** "When a HTTPBackendRef refers to a Service that has no ready endpoints, implementations SHOULD return a 503". */
export const NO_ENDPOINTS = textReply(503, 'the backend has no ready endpoint; try again');
/** "If there is any problem communicating with the external service, this filter MUST fail closed" (HTTPRouteFilter.externalAuth). */
export const NO_AUTHORIZATION = textReply(
  503,
  'the service that has to authorize this request gave no answer; try again',
);
/** By the client's address, whatever it asks for. */
export const CLIENT_NOT_ALLOWED = textReply(403, 'this route takes no requests from your address');
export const REQUEST_TOO_LARGE = textReply(
  413,
  'the body of this request is larger than its route takes; send less at a time',
);
/** Of a Service that says no with a status that would be taken for a yes. */
export const NOT_AUTHORIZED = textReply(403, 'this request was not authorized');
/** "Bodies over that size must be rejected with a 4xx series error" (HTTPExternalAuthFilter.forwardBody). */
export const BODY_TOO_LARGE = textReply(
  413,
  'the body of this request is larger than the service that has to authorize it reads',
);
/** "Connections using an invalid CACertificateRef MUST fail, and the client MUST receive an HTTP 5xx error response". */
export const REFUSED_TLS = textReply(
  500,
  "the backend is to be reached over TLS, and its BackendTLSPolicy can't be served; see its status",
);
export const INTERNAL_ERROR = textReply(500, 'the gateway failed on this request');

export const FAILURES: Readonly<Record<Exclude<UpstreamFailure, 'client-gone'>, LocalReply>> = {
  connect: textReply(503, 'the backend refused the connection; try again'),
  'connect-timeout': textReply(504, 'the backend did not accept a connection in time; try again'),
  'tls-handshake': textReply(502, 'the backend did not speak TLS with the gateway as it should'),
  'tls-untrusted': textReply(502, "the backend's certificate is not trusted; see its BackendTLSPolicy"),
  'tls-name': textReply(502, "the backend's certificate is for another name; see its BackendTLSPolicy"),
  overloaded: textReply(503, 'the backend has as many requests as it may have; try again'),
  reset: textReply(502, 'the backend closed the connection without an answer'),
  malformed: textReply(502, 'the backend gave an answer that is not valid HTTP'),
  'no-upgrade': textReply(
    502,
    'the backend speaks HTTP/2 and does not switch to the protocol that the request asks for',
  ),
  timeout: textReply(504, 'the backend did not answer in time'),
};

export function problemReply(problem: { readonly status: number; readonly message: string }): LocalReply {
  return textReply(problem.status, problem.message);
}

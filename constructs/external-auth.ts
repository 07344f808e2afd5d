/**
 * A Service that decides whether requests may go on: `externalAuth(service('auth', 80), { takeHeaders: ['x-user'] })`, or
 * `externalAuth(service('auth', 9001), { protocol: 'GRPC' })`.
 */
import type { Backend, ServiceConstruct } from './backend.ts';
import type { Toward } from './granted.ts';
import { noted, number, oneOf, optional, read, type Shape, text, texts } from './props.ts';
import { serviceRef } from './service-ref.ts';

interface AskingProps {
  /**
   * Headers of the request that the Service is told.
   * @default - over HTTP none but Host, Content-Length and Authorization, which it always is; by gRPC all
   */
  readonly sendHeaders?: readonly string[];
  /**
   * Bytes of the body of a request that the Service is sent, at most 65535. A request with a longer one gets a 413.
   * @default - none of it
   */
  readonly maxBody?: number;
}

/** The Service is sent a request like the one that it is asked about, and says yes with 200. */
export interface HttpAuthProps extends AskingProps {
  /** @default 'HTTP' */
  readonly protocol?: 'HTTP';
  /**
   * What stands before the path of a request where the Service is asked about it.
   * @default - nothing
   */
  readonly path?: `/${string}`;
  /**
   * Headers of its answer that go to the backend. What the client sent under these names is removed in any case.
   * @default - all, in place of what the client sent
   */
  readonly takeHeaders?: readonly string[];
}

/** The Service speaks Envoy's ext_authz protocol (envoy.service.auth.v3), and says itself what becomes of headers. */
export interface GrpcAuthProps extends AskingProps {
  readonly protocol: 'GRPC';
}

export type ExternalAuthProps = HttpAuthProps | GrpcAuthProps;

/** Made by `externalAuth()`. It stands on a rule, not on one of its backends. */
export interface ExternalAuth {
  readonly type: 'ExternalAuth';
  readonly config: Readonly<Record<string, unknown>>;
}

const ASKING = { sendHeaders: optional(texts), maxBody: optional(number) };
const HTTP: Shape<HttpAuthProps> = {
  ...ASKING,
  protocol: optional(oneOf('HTTP', 'GRPC')),
  path: optional(text),
  takeHeaders: optional(texts),
};
const GRPC: Shape<GrpcAuthProps> = { ...ASKING, protocol: oneOf('GRPC') };

/**
 * Has a Service asked, over HTTP or by gRPC, about every request before anything else is done with it but CORS: it goes on where that says yes. A
 * no goes to the client, and no answer is a 503. A Service of another team needs a ReferenceGrant there.
 */
export function externalAuth<
  const Namespace extends string = never,
  const Name extends string = string,
  const IsLent extends boolean = false,
>(
  target: Backend<Namespace, Name, IsLent> | ServiceConstruct,
  given: ExternalAuthProps = {},
): ExternalAuth & Toward<Namespace, Name, IsLent> {
  const { ref, problems: ofTarget } = serviceRef('externalAuth()', target);
  const { asking, problems } =
    (given as Partial<GrpcAuthProps> | undefined)?.protocol === 'GRPC' ? byGrpc(given) : overHttp(given);
  const filter: ExternalAuth = noted({ type: 'ExternalAuth', config: { backendRef: ref, ...asking } }, [
    ...problems,
    ...ofTarget,
  ]);
  return filter as ExternalAuth & Toward<Namespace, Name, IsLent>;
}

function overHttp(given: unknown) {
  const { props, problems } = read('externalAuth()', given, HTTP);
  const { path, sendHeaders, takeHeaders, maxBody } = props;
  const http = { path, allowedHeaders: sendHeaders, allowedResponseHeaders: takeHeaders };
  return { asking: { protocol: 'HTTP', http, forwardBody: forwarded(maxBody) }, problems };
}

function byGrpc(given: unknown) {
  const { props, problems } = read('externalAuth() of protocol GRPC', given, GRPC);
  const { sendHeaders, maxBody } = props;
  const grpc = { allowedHeaders: sendHeaders };
  return { asking: { protocol: 'GRPC', grpc, forwardBody: forwarded(maxBody) }, problems };
}

const forwarded = (maxBody: number | undefined) => (maxBody === undefined ? undefined : { maxSize: maxBody });

/** A Service that decides whether requests may go on: `externalAuth(service('auth', 80), { takeHeaders: ['x-user'] })`. */
import type { Backend, ServiceConstruct } from './backend.ts';
import type { Toward } from './granted.ts';
import { noted, number, optional, read, type Shape, text, texts } from './props.ts';
import { serviceRef } from './service-ref.ts';

export interface ExternalAuthProps {
  /**
   * What stands before the path of a request where the Service is asked about it.
   * @default - nothing
   */
  readonly path?: `/${string}`;
  /**
   * Headers of the request that the Service is told, besides Host, Content-Length and Authorization.
   * @default - none
   */
  readonly sendHeaders?: readonly string[];
  /**
   * Headers of its answer that go to the backend. What the client sent under these names is removed in any case.
   * @default - all, in place of what the client sent
   */
  readonly takeHeaders?: readonly string[];
  /**
   * Bytes of the body of a request that the Service is sent, at most 65535. A request with a longer one gets a 413.
   * @default - none of it
   */
  readonly maxBody?: number;
}

/** Made by `externalAuth()`. It stands on a rule, not on one of its backends. */
export interface ExternalAuth {
  readonly type: 'ExternalAuth';
  readonly config: Readonly<Record<string, unknown>>;
}

const EXTERNAL_AUTH: Shape<ExternalAuthProps> = {
  path: optional(text),
  sendHeaders: optional(texts),
  takeHeaders: optional(texts),
  maxBody: optional(number),
};

/**
 * Has a Service asked, over HTTP, about every request before anything else is done with it but CORS: it goes on where that answers 200. Any
 * other answer goes to the client, and no answer is a 503. A Service of another team needs a ReferenceGrant there.
 */
export function externalAuth<
  const Namespace extends string = never,
  const Name extends string = string,
  const IsLent extends boolean = false,
>(
  target: Backend<Namespace, Name, IsLent> | ServiceConstruct,
  given: ExternalAuthProps = {},
): ExternalAuth & Toward<Namespace, Name, IsLent> {
  const { props, problems } = read('externalAuth()', given, EXTERNAL_AUTH);
  const { ref, problems: ofTarget } = serviceRef('externalAuth()', target);
  const { path, sendHeaders, takeHeaders, maxBody } = props;
  const filter: ExternalAuth = noted(
    {
      type: 'ExternalAuth',
      config: {
        protocol: 'HTTP',
        backendRef: ref,
        http: { path, allowedHeaders: sendHeaders, allowedResponseHeaders: takeHeaders },
        forwardBody: maxBody === undefined ? undefined : { maxSize: maxBody },
      },
    },
    [...problems, ...ofTarget],
  );
  return filter as ExternalAuth & Toward<Namespace, Name, IsLent>;
}

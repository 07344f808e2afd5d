/** Requests to a Gateway's address, by names that no DNS knows. */
import { type IncomingHttpHeaders, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { SecureVersion } from 'node:tls';

export interface EdgeRequest {
  readonly address: string;
  readonly host: string;
  /**
   * The name that the handshake asks for.
   * @default - the host
   */
  readonly servername?: string;
  readonly path: string;
  readonly port?: number;
  readonly method?: string;
  /** Whom to trust, PEM: the request is made over TLS then. */
  readonly ca?: string;
  /**
   * The newest version of TLS that is spoken.
   * @default - the newest that there is
   */
  readonly maxVersion?: SecureVersion;
  /**
   * The content of the request.
   * @default - none
   */
  readonly content?: string;
}

export interface EdgeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** On a connection of its own. */
export function ask(options: EdgeRequest): Promise<EdgeAnswer> {
  const { address, host, servername = host, path, ca, port = ca ? 443 : 80, method = 'GET' } = options;
  const { maxVersion, content } = options;
  const { promise, resolve, reject } = Promise.withResolvers<EdgeAnswer>();
  // An address that is nobody's any more may swallow what is sent to it.
  const signal = AbortSignal.timeout(5000);
  const common = { host: address, port, path, method, headers: { host }, agent: false as const, signal };
  const versions = maxVersion ? { maxVersion } : {};
  const call = ca ? requestTls({ ...common, ...versions, ca, servername }) : requestPlain(common);
  call.on('error', reject);
  call.on('response', (answer) => {
    let body = '';
    answer.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    answer.on('error', reject);
    answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
  });
  call.end(content);
  return promise;
}

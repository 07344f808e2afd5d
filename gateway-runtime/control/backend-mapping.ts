/**
 * `--backend ns/name:port=http://host:port`: a Service port that is reached somewhere else than the objects say, and as they say: over TLS
 * where a BackendTLSPolicy demands it. For what a TLSRoute sends to it is `tcp://host:port`, which means the same.
 */
import type { BackendKey, Endpoint } from '../snapshot/snapshot.ts';

export interface BackendMapping {
  /** `namespace/name:port` as the user wrote it, the namespace filled in. */
  readonly name: string;
  readonly backend: BackendKey;
  readonly endpoint: Endpoint;
}

/** The mapping, or what is wrong with the text, in one sentence. */
export function parseBackendMapping(text: string): BackendMapping | { readonly problem: string } {
  const expected =
    'expected namespace/service:port=http://host:port, such as shop/cart:8080=http://127.0.0.1:3000';
  const parts = /^(?:([a-z0-9-]+)\/)?([a-z0-9-]+):(\d{1,5})=(.+)$/.exec(text);
  if (!parts) return { problem: `found ${JSON.stringify(text)}, ${expected}` };
  const [, namespace = 'default', service, port, target] = parts as unknown as [string, ...string[]];
  const url = URL.parse(target!);
  if (!url) return { problem: `${target} is not a URL: ${expected}` };
  if (url.protocol === 'https:') {
    const [owner, at] = [`${namespace}/${service}`, `${url.hostname}:${url.port || 443}`];
    return {
      problem: `${target} has the scheme https, expected http: a BackendTLSPolicy for Service ${owner} decides whether it is reached over TLS, and says whom to trust; write that, and ${owner}:${port}=http://${at}`,
    };
  }
  const isTcp = url.protocol === 'tcp:';
  if (isTcp && !url.port) return { problem: `${target} has no port, expected one: tcp://host:port` };
  if (url.protocol !== 'http:' && !isTcp) {
    return { problem: `${target} has the scheme ${url.protocol.slice(0, -1)}: ${expected}` };
  }
  if (url.username || url.password || url.search || url.hash || url.pathname !== (isTcp ? '' : '/')) {
    return {
      problem: `${target} has more than a host and a port: paths are the routes' business (URLRewrite)`,
    };
  }
  if (Number(port) < 1 || Number(port) > 65535) return { problem: `port ${port} is not a port (1 to 65535)` };
  return {
    name: `${namespace}/${service}:${port}`,
    backend: `backend/${namespace}/${service}/${Number(port)}`,
    // An IPv6 address stands in brackets in a URL, and without them everywhere else.
    endpoint: { address: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) },
  };
}

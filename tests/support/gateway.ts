/** A data plane on loopback with a snapshot written by hand. */

import { Agent, type AgentOptions, type AgentResult } from '../../gateway-runtime/proxy/agent.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { contentHash } from '../../gateway-runtime/snapshot/canonical.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import type {
  Backend,
  BackendEndpoints,
  BackendKey,
  CertificateBundle,
  Endpoint,
  HttpRule,
  Resource,
  WeightedBackend,
} from '../../gateway-runtime/snapshot/snapshot.ts';
import { listener, rule, snapshot } from '../unit/match/snapshots.ts';
import { type Answer, exchange, type RequestOptions } from './client.ts';
import { ENGINE } from './engine.ts';

export const GATEWAY = { namespace: 'infra', name: 'gw' };

export const backendKey = (name: string): BackendKey => `backend/shop/${name}/80`;

export function backend(name: string, rest: Pick<Backend, 'appProtocol' | 'tls'> = {}): Backend {
  const fields = {
    type: 'backend',
    key: backendKey(name),
    namespace: 'shop',
    service: name,
    port: 80,
    ...rest,
  } as const;
  return { ...fields, hash: contentHash(fields) };
}

export function to(name: string, weight = 1, filters: WeightedBackend['filters'] = []): WeightedBackend {
  return { weight, name: `Service shop/${name}:80`, backend: backendKey(name), filters };
}

/** A filter that asks Service shop/auth over HTTP, which is told as many octets of the body. */
export const asking = ({ body = 0, takes = [] }: { body?: number; takes?: readonly string[] } = {}) => ({
  type: 'ExternalAuth',
  config: {
    protocol: 'HTTP',
    name: 'Service shop/auth:80',
    backend: backendKey('auth'),
    prefix: '',
    tells: [],
    takes,
    body,
  },
});

export function toNothing(weight = 1): WeightedBackend {
  return {
    weight,
    name: 'Service shop/missing:80',
    unresolved: { reason: 'BackendNotFound', message: 'it does not exist' },
    filters: [],
  };
}

export const endpoints = (
  places: Record<string, readonly Endpoint[]>,
): ReadonlyMap<BackendKey, BackendEndpoints> =>
  new Map(
    Object.entries(places).map(([name, found]) => [
      backendKey(name),
      { backend: backendKey(name), endpoints: found },
    ]),
  );

export interface Serving {
  readonly resources: readonly Resource[];
  readonly endpoints?: Record<string, readonly Endpoint[]>;
  readonly certificates?: readonly CertificateBundle[];
}

/** One rule takes everything to the Service `whoami`, which has these endpoints. */
export function serviceWhoami(places: readonly Endpoint[], rest: Partial<HttpRule> = {}): Serving {
  const all = rule({ rest: { backends: [to('whoami')], ...rest } });
  return { resources: [listener('web'), backend('whoami'), all], endpoints: { whoami: places } };
}

/** One agent; closed by the test. */
export class TestGateway {
  readonly agent: Agent;
  readonly log: string[] = [];

  constructor(options: Partial<AgentOptions> = {}) {
    this.agent = new Agent({
      gateway: GATEWAY,
      engine: ENGINE,
      bindPort: () => 0,
      regex: re2,
      serverName: 'proxy-1',
      accessLog: (line) => this.log.push(line),
      ...options,
    });
  }

  static async serving(serving: Serving, options: Partial<AgentOptions> = {}): Promise<TestGateway> {
    const gateway = new TestGateway(options);
    const result = await gateway.serve(serving);
    if (!result.accepted || result.diagnostics.length) throw new Error(JSON.stringify(result.diagnostics));
    return gateway;
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  /** From whatever serves now to this. */
  serve({ resources, endpoints: places = {}, certificates = [] }: Serving): Promise<AgentResult> {
    return this.agent.apply({
      delta: difference(this.agent.snapshot, snapshot(...resources)),
      endpoints: endpoints(places),
      certificates: new Map(certificates.map((bundle) => [bundle.id, bundle])),
    });
  }

  port(port = 80): number {
    const bound = this.agent.boundPort(port);
    if (bound === undefined) throw new Error(`port ${port} is not bound`);
    return bound;
  }

  /** `get('shop.example.com/cart')`. */
  get(url: string, options: Omit<RequestOptions, 'host' | 'path'> = {}): Promise<Answer> {
    const slash = url.indexOf('/');
    return exchange(this.port(), { host: url.slice(0, slash), path: url.slice(slash), ...options });
  }

  lines(): Record<string, unknown>[] {
    return this.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

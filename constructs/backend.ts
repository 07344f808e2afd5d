/** Where a rule sends its requests: `service('cart', 8080)`, a Service of cdk8s-plus, `canary({ ... })`. */
import { apiFilters, type Filter } from './filter.ts';

export interface BackendOptions {
  /**
   * The share of requests is the weight over the sum of the weights of the rule; 0 to 1,000,000.
   * @default 1
   */
  readonly weight?: number;
  /**
   * The namespace of the Service; that of another team needs a ReferenceGrant there.
   * @default - the namespace of the route
   */
  readonly namespace?: string;
  /**
   * Filters for the requests that go to this backend.
   * @default - none
   */
  readonly filters?: readonly Filter[];
}

/** One Service, at one port. */
export interface Backend extends BackendOptions {
  readonly kind: 'Service';
  readonly name: string;
  readonly port: number;
}

/** A Service construct, such as that of cdk8s-plus. Its first port is used. */
export interface ServiceConstruct {
  readonly kind: string;
  readonly name: string;
  readonly port: number;
  readonly metadata: { readonly namespace?: string };
}

/** Several backends with their shares, made by `canary()` or a `Canary`. */
export interface Split {
  readonly backends: readonly Backend[];
  /** @internal What is wrong with it, for the rule that uses it to say. */
  readonly problems?: readonly string[];
}

/** A Service by name and port. */
export function service(name: string, port: number, options?: BackendOptions): Backend;
/** A Service construct with a weight, filters, or another port than its first. */
export function service(
  construct: ServiceConstruct,
  options?: BackendOptions & { readonly port?: number },
): Backend;
export function service(
  target: string | ServiceConstruct,
  second?: number | (BackendOptions & { readonly port?: number }),
  third: BackendOptions = {},
): Backend {
  if (typeof target === 'string') return { kind: 'Service', name: target, port: second as number, ...third };
  const options = typeof second === 'object' ? second : {};
  const { namespace } = target.metadata;
  return {
    kind: 'Service',
    name: target.name,
    port: target.port,
    ...(namespace === undefined ? {} : { namespace }),
    ...options,
  };
}

/** The backends that a destination stands for; undefined where it is none. */
export function backendsOf(destination: unknown): readonly Backend[] | undefined {
  if (typeof destination !== 'object' || destination === null) return undefined;
  if ('backends' in destination) return (destination as Split).backends;
  if ('metadata' in destination && 'port' in destination) return [service(destination as ServiceConstruct)];
  if ('kind' in destination && destination.kind === 'Service') return [destination as Backend];
  return undefined;
}

/** A backend in the form of the API. */
export function apiBackend(backend: Backend, routeNamespace: string): Record<string, unknown> {
  const { name, port, weight = 1, namespace, filters = [] } = backend;
  return {
    name,
    port,
    weight,
    namespace: namespace === routeNamespace ? undefined : namespace,
    filters: apiFilters(filters),
  };
}

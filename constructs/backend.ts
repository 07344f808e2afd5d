/** Where a rule sends its requests: `service('cart', 8080)`, a Service of cdk8s-plus, `canary({ ... })`. */
import { apiFilters, backendFilterList, type Filter } from './filter.ts';
import {
  flag,
  isObject,
  noted,
  number,
  oneOf,
  optional,
  problemsOf,
  read,
  type Shape,
  text,
} from './props.ts';

export interface BackendOptions<Namespace extends string = string, IsLent extends boolean = boolean> {
  /**
   * The share of requests is the weight over the sum of the weights of the rule; 0 to 1,000,000.
   * @default 1
   */
  readonly weight?: number;
  /**
   * The namespace of the Service. A route of one team takes that of another from its owner: `ReferenceGrant.service()`.
   * @default - the namespace of the route
   */
  readonly namespace?: Namespace;
  /**
   * That the owner of the namespace lets the routes of this one in, by a ReferenceGrant that this app may not have.
   * @default false
   */
  readonly lent?: IsLent;
  /**
   * Filters for the requests that go to this backend.
   * @default - none
   */
  readonly filters?: readonly Filter[];
}

/** One Service, at one port. */
export interface Backend<
  Namespace extends string = string,
  Name extends string = string,
  IsLent extends boolean = boolean,
> extends BackendOptions<Namespace, IsLent> {
  readonly kind: 'Service';
  readonly name: Name;
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
export interface Split<Namespace extends string = string, IsLent extends boolean = boolean> {
  readonly backends: readonly Backend<Namespace, string, IsLent>[];
}

const OPTIONS: Shape<BackendOptions> = {
  weight: optional(number),
  namespace: optional(text),
  lent: optional(flag),
  filters: optional(backendFilterList),
};
const OPTIONS_OF_CONSTRUCT: Shape<BackendOptions & { readonly port?: number }> = {
  ...OPTIONS,
  port: optional(number),
};
const BACKEND: Shape<Backend> = { ...OPTIONS, kind: oneOf('Service'), name: text, port: number };

/** A Service by name and port. */
export function service<
  const Name extends string,
  const Namespace extends string = never,
  const IsLent extends boolean = false,
>(name: Name, port: number, options?: BackendOptions<Namespace, IsLent>): Backend<Namespace, Name, IsLent>;
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
  if (!isServiceConstruct(target)) {
    const { props, problems } = read('service()', third, OPTIONS);
    return noted({ kind: 'Service', name: target, port: second as number, ...props }, problems);
  }
  const { props, problems } = read('service()', second === undefined ? {} : second, OPTIONS_OF_CONSTRUCT);
  const { namespace } = target.metadata;
  return noted(
    {
      kind: 'Service',
      name: target.name,
      port: firstPort(target),
      // It is in the app, and so is the consent of its owner: the checks of the objects say what there is of it.
      lent: true,
      ...(namespace === undefined ? {} : { namespace }),
      ...props,
    },
    problems,
  );
}

const isServiceConstruct = (value: unknown): value is ServiceConstruct =>
  isObject(value) && 'metadata' in value && 'port' in value;

/** That of cdk8s-plus throws where the Service has no port, and a rule has more to say than that. */
function firstPort(service: ServiceConstruct): number {
  try {
    return service.port;
  } catch {
    return undefined as never;
  }
}

/** What is wrong with a backend, and with what it was made of. */
export const backendProblems = (backend: Backend): string[] => [
  ...problemsOf(backend),
  ...read('service()', backend, BACKEND).problems,
  ...[backend.filters ?? []].flat().flatMap(problemsOf),
];

/** The backends that a destination stands for; undefined where it is none. */
export function backendsOf(destination: unknown): readonly Backend[] | undefined {
  if (!isObject(destination)) return undefined;
  if ('backends' in destination) {
    const { backends } = destination as Split;
    const areAll = Array.isArray(backends) && (backends as unknown[]).every(isObject);
    return areAll ? backends : undefined;
  }
  if (isServiceConstruct(destination)) return [service(destination)];
  if ('kind' in destination && destination.kind === 'Service') return [destination as Backend];
  return undefined;
}

/** A backend in the form of the API, without what is wrong with it. */
export function apiBackend(backend: Backend, routeNamespace: string): Record<string, unknown> {
  const { name, port, weight = 1, namespace, filters = [] } = read('service()', backend, BACKEND).props;
  return {
    name,
    port,
    weight,
    namespace: namespace === routeNamespace ? undefined : namespace,
    filters: apiFilters(filters, routeNamespace),
  };
}

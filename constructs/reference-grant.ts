import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { gatewayObject } from './api-object.ts';
import { type Backend, type BackendOptions, type ServiceConstruct, service } from './backend.ts';
import { requireChecks } from './checks.ts';
import type { ConfigMapRef } from './client-certificates.ts';
import type { OwnedNamespace } from './granted.ts';
import type { SecretRef } from './listener.ts';
import { nameProblem } from './naming.ts';
import { found, isObject, list, optional, read, type Shape, text, type } from './props.ts';
import { type RouteKind, routeKinds } from './route-kind.ts';
import type { TeamRef } from './team.ts';

export interface ReferenceGrantProps<To = ReferenceTarget | readonly ReferenceTarget[], Scope = unknown> {
  /** Who may refer: the routes of a team, or the listeners of a gateway and of the grants on it. */
  readonly from: ReferenceSource | readonly ReferenceSource[];
  /** What they may refer to: Services, Secrets, or ConfigMaps. */
  readonly to: To;
  /**
   * The kinds of routes of a team that may refer.
   * @default ['HTTPRoute']
   */
  readonly kinds?: readonly RouteKind[];
  /**
   * The namespace that owns what is referred to; in the chart of a team its own and no other.
   * @default - the namespace of the chart
   */
  readonly namespace?: OwnedNamespace<Scope>;
  /**
   * The name of the ReferenceGrant.
   * @default - the id of the construct
   */
  readonly name?: string;
}

/** A team, or a gateway. */
export type ReferenceSource = TeamRef | { readonly className: string; readonly namespace: string };
/** A Service, a Secret or a ConfigMap of the owner. */
export type ReferenceTarget = Backend | ServiceConstruct | SecretRef | ConfigMapRef;

const oneOrMore = (expected: string, holds: (value: unknown) => boolean) => {
  const several = list(expected, type(expected, holds));
  return type(expected, (value) => holds(value) || several.wrong(value) === undefined);
};

const PROPS: Shape<ReferenceGrantProps> = {
  from: oneOrMore(
    'teams or gateways',
    (value) => isObject(value) && 'namespace' in value && typeof value.namespace === 'string',
  ),
  to: oneOrMore(
    'services, secretRef(name) or configMapRef(name)',
    (value) =>
      isObject(value) &&
      'kind' in value &&
      (value.kind === 'Service' || value.kind === 'Secret' || value.kind === 'ConfigMap') &&
      'name' in value &&
      typeof value.name === 'string',
  ),
  kinds: optional(routeKinds),
  namespace: optional(text),
  name: optional(text),
};

/** The names of the Services that a ReferenceGrant is about, as far as the compiler knows them. */
type ServicesOf<To> = To extends readonly (infer Each)[]
  ? ServicesOf<Each>
  : To extends Backend<string, infer Name>
    ? Name
    : To extends ServiceConstruct
      ? string
      : never;

/** The owner of a namespace lets routes or gateways of another one refer to its Services, Secrets or ConfigMaps. */
export class ReferenceGrant<
  const To extends ReferenceTarget | readonly ReferenceTarget[] =
    | ReferenceTarget
    | readonly ReferenceTarget[],
  Scope extends Construct = Construct,
> extends Construct {
  /** The namespace that owns what is referred to. */
  readonly namespace: string;
  readonly #names: readonly string[];

  constructor(scope: Scope, id: string, given: ReferenceGrantProps<To, Scope>) {
    super(scope, id);
    const { props, problems } = read<ReferenceGrantProps>('ReferenceGrant', given, PROPS);
    const { from = [], to = [] } = props;
    const name = props.name ?? id;
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.#names = [to].flat().flatMap((each) => (each.kind === 'Service' ? each.name : []));
    requireChecks(this, () => [...problems, ...nameProblem('ReferenceGrant', name)]);
    gatewayObject(this, 'Resource', {
      kind: 'ReferenceGrant',
      name,
      namespace: this.namespace,
      spec: () => ({
        from: [from].flat().flatMap((each) => apiSources(each, props.kinds ?? ['HTTPRoute'])),
        to: [to].flat().map(({ kind, name }) => ({ group: '', kind, name })),
      }),
    });
  }

  /**
   * One of the Services that it is about, for rules of the routes that it lets in. Throws an Error for any other Service.
   *
   * @param options Its weight and filters, as `service()` takes them.
   */
  service<const Name extends ServicesOf<To>>(
    name: Name,
    port: number,
    options: Omit<BackendOptions, 'namespace' | 'lent'> = {},
  ): Backend<string, Name, true> {
    if (!this.#names.includes(name)) {
      throw new Error(
        `${this.node.path}: ReferenceGrant.service() takes one of the Services that it is about (${this.#names.join(', ')}), this is ${found(name)}`,
      );
    }
    return service(name, port, { ...options, namespace: this.namespace, lent: true });
  }
}

function apiSources(source: ReferenceSource, routes: readonly RouteKind[]) {
  const { namespace } = source;
  // A ListenerSet does not inherit what its Gateway may refer to.
  const kinds = 'className' in source ? ['Gateway', 'ListenerSet'] : routes;
  return kinds.map((kind) => ({ group: GATEWAY_GROUP, kind, namespace }));
}

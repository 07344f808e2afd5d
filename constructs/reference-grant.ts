import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { gatewayObject } from './api-object.ts';
import type { Backend, ServiceConstruct } from './backend.ts';
import { requireChecks } from './checks.ts';
import type { ConfigMapRef } from './client-certificates.ts';
import { GatewayBase } from './gateway.ts';
import type { SecretRef } from './listener.ts';
import { nameProblem } from './naming.ts';
import { isObject, list, optional, read, type Shape, text, type } from './props.ts';
import type { TeamRef } from './team.ts';

export interface ReferenceGrantProps {
  /** Who may refer: the routes of a team, or the listeners of a gateway and of the grants on it. */
  readonly from: ReferenceSource | readonly ReferenceSource[];
  /** What they may refer to: Services, Secrets, or ConfigMaps. */
  readonly to: ReferenceTarget | readonly ReferenceTarget[];
  /**
   * The namespace that owns what is referred to.
   * @default - the namespace of the chart
   */
  readonly namespace?: string;
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
  namespace: optional(text),
  name: optional(text),
};

/** The owner of a namespace lets routes or gateways of another one refer to its Services, Secrets or ConfigMaps. */
export class ReferenceGrant extends Construct {
  constructor(scope: Construct, id: string, given: ReferenceGrantProps) {
    super(scope, id);
    const { props, problems } = read('ReferenceGrant', given, PROPS);
    const { from = [], to = [] } = props;
    const name = props.name ?? id;
    requireChecks(this, () => [...problems, ...nameProblem('ReferenceGrant', name)]);
    gatewayObject(this, 'Resource', {
      kind: 'ReferenceGrant',
      name,
      namespace: props.namespace ?? Chart.of(this).namespace ?? 'default',
      spec: () => ({
        from: [from].flat().flatMap(apiSources),
        to: [to].flat().map(({ kind, name }) => ({ group: '', kind, name })),
      }),
    });
  }
}

function apiSources(source: ReferenceSource) {
  const { namespace } = source;
  // A ListenerSet does not inherit what its Gateway may refer to.
  const kinds = source instanceof GatewayBase ? ['Gateway', 'ListenerSet'] : ['HTTPRoute'];
  return kinds.map((kind) => ({ group: GATEWAY_GROUP, kind, namespace }));
}

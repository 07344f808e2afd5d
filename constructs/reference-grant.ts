import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { gatewayObject } from './api-object.ts';
import type { Backend, ServiceConstruct } from './backend.ts';
import { requireChecks } from './checks.ts';
import { GatewayBase } from './gateway.ts';
import type { SecretRef } from './listener.ts';
import { nameProblem } from './naming.ts';
import type { TeamRef } from './team.ts';

export interface ReferenceGrantProps {
  /** Who may refer: the routes of a team, or the listeners of a gateway and of the grants on it. */
  readonly from: ReferenceSource | readonly ReferenceSource[];
  /** What they may refer to: Services, or Secrets. */
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
/** A Service or a Secret of the owner. */
export type ReferenceTarget = Backend | ServiceConstruct | SecretRef;

/** The owner of a namespace lets routes or gateways of another one refer to its Services or Secrets. */
export class ReferenceGrant extends Construct {
  constructor(scope: Construct, id: string, props: ReferenceGrantProps) {
    super(scope, id);
    const name = props.name ?? id;
    requireChecks(this);
    this.node.addValidation({ validate: () => nameProblem('ReferenceGrant', name) });
    gatewayObject(this, 'Resource', {
      kind: 'ReferenceGrant',
      name,
      namespace: props.namespace ?? Chart.of(this).namespace ?? 'default',
      spec: () => ({
        from: [props.from].flat().flatMap(apiSources),
        to: [props.to].flat().map(({ kind, name }) => ({ group: '', kind, name })),
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

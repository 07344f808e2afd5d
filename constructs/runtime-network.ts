/** The NetworkPolicies of a runtime: one for the data planes of each of its gateways, and one for the control plane. */
import { generatedName } from '../gateway-runtime/snapshot/generated-names.ts';
import { CONTROL_PLANE, LABELS } from './control-plane-objects.ts';
import type { NetworkGraph } from './network-graph.ts';
import { controlPlanePolicy, dataPlanePolicy } from './network-policies.ts';
import { optional, type Shape, texts } from './props.ts';

export interface RuntimeNetworkProps {
  /**
   * Namespaces that may read metrics, at the admin ports of both planes.
   * @default - none
   */
  readonly monitoring?: readonly string[];
  /**
   * Namespaces that data planes of all gateways may reach besides those that the app shows.
   * @default - none
   */
  readonly backends?: readonly string[];
}

export const RUNTIME_NETWORK: Shape<RuntimeNetworkProps> = {
  monitoring: optional(texts),
  backends: optional(texts),
};

export interface RuntimeReach {
  /** The namespace of the control plane. */
  readonly controlPlane: string;
  readonly classes: readonly string[];
  /** Whether gateways may be in every namespace, and not only where the app has them. */
  readonly isEverywhere: boolean;
}

interface NamedPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: Record<string, unknown>;
}

export function runtimePolicies(
  graph: NetworkGraph,
  { controlPlane, classes, isEverywhere }: RuntimeReach,
  { monitoring = [], backends = [] }: RuntimeNetworkProps,
): NamedPolicy[] {
  const gateways = graph.gateways.filter(({ className }) => classes.includes(className));
  const namespaces = [...new Set(gateways.map(({ namespace }) => namespace))].sort();
  const ofDataPlanes = gateways.map((gateway) => {
    const { names, labelled } = graph.backendsOf(gateway);
    const all = { names: [...new Set([...names, ...backends])].sort(), labelled };
    return {
      name: generatedName(gateway.name, gateway.className),
      namespace: gateway.namespace,
      spec: dataPlanePolicy(gateway, all, { namespace: controlPlane, labels: LABELS }, monitoring),
    };
  });
  const ofControlPlane = {
    name: CONTROL_PLANE,
    namespace: controlPlane,
    spec: controlPlanePolicy(LABELS, classes, isEverywhere ? undefined : namespaces, monitoring),
  };
  return [...ofDataPlanes, ofControlPlane];
}

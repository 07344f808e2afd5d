/** How data planes run: the GatewayParameters of a class or of one gateway. */
import type { Construct } from 'constructs';
import { PARAMETERS_KIND } from '../gateway-runtime/api/gateway-parameters.ts';
import { OWN_GROUP } from '../gateway-runtime/api/names.ts';
import { gatewayObject } from './api-object.ts';

/** Whatever is left out is as the class says, and where it does not, the default. */
export interface DataPlaneProps {
  /**
   * How many data planes run, where nothing scales them.
   * @default 2
   */
  readonly replicas?: number;
  /**
   * Has a HorizontalPodAutoscaler say how many run, by their use of CPU. The cluster needs a source of metrics.
   * @default - none
   */
  readonly autoscaling?: {
    /** @default 2 */
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    /**
     * Of the CPU that is requested, on the average of all data planes.
     * @default 70
     */
    readonly targetCPUUtilizationPercentage?: number;
  };
  /**
   * Of each data plane, as amounts of Kubernetes: `{ requests: { cpu: '500m', memory: '256Mi' } }`.
   * @default - requests of 50m CPU and 96Mi memory, a limit of 512Mi memory
   */
  readonly resources?: { readonly requests?: ResourceAmounts; readonly limits?: ResourceAmounts };
  readonly service?: {
    /** @default 'LoadBalancer' */
    readonly type?: 'LoadBalancer' | 'NodePort' | 'ClusterIP';
    /**
     * `Local` keeps the addresses of clients, and sends them to nodes with a data plane only.
     * @default 'Local'
     */
    readonly externalTrafficPolicy?: 'Local' | 'Cluster';
    /**
     * For the Service alone, such as those that a load balancer reads.
     * @default - none
     */
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /**
   * Processes of each data plane that share its ports, one for each core that it is to use. Each takes some 60Mi of memory more.
   * @default 1
   */
  readonly workers?: number;
  /**
   * How many an eviction leaves: one of the two, as a number or a percentage.
   * @default { maxUnavailable: 1 }
   */
  readonly podDisruptionBudget?: {
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
  };
  /**
   * Whether data planes write a line of JSON for each request.
   * @default false
   */
  readonly accessLog?: boolean;
}

export interface ResourceAmounts {
  readonly cpu?: number | string;
  readonly memory?: number | string;
}

/** Makes the object, and gives the reference to it. */
export function parametersObject(
  scope: Construct,
  id: string,
  { name, namespace, parameters }: { name: string; namespace: string; parameters: DataPlaneProps },
) {
  gatewayObject(scope, id, { kind: PARAMETERS_KIND, name, namespace, spec: () => ({ ...parameters }) });
  return { group: OWN_GROUP, kind: PARAMETERS_KIND, name };
}

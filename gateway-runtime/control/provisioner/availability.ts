/** How many data planes there are, and how many an eviction leaves. */
import type { GatewayParametersSpec } from '../../api/gateway-parameters.ts';
import type { Infrastructure } from '../../translate/translation.ts';
import { apiVersionOf } from './kinds.ts';
import { generatedName, selectorLabels } from './names.ts';

/** Data planes of a Gateway whose parameters do not say: one can go, and the Gateway is still served. */
export const REPLICAS = 2;

export const disruptionBudgetSpec = ({ gateway, className, parameters }: Infrastructure) => ({
  // With one data plane too, so that its node can be emptied.
  ...(parameters?.podDisruptionBudget ?? { maxUnavailable: 1 }),
  selector: { matchLabels: selectorLabels(gateway, className) },
});

export const scalerSpec = (
  { gateway, className }: Infrastructure,
  {
    minReplicas,
    maxReplicas,
    targetCPUUtilizationPercentage,
  }: NonNullable<GatewayParametersSpec['autoscaling']>,
) => ({
  scaleTargetRef: {
    apiVersion: apiVersionOf('Deployment'),
    kind: 'Deployment',
    name: generatedName(gateway.name, className),
  },
  minReplicas,
  maxReplicas,
  metrics: [
    {
      type: 'Resource',
      resource: {
        name: 'cpu',
        target: { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage },
      },
    },
  ],
});

/**
 * GatewayParameters (gatewright.dev/v1alpha1): how the data planes of a Gateway run. Named by `spec.parametersRef` of a GatewayClass,
 * for all Gateways of the class, and by `spec.infrastructure.parametersRef` of a Gateway. Its CustomResourceDefinition is this schema.
 */
import { definition } from './definition.ts';
import { isQualifiedName, metadata, QUALIFIED_NAMES, qualifiedNamePattern } from './fields.ts';
import {
  boolean,
  described,
  type Infer,
  integer,
  integerOrString,
  object,
  oneOf,
  optional,
  rule,
  string,
  stringMap,
} from './schema.ts';
import { MOST_WORKERS } from './workers.ts';

const minIsAtMostMax = rule<{ minReplicas: number; maxReplicas: number }>(
  { rule: 'self.minReplicas <= self.maxReplicas', message: 'minReplicas must be at most maxReplicas' },
  ({ minReplicas, maxReplicas }, field) =>
    minReplicas <= maxReplicas
      ? undefined
      : { field: `${field}.minReplicas`, found: `${minReplicas}`, expected: `at most ${maxReplicas}` },
);

const oneOfTwo = rule<{ minAvailable?: unknown; maxUnavailable?: unknown }>(
  {
    rule: 'has(self.minAvailable) != has(self.maxUnavailable)',
    message: 'set one of minAvailable and maxUnavailable',
  },
  ({ minAvailable, maxUnavailable }, field) =>
    (minAvailable === undefined) !== (maxUnavailable === undefined)
      ? undefined
      : {
          field,
          found: minAvailable === undefined ? 'neither' : 'both',
          expected: 'one of minAvailable and maxUnavailable',
        },
);

const keysAreQualifiedNames = rule<{ annotations?: Record<string, string> }>(
  {
    rule: `!has(self.annotations) || self.annotations.all(key, key.matches(r"""${qualifiedNamePattern.source.replaceAll('\\/', '/')}""") && key.split("/")[0].size() < 253)`,
    message: `annotations has ${QUALIFIED_NAMES}`,
  },
  ({ annotations = {} }, field) => {
    const wrong = Object.keys(annotations).find((key) => !isQualifiedName(key));
    return wrong === undefined
      ? undefined
      : { field: `${field}.annotations`, found: wrong, expected: QUALIFIED_NAMES };
  },
);

const amount = optional(
  object({
    cpu: optional(
      described(
        'Cores, such as 2, 0.5 or 500m.',
        integerOrString(
          { regex: /^[0-9]{1,9}(\.[0-9]{1,3}|m)?$/, words: 'an amount of CPU such as 2, 0.5 or 500m' },
          { min: 0 },
        ),
      ),
    ),
    memory: optional(
      described(
        'Bytes, such as 256Mi.',
        integerOrString(
          {
            regex: /^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$/,
            words: 'an amount of memory such as 256Mi or 1Gi',
          },
          { min: 0 },
        ),
      ),
    ),
  }),
);

const pods = optional(
  integerOrString(
    { regex: /^([0-9]|[1-9][0-9]|100)%$/, words: 'a number of pods, or a percentage such as 25%' },
    { min: 0 },
  ),
);

const replicas = { min: 1, max: 1000 };

const spec = object({
  replicas: optional(
    described('How many data planes run, where nothing scales them. Default: 2.', integer(replicas)),
  ),
  autoscaling: optional(
    described(
      'Has a HorizontalPodAutoscaler say how many data planes run, by their use of CPU. The cluster needs a source of metrics.',
      object(
        {
          minReplicas: described('The least that run.', integer({ ...replicas, default: 2 })),
          maxReplicas: described('The most that run.', integer(replicas)),
          targetCPUUtilizationPercentage: described(
            'Of the CPU that is requested, on the average of all data planes.',
            integer({ min: 1, max: 1000, default: 70 }),
          ),
        },
        { rules: [minIsAtMostMax] },
      ),
    ),
  ),
  resources: optional(
    described(
      'Of each data plane. Default: requests of 50m CPU and 96Mi memory, a limit of 512Mi memory.',
      object({ requests: amount, limits: amount }),
    ),
  ),
  workers: optional(
    described(
      'Processes of each data plane that share its ports, one for each core that it is to use. Each takes some 60Mi of memory more. Default: 1.',
      integer({ min: 1, max: MOST_WORKERS }),
    ),
  ),
  service: optional(
    described(
      'The Service in front of the data planes.',
      object(
        {
          type: optional(
            described('Default: LoadBalancer.', oneOf(['LoadBalancer', 'NodePort', 'ClusterIP'])),
          ),
          externalTrafficPolicy: optional(
            described(
              'Local keeps the addresses of clients, and sends them to nodes with a data plane only. Not used with ClusterIP. Default: Local.',
              oneOf(['Local', 'Cluster']),
            ),
          ),
          annotations: optional(
            described(
              'For the Service alone, such as those that a load balancer reads.',
              stringMap(string({ max: 4096 }), { max: 16 }),
            ),
          ),
        },
        { rules: [keysAreQualifiedNames] },
      ),
    ),
  ),
  podDisruptionBudget: optional(
    described(
      'How many data planes an eviction leaves. Default: maxUnavailable 1.',
      object({ minAvailable: pods, maxUnavailable: pods }, { rules: [oneOfTwo] }),
    ),
  ),
  accessLog: optional(
    described('Whether data planes write a line of JSON for each request. Default: false.', boolean()),
  ),
});

export const gatewayParameters = object({
  apiVersion: string(),
  kind: oneOf(['GatewayParameters']),
  metadata,
  spec,
});
export type GatewayParameters = Infer<typeof gatewayParameters>;
export type GatewayParametersSpec = Infer<typeof spec>;

export const PARAMETERS_KIND = 'GatewayParameters';
export const PARAMETERS_VERSION = 'v1alpha1';
export const PARAMETERS_PLURAL = 'gatewayparameters';

export const GATEWAY_PARAMETERS_DEFINITION = definition({
  kind: PARAMETERS_KIND,
  plural: PARAMETERS_PLURAL,
  singular: PARAMETERS_PLURAL,
  version: PARAMETERS_VERSION,
  description: 'How the data planes of a Gateway run.',
  spec,
});

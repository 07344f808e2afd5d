/** Field rules of GatewayParameters, which is ours; tests/e2e/own-kinds.e2e.ts holds them against the API server. */
import { describe, expect, it } from '@jest/globals';
import { GATEWAY_PARAMETERS_DEFINITION } from '../../../gateway-runtime/api/gateway-parameters.ts';
import { parse } from '../../../gateway-runtime/api/kinds.ts';
import { at, long, many, REMOVED, testRows } from './field-rules.ts';
import { sampleWith } from './samples.ts';

testRows('GatewayParameters', [
  [
    'spec',
    [{}],
    [REMOVED, 7, { replica: 1 }].map((value) =>
      at(value ? (value === 7 ? 'spec' : 'spec.replica') : 'spec', value),
    ),
  ],
  ['spec.replicas', [1, 1000, REMOVED], [0, 1001, 1.5, '2']],
  ['spec.autoscaling', [REMOVED], [at('spec.autoscaling.maxReplicas', {}), 7]],
  ['spec.autoscaling.minReplicas', [1, 10, REMOVED], [0, 1001, at('spec.autoscaling.minReplicas', 11)]],
  ['spec.autoscaling.maxReplicas', [2, 1000], [0, 1001, REMOVED, at('spec.autoscaling.minReplicas', 1)]],
  ['spec.autoscaling.targetCPUUtilizationPercentage', [1, 1000, REMOVED], [0, 1001]],
  [
    'spec.resources.requests.cpu',
    [1, 0, '1', '0.5', '1.125', '500m', REMOVED],
    [-1, '', 'a', '1.1m', '0.0001', '1Gi', true],
  ],
  [
    'spec.resources.limits.memory',
    [0, '1', '256Mi', '1G', '4Ti', REMOVED],
    [-1, '', '1.5Gi', '100m', '1E', 'Mi', []],
  ],
  ['spec.service.type', ['NodePort', 'ClusterIP', REMOVED], ['ExternalName', '', 7]],
  ['spec.service.externalTrafficPolicy', ['Local', 'Cluster', REMOVED], ['local', '']],
  [
    'spec.service.annotations',
    [{}, { 'example.com/a': '' }, { 'A.b_c-1': long(4096) }, REMOVED],
    [
      at('spec.service.annotations.a', { a: long(4097) }),
      at('spec.service.annotations', { '-a': '' }),
      at('spec.service.annotations', { [`${long(254)}/a`]: '' }),
      at('spec.service.annotations', Object.fromEntries(many(17, (i) => [`a${i}`, '']))),
    ],
  ],
  [
    'spec.podDisruptionBudget',
    [{ minAvailable: 0 }, { minAvailable: '100%' }, { maxUnavailable: 3 }, REMOVED],
    [
      {},
      { minAvailable: 1, maxUnavailable: 1 },
      at('spec.podDisruptionBudget.minAvailable', { minAvailable: '101%' }),
      at('spec.podDisruptionBudget.maxUnavailable', { maxUnavailable: '1' }),
      at('spec.podDisruptionBudget.maxUnavailable', { maxUnavailable: -1 }),
    ],
  ],
  ['spec.workers', [1, 64, REMOVED], [0, 65, 1.5, '2']],
  ['spec.accessLog', [true, false, REMOVED], ['true', 1]],
]);

describe('the CustomResourceDefinition', () => {
  const [version] = GATEWAY_PARAMETERS_DEFINITION.spec.versions;
  const { spec } = version!.schema.openAPIV3Schema.properties;

  it('has every field, with its limits, its default and what it is for', () => {
    expect(spec).toMatchObject({
      type: 'object',
      properties: {
        replicas: { type: 'integer', minimum: 1, maximum: 1000, description: expect.any(String) },
        autoscaling: {
          required: ['maxReplicas'],
          properties: { minReplicas: { default: 2 }, maxReplicas: { minimum: 1 } },
          'x-kubernetes-validations': [{ rule: 'self.minReplicas <= self.maxReplicas' }],
        },
        resources: {
          properties: { limits: { properties: { cpu: { 'x-kubernetes-int-or-string': true } } } },
        },
        service: {
          properties: { annotations: { maxProperties: 16, additionalProperties: { maxLength: 4096 } } },
        },
        podDisruptionBudget: { 'x-kubernetes-validations': [{ message: expect.stringContaining('one of') }] },
        workers: { type: 'integer', minimum: 1, maximum: 64 },
        accessLog: { type: 'boolean' },
      },
    });
    expect(spec).not.toHaveProperty('required');
  });

  it('and parsing give the same defaults', () => {
    expect(parse(sampleWith('GatewayParameters', 'spec', { autoscaling: { maxReplicas: 4 } }))).toMatchObject(
      {
        object: {
          spec: { autoscaling: { minReplicas: 2, maxReplicas: 4, targetCPUUtilizationPercentage: 70 } },
        },
      },
    );
  });
});

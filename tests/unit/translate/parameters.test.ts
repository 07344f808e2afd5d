/** What the parameters of a class and of a Gateway say together, and that they are followed. */
import { describe, expect, it } from '@jest/globals';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';

const GATEWAY_API = 'gateway.networking.k8s.io/v1';

const parameters = (name: string, spec: object) => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind: 'GatewayParameters',
  metadata: { name, namespace: 'infra' },
  spec,
});
const refTo = (name: string) => ({ group: 'gatewright.dev', kind: 'GatewayParameters', name });
const gatewayClass = {
  apiVersion: GATEWAY_API,
  kind: 'GatewayClass',
  metadata: { name: 'ours' },
  spec: {
    controllerName: 'gatewright.dev/gateway-controller',
    parametersRef: { ...refTo('class'), namespace: 'infra' },
  },
};
const gateway = (name: string, parametersRef?: object) => ({
  apiVersion: GATEWAY_API,
  kind: 'Gateway',
  metadata: { name, namespace: 'infra', uid: `uid-${name}` },
  spec: {
    gatewayClassName: 'ours',
    listeners: [{ name: 'web', port: 80, protocol: 'HTTP' }],
    ...(parametersRef ? { infrastructure: { parametersRef } } : {}),
  },
});

function merged(ofClass: object, ofGateway: object) {
  const translator = new Translator({ regex: re2 });
  const objects = [
    gatewayClass,
    gateway('edge', refTo('gateway')),
    parameters('class', ofClass),
    parameters('gateway', ofGateway),
  ];
  const change = translator.apply(objects.map((set) => ({ set })));
  return change.infrastructure.get('infra/edge')?.parameters;
}

describe('parameters of a Gateway', () => {
  it('go over those of its class, field by field', () => {
    expect(
      merged(
        {
          replicas: 3,
          accessLog: true,
          service: { type: 'NodePort', annotations: { a: '1', b: '1' } },
          resources: { requests: { cpu: 1 } },
        },
        { accessLog: false, service: { annotations: { b: '2' } }, resources: { limits: { memory: '1Gi' } } },
      ),
    ).toEqual({
      replicas: 3,
      accessLog: false,
      service: { type: 'NodePort', annotations: { a: '1', b: '2' } },
      resources: { limits: { memory: '1Gi' } },
    });
  });

  it('that say how many data planes run put an end to the scaling of its class', () => {
    expect(merged({ autoscaling: { maxReplicas: 9 } }, { replicas: 1 })).toEqual({ replicas: 1 });
    expect(merged({ autoscaling: { maxReplicas: 9 } }, {})).toMatchObject({
      autoscaling: { maxReplicas: 9 },
    });
  });
});

it('a change of parameters changes what their Gateways need and no other', () => {
  const translator = new Translator({ regex: re2 });
  translator.apply(
    [
      gatewayClass,
      gateway('edge', refTo('gateway')),
      gateway('other'),
      parameters('class', {}),
      parameters('gateway', { replicas: 1 }),
    ].map((set) => ({ set })),
  );
  const change = translator.apply([{ set: parameters('gateway', { replicas: 2 }) }]);
  expect([...change.infrastructure].map(([key, each]) => [key, each?.uid, each?.parameters])).toEqual([
    ['infra/edge', 'uid-edge', { replicas: 2 }],
  ]);
  expect([change.deltas, change.statuses.size]).toEqual([[], 0]);
  const ofAll = translator.apply([{ set: parameters('class', { accessLog: true }) }]);
  expect([...ofAll.infrastructure.keys()].sort()).toEqual(['infra/edge', 'infra/other']);
});

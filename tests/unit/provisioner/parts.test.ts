/** Names, quantities, differences, addresses, pods: the small decisions of the provisioner. */
import { describe, expect, it } from '@jest/globals';
import { addressProblem, assignedAddresses } from '../../../gateway-runtime/control/provisioner/addresses.ts';
import { differenceAt } from '../../../gateway-runtime/control/provisioner/difference.ts';
import { Pods } from '../../../gateway-runtime/control/provisioner/pods.ts';
import { cpuQuantity, memoryQuantity } from '../../../gateway-runtime/control/provisioner/quantity.ts';
import { generatedName, labelValue } from '../../../gateway-runtime/snapshot/generated-names.ts';

describe('the name of what is made', () => {
  it('is that of the Gateway and its class', () => {
    expect(generatedName('edge', 'gatewright')).toBe('edge-gatewright');
  });

  it.each([
    ['a'.repeat(253), 'gatewright'],
    ['edge', 'a.class.with.dots'],
    ['1st', 'gatewright'],
    [`${'a'.repeat(51)}.b`, 'gatewright'],
  ])('is one that a Service can have, for %s of %s', (gateway, className) => {
    const name = generatedName(gateway, className);
    expect(name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
    expect(name).toMatch(/-[0-9a-f]{8}$/);
    expect(generatedName(`${gateway}x`.slice(-253), className)).not.toBe(name);
  });

  it('as a label is not longer than that', () => {
    expect(labelValue('a'.repeat(63))).toBe('a'.repeat(63));
    expect(labelValue(`${'a'.repeat(54)}...b`.padEnd(70, 'c'))).toMatch(
      /^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/,
    );
  });
});

it.each([
  [1, '1'],
  ['1', '1'],
  ['0.5', '500m'],
  ['1.125', '1125m'],
  ['3000m', '3'],
  [0, '0'],
])('%s cores are %s', (amount, text) => {
  expect(cpuQuantity(amount)).toBe(text);
});

it.each([
  [0, '0'],
  ['0Gi', '0'],
  [1024, '1024'],
  [5000, '5k'],
  ['1024Mi', '1Gi'],
  ['1500Mi', '1500Mi'],
  ['3000M', '3G'],
  ['2048Ti', '2048Ti'],
])('%s bytes are %s', (amount, text) => {
  expect(memoryQuantity(amount)).toBe(text);
});

describe('the difference of what is there from what is wanted', () => {
  it.each([
    ['none', { a: 1, b: 'of others' }, { a: 1 }, undefined],
    ['a field', { spec: { type: 'NodePort' } }, { spec: { type: 'ClusterIP' } }, 'spec.type'],
    ['a field that is missing', { spec: {} }, { spec: { type: 'ClusterIP' } }, 'spec.type'],
    ['what is empty', {}, { metadata: { labels: {} }, list: [] }, undefined],
    [
      'an entry by its name',
      { l: [{ name: 'x' }, { name: 'a', v: 2 }] },
      { l: [{ name: 'a', v: 1 }] },
      'l[a].v',
    ],
    [
      'entries of others',
      { l: [{ name: 'x' }, { name: 'a', v: 1 }] },
      { l: [{ name: 'a', v: 1 }] },
      undefined,
    ],
    ['an entry that is missing', { l: [] }, { l: [{ name: 'a' }] }, 'l[a].name'],
    ['a list without names', { l: ['a', 'b'] }, { l: ['a'] }, 'l'],
    ['its order', { l: ['b', 'a'] }, { l: ['a', 'b'] }, 'l[0]'],
    ['another type', { a: 'text' }, { a: { b: 1 } }, 'a'],
    ['null', { a: null }, { a: { b: 1 } }, 'a.b'],
  ])('%s', (_, found, wanted, path) => {
    expect(differenceAt(found, wanted)).toBe(path);
  });
});

describe('addresses', () => {
  const balanced = (...ingress: object[]) => ({
    metadata: { name: 'edge-ours', namespace: 'infra' },
    spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.1'] },
    status: { loadBalancer: { ingress } },
  });
  const inside = {
    metadata: { name: 'e' },
    spec: { type: 'ClusterIP', clusterIPs: ['10.96.0.1', 'fd00::1'] },
  };
  const asked = (...values: (string | undefined)[]) => ({
    addresses: values.map((value) => ({ type: 'IPAddress', ...(value ? { value } : {}) })),
  });

  it('are those of the load balancer, or else of the cluster', () => {
    expect(assignedAddresses(balanced({ ip: '192.0.2.1' }, { hostname: 'lb.example' }))).toEqual([
      { type: 'IPAddress', value: '192.0.2.1' },
      { type: 'Hostname', value: 'lb.example' },
    ]);
    expect(assignedAddresses(inside).map(({ value }) => value)).toEqual(['10.96.0.1', 'fd00::1']);
  });

  it.each([
    ['any', asked(undefined), balanced({ ip: '192.0.2.1' }), undefined],
    ['none', asked(), balanced({ hostname: 'lb.example' }), undefined],
    ['the one that is given', asked('192.0.2.1'), balanced({ ip: '192.0.2.1' }), undefined],
    ['it in other words', asked('FD00:0::1'), balanced({ ip: 'fd00::1' }), undefined],
    ['any, and there is none yet', asked(undefined), balanced(), 'AddressNotAssigned'],
    ['one that is not given', asked('192.0.2.1'), balanced(), 'AddressNotUsable'],
    ['one, and another is given', asked('192.0.2.1'), balanced({ ip: '192.0.2.2' }), 'AddressNotUsable'],
    ['two', asked('192.0.2.1', '192.0.2.2'), balanced({ ip: '192.0.2.1' }), 'AddressNotUsable'],
  ])('where a Gateway asks for %s', (_, infrastructure, service, reason) => {
    expect(addressProblem(infrastructure, service)?.reason).toBe(reason);
  });

  it('that are not given are named, with those that are', () => {
    expect(addressProblem(asked('192.0.2.1'), balanced({ ip: '192.0.2.2' }))!.message).toMatch(
      /^Service infra\/edge-ours has 192\.0\.2\.2 and not 192\.0\.2\.1: .*spec\.addresses/,
    );
  });
});

describe('pods', () => {
  const slice = (service: string, pods: Record<string, boolean | undefined>) => ({
    metadata: { labels: { 'kubernetes.io/service-name': service } },
    endpoints: Object.entries(pods).map(([name, ready]) => ({
      targetRef: { kind: 'Pod', name },
      conditions: ready === undefined ? {} : { ready },
    })),
  });

  it('are those of all slices of a Service, each ready since it is so', () => {
    const pods = new Pods();
    expect(pods.observe('infra', 's-1', slice('edge', { b: false, a: undefined }), 1)).toEqual([
      'infra/edge',
    ]);
    expect(pods.observe('infra', 's-2', slice('edge', { c: true }), 2)).toEqual(['infra/edge']);
    expect(pods.observe('infra', 's-1', slice('edge', { b: true, a: true }), 3)).toEqual(['infra/edge']);
    expect(pods.of('infra/edge')).toEqual([
      { name: 'a', ready: true, since: 1 },
      { name: 'b', ready: true, since: 3 },
      { name: 'c', ready: true, since: 2 },
    ]);
    expect(pods.observe('infra', 's-1', slice('edge', { b: true, a: true }), 4)).toEqual([]);
  });

  it('that move to another slice stay; those of slices that are gone do not', () => {
    const pods = new Pods();
    pods.observe('infra', 's-1', slice('edge', { a: true }), 1);
    expect(pods.observe('infra', 's-2', slice('edge', { a: false }), 2)).toEqual([]);
    expect(pods.observe('infra', 's-1', undefined, 3)).toEqual(['infra/edge']);
    expect(pods.of('infra/edge')).toEqual([{ name: 'a', ready: false, since: 3 }]);
    expect(pods.observe('infra', 's-2', slice('other', { a: false }), 4).sort()).toEqual([
      'infra/edge',
      'infra/other',
    ]);
    expect(pods.of('infra/edge')).toEqual([]);
  });
});

/** Field rules of the core objects, as far as they are read. */
import { expect, it } from '@jest/globals';
import { parse } from '../../../gateway-runtime/api/kinds.ts';
import { at, NOT_OBJECT_NAMES, NOT_PORTS, OBJECT_NAMES, PORTS, REMOVED, testRows } from './field-rules.ts';
import { SAMPLES, type SampleKind } from './samples.ts';

it.each(Object.keys(SAMPLES) as SampleKind[])('the sample %s is valid', (kind) => {
  expect(parse(SAMPLES[kind]())).toMatchObject({ outcome: 'known', kind });
});

testRows('Namespace', [
  ['metadata.name', OBJECT_NAMES, NOT_OBJECT_NAMES],
  ['metadata.labels', [{}, REMOVED], ['x', at('metadata.labels.a', { a: 7 })]],
]);

testRows('Service', [
  ['spec.ports', [[], REMOVED], ['x', at('spec.ports[0].port', [{}])]],
  ['spec.ports[0].port', PORTS, NOT_PORTS],
  ['spec.type', ['NodePort', REMOVED], [7]],
  ['spec', [], [REMOVED, 'x']],
]);

testRows('EndpointSlice', [
  ['addressType', ['IPv4', 'IPv6', 'FQDN'], ['IPv5', REMOVED]],
  [
    'endpoints',
    [[], REMOVED],
    ['x', at('endpoints[0].addresses', [{ addresses: [] }]), at('endpoints[0].addresses', [{}])],
  ],
  ['endpoints[0].conditions.ready', [true, false, REMOVED], ['yes']],
  ['ports[0].port', [...PORTS, REMOVED], NOT_PORTS],
]);

testRows('Secret', [
  ['data', [{}, REMOVED], ['x', at('data.a', { a: 7 })]],
  ['type', ['Opaque', REMOVED], [7]],
]);

testRows('ConfigMap', [['data', [{}, REMOVED], ['x', at('data.a', { a: 7 })]]]);

it.each([
  ['data', { password: 8675309 }, 'data.password', 'a number'],
  ['data', { password: { is: 8675309 } }, 'data.password', 'a map'],
  ['data', [8675309], 'data', 'a list'],
  ['data', '8675309', 'data', 'a string'],
  ['stringData', { password: 8675309 }, 'stringData.password', 'a number'],
  ['stringData', { password: [8675309] }, 'stringData.password', 'a list'],
  ['stringData', { password: null }, 'stringData.password', 'nothing'],
])('a problem with the %s %j of a Secret does not show it', (part, value, field, found) => {
  const parsed = parse({ ...SAMPLES.Secret(), [part]: value });
  expect(parsed).toMatchObject({ outcome: 'invalid', problems: [{ field, found }] });
  expect(JSON.stringify(parsed)).not.toContain('8675309');
});

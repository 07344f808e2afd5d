import { expect, it } from '@jest/globals';
import { KnownGateways } from '../../../gateway-runtime/control-plane/known-gateways.ts';
import type { Infrastructure } from '../../../gateway-runtime/translate/translation.ts';

const KEY = 'infra/edge';
const made = (uid: string, ports: readonly number[] = []): Infrastructure => ({
  gateway: { namespace: 'infra', name: 'edge' },
  uid,
  className: 'gatewright',
  ports: ports.map((port) => ({ port, protocol: 'HTTP' })),
  addresses: [],
  labels: {},
  annotations: {},
});
const change = (infrastructure: Infrastructure | undefined, ...removedGateways: string[]) => ({
  infrastructure: new Map([[KEY, infrastructure]]),
  removedGateways,
});

it('a Gateway that was deleted and made again between two looks is gone, and there', () => {
  const known = new KnownGateways();
  expect([...known.update(change(made('1')))]).toEqual([]);
  expect([...known.update(change(made('1', [80])))]).toEqual([]);
  expect([...known.update(change(made('2', [80])))]).toEqual([KEY]);
  expect([known.keys, known.classOf(KEY)]).toEqual([[KEY], 'gatewright']);
});

it('one that is deleted is gone', () => {
  const known = new KnownGateways();
  known.update(change(made('1')));
  expect([...known.update(change(undefined, KEY))]).toEqual([KEY]);
  expect([known.keys, known.classOf(KEY)]).toEqual([[], undefined]);
});

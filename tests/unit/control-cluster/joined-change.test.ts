/** Changes that were held back and joined lead to the same as each of them in turn. */
import { describe, expect, it } from '@jest/globals';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { joinedChange } from '../../../gateway-runtime/control/cluster/joined-change.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { applyDelta } from '../../../gateway-runtime/snapshot/difference.ts';
import { gatewayKey, type Snapshot } from '../../../gateway-runtime/snapshot/snapshot.ts';
import type { Change, TranslationChange } from '../../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';

const apiVersion = `${GATEWAY_GROUP}/v1`;
const gatewayClass: RawObject = {
  apiVersion,
  kind: 'GatewayClass',
  metadata: { name: 'ours' },
  spec: { controllerName: CONTROLLER_NAME },
};
const gateway = (name: string, ...ports: number[]): RawObject => ({
  apiVersion,
  kind: 'Gateway',
  metadata: { name, namespace: 'infra' },
  spec: {
    gatewayClassName: 'ours',
    listeners: ports.map((port) => ({
      name: `p${port}`,
      port,
      protocol: 'HTTP',
      allowedRoutes: { namespaces: { from: 'All' } },
    })),
  },
});
const route = (name: string, parent: string): RawObject => ({
  apiVersion,
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'infra' },
  spec: { parentRefs: [{ name: parent }], hostnames: [`${name}.example.com`] },
});
const set = (object: RawObject): Change => ({ set: object });
const remove = (kind: string, name: string): Change => ({
  remove: { group: GATEWAY_GROUP, kind, namespace: 'infra', name },
});

/** What follows changes, as a distribution does; it holds that each fits to what it has. */
class Follower {
  readonly snapshots = new Map<string, Snapshot>();
  readonly statuses = new Map<string, unknown>();

  apply({ deltas, removedGateways, statuses }: TranslationChange): this {
    for (const key of removedGateways) expect(this.snapshots.delete(key)).toBe(true);
    for (const delta of deltas) {
      const key = gatewayKey(delta.gateway);
      if (delta.from !== undefined) expect(this.snapshots.get(key)?.version).toBe(delta.from);
      expect(delta.from).not.toBe(delta.to);
      this.snapshots.set(key, applyDelta(this.snapshots.get(key), delta)!);
    }
    for (const [key, status] of statuses) {
      if (status === undefined) this.statuses.delete(key);
      else this.statuses.set(key, status);
    }
    return this;
  }
}

const START = [set(gatewayClass), set(gateway('a', 80)), set(route('cart', 'a'))];

describe('joined changes', () => {
  const steps: [string, Change[][]][] = [
    ['of a route that comes and goes', [[set(route('new', 'a'))], [remove('HTTPRoute', 'new')]]],
    ['of a route that goes and comes back', [[remove('HTTPRoute', 'cart')], [set(route('cart', 'a'))]]],
    [
      'of a Gateway that comes and goes',
      [[set(gateway('b', 80))], [set(route('new', 'b'))], [remove('Gateway', 'b')]],
    ],
    ['of a Gateway that goes and comes back', [[remove('Gateway', 'a')], [set(gateway('a', 80, 8080))]]],
    [
      'of a Gateway that goes, comes back and goes',
      [[remove('Gateway', 'a')], [set(gateway('a', 81))], [remove('Gateway', 'a')]],
    ],
    [
      'of listeners and routes at once',
      [
        [set(gateway('a', 80, 8080)), set(route('new', 'a'))],
        [set(gateway('a', 8080))],
        [set(route('cart', 'b')), set(gateway('b', 80))],
      ],
    ],
  ];

  it.each(steps)('%s', (_, edits) => {
    const translator = new Translator({ regex: re2 });
    const follower = new Follower().apply(translator.apply(START));
    const known = new Set(follower.snapshots.keys());
    const changes = edits.map((edit) => translator.apply(edit));
    follower.apply(changes.reduce((first, second) => joinedChange(first, second, known)));
    expect(Object.fromEntries(follower.snapshots)).toEqual(Object.fromEntries(translator.current.snapshots));
    expect(Object.fromEntries(follower.statuses)).toEqual(Object.fromEntries(translator.current.statuses));
  });
});

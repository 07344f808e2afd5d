/** Other controllers write the statuses of the same routes, while data planes come and serve them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CONTROLLER_NAME } from '../../../gateway-runtime/api/names.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { gateway, gatewayClass, pathOf, put, read } from '../control/objects.ts';
import { WriteCounts } from '../control/status-counts.ts';
import { type Condition, ROUTE_PROGRAMMED, redirecting, says } from './conditions.ts';
import { Ground } from './ground.ts';

const ROUTES = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes';
const OTHERS = ['example.com/one', 'example.com/two'];
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const [TURNS, EDITS] = [6, 3];

interface Entry {
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

const entriesOf = ({ status }: ApiObject) =>
  (status as { parents?: readonly Entry[] } | undefined)?.parents ?? [];

/** A condition type of ours in an entry of theirs, too: whose it is, the entry says. */
const foreignEntry = (controllerName: string, turn: number) => ({
  parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' },
  controllerName,
  conditions: [
    {
      type: ROUTE_PROGRAMMED,
      status: 'Unknown',
      reason: 'Theirs',
      message: `Turn ${turn}: "é" < &`,
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
});

const ground = Ground.forAll();

/** Writes its own entry of every route by read, modify and write of the whole status. */
async function interfere(controllerName: string): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of NAMES) {
      await eventually(10_000, async () => {
        const found = await read(ground.client, redirecting(name, 81));
        const others = entriesOf(found).filter((each) => each.controllerName !== controllerName);
        await ground.client.call('PUT', `${pathOf(redirecting(name, 81))}/status`, {
          body: { ...found, status: { parents: [...others, foreignEntry(controllerName, turn)] } },
        });
      });
    }
  }
}

describe('two foreign controllers', () => {
  it('write beside us without a fight, and find their entries as they left them', async () => {
    await put(ground.client, gatewayClass, gateway('edge'));
    const control = await ground.system.controlPlane();
    const dataPlane = await ground.system.dataPlane('edge', 'edge-1');
    await dataPlane.untilReady();
    const routes = await WriteCounts.on(ground.client, ROUTES);
    await put(ground.client, ...NAMES.map((name) => redirecting(name, 81)));
    await Promise.all([
      ...OTHERS.map(interfere),
      (async () => {
        for (let edit = 1; edit <= EDITS; edit++) {
          for (const name of NAMES) await put(ground.client, redirecting(name, 81 + edit));
        }
      })(),
    ]);
    const generation = 1 + EDITS;
    for (const name of NAMES) {
      await eventually(20_000, async () => {
        const ours = entriesOf(await read(ground.client, redirecting(name, 81))).filter(
          (each) => each.controllerName === CONTROLLER_NAME,
        );
        expect(ours).toHaveLength(1);
        expect(
          ours[0]!.conditions.map(({ type, status, observedGeneration }) => [
            type,
            status,
            observedGeneration,
          ]),
        ).toEqual([
          ['Accepted', 'True', generation],
          ['ResolvedRefs', 'True', generation],
          [ROUTE_PROGRAMMED, 'True', generation],
        ]);
      });
    }
    await eventually(10_000, async () => {
      for (const name of NAMES) {
        const { metadata } = await read(ground.client, redirecting(name, 81));
        // The count comes by a watch, which may be behind what is read.
        expect(routes.objects.get(name)?.metadata.resourceVersion).toBe(metadata.resourceVersion);
      }
    });
    const total = routes.total;
    // Nobody goes on once all is said.
    await sleep(2_000);
    expect(routes.total).toBe(total);
    for (const name of NAMES) {
      const entries = entriesOf(await read(ground.client, redirecting(name, 81)));
      for (const other of OTHERS) {
        const found = entries.find(({ controllerName }) => controllerName === other);
        expect(JSON.stringify(sorted(found))).toBe(JSON.stringify(sorted(foreignEntry(other, TURNS - 1))));
      }
    }
    // One of ours for each state of a spec, and one more where its data planes took longer than a second.
    const states = NAMES.length * (1 + EDITS);
    expect(total).toBeLessThanOrEqual(2 * states + NAMES.length * (EDITS + TURNS * OTHERS.length));
    expect(control.output).not.toContain("can't be written");
    await says(ground.client, gateway('edge'), 'Programmed', { status: 'True' });
    await routes.stop();
  });
});

/** The API server has an order of its own for keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

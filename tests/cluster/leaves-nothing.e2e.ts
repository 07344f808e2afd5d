/** Whatever happens to a cluster, after `down` the machine is as it was before. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from './command.ts';
import { fileOf, hostState, inhabitants, mentioning, namespacesBelow } from './host-state.ts';
import { ENDS_WITHIN, isNothing, leftoversOf, machineOf } from './leftovers.ts';
import { clusterNamed, placeOf, SOURCES } from './settings.ts';

const cluster = clusterNamed('check');

type State = Awaited<ReturnType<typeof hostState>>;
let before: State;

/** Runs a command of the cluster; its lines on standard error are what it has said so far. */
function command(...args: string[]): { child: ChildProcess; said: string[]; ended: Promise<number | null> } {
  const script = [join(SOURCES, 'cluster.ts'), '--name', cluster.name, '--nodes', '1', ...args];
  const child = spawn(process.execPath, script, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => said.push(line));
  return { child, said, ended: once(child, 'exit').then(([status]) => status as number | null) };
}

async function finished(...args: string[]): Promise<string> {
  const { said, ended } = command(...args);
  expect({ status: await ended, said }).toMatchObject({ status: 0 });
  return said.join('\n');
}

/** An `up` that has got as far as that. */
async function upUntil(reached: (said: readonly string[]) => boolean) {
  const up = command('up');
  await eventually(60_000, async () => expect(reached(up.said)).toBe(true));
  return up;
}

const isPreparing = () => existsSync(placeOf(cluster).certificates);
const hasMachine = () => machineOf(cluster) !== undefined;
const servesApi = (said: readonly string[]) => said.some((line) => line.endsWith('API server ready'));

async function expectNothing(namespaces: ReadonlySet<string>): Promise<void> {
  expect(inhabitants(namespaces)).toEqual([]);
  expect(mentioning(cluster)).toEqual([]);
  expect(await hostState()).toEqual(before);
  expect(isNothing(leftoversOf(cluster))).toBe(true);
}

beforeEach(async () => {
  await finished('down');
  before = await hostState();
});

afterEach(() => finished('down'));

describe('nothing is left', () => {
  it('of a cluster that was up', async () => {
    await finished('up');
    const namespaces = namespacesBelow(cluster);
    // The fabric, a worker and a pod, with several namespaces each.
    expect(namespaces.size).toBeGreaterThan(10);
    expect(inhabitants(namespaces).length).toBeGreaterThan(10);
    expect(await hostState()).not.toEqual(before);
    await finished('down');
    await expectNothing(namespaces);
    expect(await finished('down')).toContain('There is nothing of the cluster');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'of a start that was interrupted by %s, without a down',
    async (signal) => {
      const { child, ended } = await upUntil(servesApi);
      const namespaces = namespacesBelow(cluster);
      child.kill(signal);
      expect(await ended).toBe(130);
      await expectNothing(namespaces);
    },
  );

  it.each([
    ['while it prepares', isPreparing],
    ['as soon as there is a machine', hasMachine],
    ['while it waits for the workers', servesApi],
  ])('running of a start that was killed %s, and nothing at all after a down', async (_, reached) => {
    const { child, ended } = await upUntil(reached);
    const namespaces = hasMachine() ? namespacesBelow(cluster) : new Set<string>();
    child.kill('SIGKILL');
    await ended;
    // What it started ends by itself.
    await eventually(ENDS_WITHIN, async () => expect(mentioning(cluster)).toEqual([]));
    await finished('down');
    await expectNothing(namespaces);
  });

  it('of a start whose machine was killed, nor of the one after it', async () => {
    const { ended } = await upUntil(servesApi);
    const namespaces = namespacesBelow(cluster);
    process.kill(machineOf(cluster)!, 'SIGKILL');
    expect(await ended).toBe(2);
    await eventually(ENDS_WITHIN, async () => expect(inhabitants(namespaces)).toEqual([]));
    expect(isNothing(leftoversOf(cluster))).toBe(false);
    // Goes on from what was left.
    await finished('up');
    const later = namespacesBelow(cluster);
    await finished('down');
    await expectNothing(later);
  });

  it('of clients inside its network', async () => {
    await finished('up');
    const client = command('run', 'sleep', '1000');
    const namespaces = namespacesBelow(cluster);
    const isInside = () => inhabitants(namespaces).some((pid) => fileOf(pid, 'cmdline') === 'sleep\n1000\n');
    await eventually(10_000, async () => expect(isInside()).toBe(true));
    await finished('down');
    await client.ended;
    await expectNothing(namespaces);
  });
});

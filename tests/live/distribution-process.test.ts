/** The data plane as a process: what a kubelet does to it, and what its clients notice of that. */
import { existsSync, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { exchange } from '../support/client.ts';
import { DataPlaneProcess, PATIENCE } from '../support/data-plane-process.ts';
import { until } from '../support/distribution.ts';
import { processSite } from '../support/process-site.ts';
import { childrenOf } from '../support/processes.ts';

jest.setTimeout(2 * PATIENCE);

const site = processSite();

interface Target {
  readonly plane: DataPlaneProcess;
  readonly port: number;
  ready: boolean;
}

/** Clients behind a load balancer: connections go to what is ready, and are used until the server asks to close them. */
class BalancedLoad {
  readonly answers = new Map<string, number>();
  readonly #targets: readonly Target[];
  #isRunning = true;
  readonly #work: Promise<unknown>;

  private constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#work = Promise.all([
      this.#probe(),
      ...Array.from({ length: 6 }, (_, index) => this.#client(index)),
    ]);
  }

  static async on(...planes: readonly DataPlaneProcess[]): Promise<BalancedLoad> {
    return new BalancedLoad(
      await Promise.all(planes.map(async (plane) => ({ plane, port: await plane.port(), ready: true }))),
    );
  }

  get count(): number {
    return [...this.answers.values()].reduce((sum, each) => sum + each, 0);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#work;
  }

  async #probe(): Promise<void> {
    while (this.#isRunning) {
      for (const target of this.#targets) target.ready = (await target.plane.readiness()) === 200;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #client(index: number): Promise<void> {
    const method = index % 2 ? 'POST' : 'GET';
    for (let turn = index; this.#isRunning; turn++) {
      const ready = this.#targets.filter((each) => each.ready);
      const { port } = ready[turn % ready.length]!;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let isKept = true; isKept && this.#isRunning; ) {
        const body = method === 'POST' ? { body: 'x'.repeat(5_000) } : {};
        const outcome = await exchange(port, {
          host: 'a.example.com',
          path: '/',
          method,
          agent,
          ...body,
        }).then(
          ({ status, headers }) => {
            isKept = headers.connection !== 'close';
            return `${method} ${status}`;
          },
          (error: Error) => `${method} ${error.message}`,
        );
        this.answers.set(outcome, (this.answers.get(outcome) ?? 0) + 1);
      }
      agent.destroy();
    }
  }
}

const untilKept = (replica: string) =>
  until('it is kept', () =>
    existsSync(join(site.control.folder, `state-${replica}`, 'last-known-good.json')),
  );

describe('the process of a data plane', () => {
  it('that is killed and started again without a control plane serves, and a new one without both stays unready', async () => {
    const first = await site.start('gw-1');
    await first.untilReady();
    await until('it is seen to be ready', () => site.control.view?.ready === true);
    expect((await exchange(await first.port(), { host: 'a.example.com', path: '/' })).body).toBe('a\n');
    await untilKept('gw-1');
    await first.kill();
    await site.control.down();

    const [second, fresh] = await Promise.all([site.start('gw-1'), site.start('gw-2')]);
    expect(second.output).toContain('serving what was served last');
    expect(await second.readiness()).toBe(200);
    expect((await exchange(await second.port(), { host: 'a.example.com', path: '/' })).body).toBe('a\n');
    await until('it tried', () => fresh.output.includes('not connected to the control plane'), PATIENCE);
    expect(await fresh.readiness()).toBe(503);
  });

  it.each(process.platform === 'linux' ? [1, 2] : [1])(
    'with %i workers drains when it is told to stop, under load, without a failed request',
    async (workers) => {
      const [leaving, staying] = await Promise.all([site.start('gw-1', workers), site.start('gw-2')]);
      await Promise.all([leaving.untilReady(), staying.untilReady()]);
      const load = await BalancedLoad.on(leaving, staying);
      await until('there is load', () => load.count > 200);
      const began = performance.now();
      leaving.signal('SIGTERM');
      await until('the control plane knows that it is not ready', () =>
        site.control.views.some(({ replica, ready }) => replica === 'gw-1' && !ready),
      );
      expect(await leaving.exit()).toBe(0);
      // Both of the times that it was told to give others.
      expect(performance.now() - began).toBeGreaterThan(1_200);
      expect(site.control.views.filter(({ replica }) => replica === 'gw-1').at(-1)?.connected).toBe(false);
      const then = load.count;
      await until('load goes on', () => load.count > then + 100);
      await load.stop();
      expect([...load.answers.keys()].sort()).toEqual(['GET 200', 'POST 200']);
    },
  );

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('gives clients of a worker time to leave that hears late of the stop', async () => {
    const [leaving, staying] = await Promise.all([site.start('gw-1', 2), site.start('gw-2')]);
    await Promise.all([leaving.untilReady(), staying.untilReady()]);
    const load = await BalancedLoad.on(leaving, staying);
    await until('there is load', () => load.count > 200);
    const { pid } = leaving;
    const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    expect(workers).toHaveLength(2);
    for (const each of workers) process.kill(each, 'SIGSTOP');
    leaving.signal('SIGTERM');
    // Until its parent has told it everything.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    for (const each of workers) process.kill(each, 'SIGCONT');
    expect(await leaving.exit()).toBe(0);
    await load.stop();
    expect([...load.answers.keys()].sort()).toEqual(['GET 200', 'POST 200']);
  });

  onLinux('stops at once that is told to before what was served last is served again', async () => {
    const first = await site.start('gw-1');
    await first.untilReady();
    await untilKept('gw-1');
    await first.kill();
    const second = site.begin('gw-1', 2);
    // Their parent goes on only when they run their own program.
    const isWorker = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('\0worker\0');
    const workers = () => childrenOf(second.pid).filter(isWorker);
    await until('it waits for workers', () => workers().length === 2, PATIENCE);
    for (const each of workers()) process.kill(each, 'SIGSTOP');
    second.signal('SIGTERM');
    // By itself: without a handler the signal would end it, and as the first process of a container would be ignored.
    expect(await second.exit()).toBe(0);
    expect(second.output).toContain('stopping\n');
  });

  it('says what is wrong with what it is told, and ends', async () => {
    const started = DataPlaneProcess.run([]);
    expect(await started.exit()).toBe(2);
    expect(started.output).toMatch(
      /^\S+ error: found no --gateway and no GATEWRIGHT_GATEWAY, expected one of them\n$/,
    );
  });
});

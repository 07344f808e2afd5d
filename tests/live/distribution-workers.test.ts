/** Workers of a data plane in a process: what is done to them, and what clients, the control plane and the kubelet notice of it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, jest } from '@jest/globals';
import { RawClient } from '../support/client.ts';
import { DataPlaneProcess } from '../support/data-plane-process.ts';
import { until } from '../support/distribution.ts';
import { processSite } from '../support/process-site.ts';
import { childrenOf, clientsOf, isRunning } from '../support/processes.ts';

/** Milliseconds for processes to start where the machine has other things to do. */
const PATIENCE = 60_000;
jest.setTimeout(2 * PATIENCE);

const onLinux = process.platform === 'linux' ? it : it.skip;

const site = processSite();

async function start(workers: number): Promise<DataPlaneProcess> {
  const started = await site.start('gw-1', workers);
  await started.untilReady(PATIENCE);
  return started;
}

/** Closed when the other side closes. */
async function connected(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return new RawClient(socket);
}

/** One request after the other on one connection, until it is told to stop or the connection ends. */
class Requests {
  answered = 0;
  failed = 0;
  readonly port: number;
  readonly #client: RawClient;
  #isRunning = true;
  readonly #work: Promise<void>;

  constructor(client: RawClient) {
    this.#client = client;
    this.port = client.socket.localPort!;
    this.#work = this.#run();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#work;
    this.#client.destroy();
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      this.#client.received = '';
      this.#client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
      try {
        const answer = await this.#client.until(/\r\n\r\na\n$/);
        if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
        this.answered++;
      } catch {
        this.failed++;
        return;
      }
    }
  }
}

onLinux(
  'a worker that is killed under load takes along what it had in flight and nothing else, and is replaced',
  async () => {
    const plane = await start(3);
    const port = await plane.port();
    const pids = childrenOf(plane.pid);
    expect(pids).toHaveLength(3);
    const clients = await Promise.all(
      Array.from({ length: 24 }, async () => new Requests(await connected(port))),
    );
    await until('all of them are served', () => clients.every(({ answered }) => answered > 5));
    const [killed] = pids as [number];
    const victims = clientsOf(killed, port);
    // The system spreads them by a hash of their ports: that one of three gets none or all of 24 would be a defect.
    expect([0, clients.length]).not.toContain(victims.size);
    const readiness: (number | undefined)[] = [];
    process.kill(killed, 'SIGKILL');
    await until(
      'its clients have noticed',
      () => clients.filter(({ failed }) => failed).length === victims.size,
    );
    const then = clients.map(({ answered }) => answered);
    while (childrenOf(plane.pid).length < 3) readiness.push(await plane.readiness());
    await until('the others are served', () =>
      clients.every(({ port, answered }, index) => victims.has(port) || answered > then[index]! + 20),
    );
    await Promise.all(clients.map((each) => each.stop()));
    for (const { port, failed } of clients) expect(failed).toBe(victims.has(port) ? 1 : 0);
    expect(readiness.filter((each) => each !== 200)).toEqual([]);
    expect(site.control.view?.ready).toBe(true);
    expect(plane.output).toMatch(/worker 1 ended: SIGKILL; another one is started in its place now\n/);
  },
);

onLinux('all workers end with the process that feeds them', async () => {
  const plane = await start(2);
  const pids = childrenOf(plane.pid);
  await plane.kill();
  await until('they have ended', () => !pids.some(isRunning));
});

onLinux('the control plane knows when no worker serves, and when one does again', async () => {
  const plane = await start(2);
  await until('it is ready', () => site.control.view?.ready === true);
  const from = site.control.views.length;
  for (const pid of childrenOf(plane.pid)) process.kill(pid, 'SIGKILL');
  const told = () => site.control.views.slice(from).map(({ ready }) => ready);
  await until('it is not ready', () => told().includes(false));
  await until('it is ready again', () => told().at(-1) === true, PATIENCE);
  await plane.untilReady();
});

onLinux('one worker is the process itself', async () => {
  const plane = await start(1);
  expect(childrenOf(plane.pid)).toEqual([]);
});

it('a number that is none is refused', async () => {
  const started = DataPlaneProcess.run(
    ['--gateway', 'infra/gw', '--control-plane', 'a:1', '--workers', '0'],
    {
      GATEWRIGHT_CA_FILE: '/a',
      GATEWRIGHT_TOKEN_FILE: '/a',
      GATEWRIGHT_STATE_FOLDER: '/a',
    },
  );
  expect(await started.exit()).toBe(2);
  expect(started.output).toContain('error: found --workers 0, expected a number from 1 to 64\n');
});

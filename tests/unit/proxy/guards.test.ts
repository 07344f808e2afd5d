/** What goes on after something was thrown: timers over all, and both ends of a tunnel. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it, jest } from '@jest/globals';
import { Pending } from '../../../gateway-runtime/proxy/pipeline/pending.ts';
import { TicketKeys } from '../../../gateway-runtime/proxy/ticket-keys.ts';
import { tunnel } from '../../../gateway-runtime/proxy/tunnel.ts';

afterEach(() => {
  jest.useRealTimers();
});

const defect = new Error('a defect');

const waitingAt = (backend: string) => ({
  outcome: { backend: `backend/shop/${backend}/80` as const },
  connection: {},
  hasBody: false,
});
type Waiting = ReturnType<typeof waitingAt>;

function pendingOf(broken: () => boolean) {
  const errors: unknown[] = [];
  const told: string[] = [];
  const tell = (what: string, backend: string) => {
    if (broken() && backend.includes('/a/')) throw defect;
    told.push(`${what} ${backend.split('/')[2]}`);
  };
  const pending: Pending<Waiting> = new Pending<Waiting>({
    bounds: { most: 9, time: 60_000 },
    slowBounds: { most: 9, time: 60_000 },
    allowance: () => 0,
    send: (backend, waiting) => {
      tell('send', backend);
      pending.passed(waiting);
      return true;
    },
    onWaiting: (backend) => tell('wait', backend),
    onLate: () => {},
    onError: (error) => errors.push(error),
  });
  return { pending, errors, told };
}

it('a reminder that can not be told for one backend is for the others, and comes again', () => {
  jest.useFakeTimers();
  let isBroken = false;
  const { pending, errors, told } = pendingOf(() => isBroken);
  for (const name of ['a', 'b']) pending.add(waitingAt(name).outcome.backend, waitingAt(name));
  told.length = 0;
  isBroken = true;
  jest.advanceTimersByTime(100);
  isBroken = false;
  jest.advanceTimersByTime(100);
  expect([errors, told]).toEqual([[defect], ['wait b', 'wait a', 'wait b']]);
});

it('where none can be sent to one backend those that wait for others are', async () => {
  let isBroken = false;
  const { pending, errors, told } = pendingOf(() => isBroken);
  const all = ['a', 'b'].map((name) => waitingAt(name));
  for (const each of all) pending.add(each.outcome.backend, each);
  told.length = 0;
  const room = async () => {
    for (const { outcome } of all) pending.roomAt(outcome.backend);
    await new Promise((resolve) => setImmediate(resolve));
  };
  isBroken = true;
  await room();
  isBroken = false;
  await room();
  expect([errors, told]).toEqual([[defect], ['send b', 'send a']]);
});

it('keys that could not be passed on are followed by others', () => {
  jest.useFakeTimers();
  const [errors, renewed]: [unknown[], Buffer[]] = [[], []];
  const keys = new TicketKeys(
    (fresh) => {
      renewed.push(fresh);
      if (renewed.length === 1) throw defect;
    },
    (error) => errors.push(error),
    1_000,
  );
  jest.advanceTimersByTime(2_000);
  keys.close();
  expect(errors).toEqual([defect]);
  expect(renewed).toHaveLength(2);
  expect(keys.current).toBe(renewed[1]);
});

it.each(['at its end', 'while octets go through'])(
  'a tunnel in which something is thrown %s is cut',
  async (when) => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const pair = async (): Promise<[Socket, Socket]> => {
      const { port } = server.address() as { port: number };
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      const outside = connect(port, '127.0.0.1').on('error', () => {});
      return [outside, (await accepted)[0]];
    };
    const [client, inner] = await pair();
    const [backend, outer] = await pair();
    const errors: unknown[] = [];
    const done = () => {
      if (when === 'at its end') throw defect;
    };
    const closed = [inner, outer, client, backend].map(
      (each) => new Promise((resolve) => each.on('close', resolve)),
    );
    tunnel(inner, outer, 60_000, 60_000, (error) => errors.push(error), done);
    if (when === 'at its end') client.destroy();
    else {
      outer.write = () => {
        throw defect;
      };
      client.write('some');
    }
    for (const each of [client, backend]) each.resume();
    await Promise.all(closed);
    expect(errors).toEqual([defect]);
    server.close();
  },
);

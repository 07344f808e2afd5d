import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Connection } from '../../../gateway-runtime/distribution/connection.ts';

const limits = { beat: 50, silence: 300 };
let near: Socket;
let far: Socket;

beforeEach(async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown];
  server.close();
});
afterEach(() => {
  near.destroy();
  far.destroy();
});

const open = (socket: Socket, ended: string[] = [], received: unknown[] = []) =>
  new Connection({
    socket,
    limit: 1024 * 1024,
    limits,
    onMessage: (value) => received.push(value),
    onClose: (why) => ended.push(why),
  });

describe('a connection', () => {
  it('asks for the next message when there is room for it, and for no more once it has ended', async () => {
    const ended: string[] = [];
    const connection = open(near, ended);
    far.pause();
    const message = JSON.stringify('x'.repeat(64 * 1024));
    let asked = 0;
    function* messages() {
      while (asked < 2_000) {
        asked++;
        yield message;
      }
    }
    const sent = connection.sendAll(messages());
    let before = -1;
    while (asked > before) {
      before = asked;
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    // What the kernel holds, and one; all of it would be 128 MB.
    expect(asked).toBeLessThan(400);
    expect(near.writableLength).toBeLessThan(200_000);
    connection.destroy('enough');
    expect(await sent).toBe(false);
    expect(asked).toBeLessThanOrEqual(before + 1);
    expect(ended).toEqual(['enough']);
  });

  it('lives while both sides say so', async () => {
    const [a, b] = [open(near), open(far)];
    await new Promise((resolve) => setTimeout(resolve, 2 * limits.silence));
    expect([a.isOpen, b.isOpen]).toEqual([true, true]);
  });

  it('ends when the other side is silent', async () => {
    const ended: string[] = [];
    open(near, ended);
    far.resume();
    await once(near, 'close');
    expect(ended).toEqual(['the other side was silent for 0.3 s']);
  });

  it('says why it ends, once, and nothing after it', async () => {
    const received: unknown[] = [];
    const connection = open(near);
    open(far, [], received);
    connection.end('renew', 'dial again');
    connection.end('stopping', 'too late');
    connection.send({ type: 'beat' });
    await once(far, 'close');
    expect(received).toEqual([{ type: 'goodbye', reason: 'renew', message: 'dial again' }]);
  });
});

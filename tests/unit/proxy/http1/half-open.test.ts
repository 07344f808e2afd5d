/** Peers that are gone and have said nothing, as of a node without power: where a rule waits without end, the kernel asks them whether they are there. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, jest } from '@jest/globals';
import { ManualClient } from './client.ts';

it.each([
  ['the head of its answer', ''],
  ['the rest of its answer', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'],
])('an endpoint that owes %s is asked, where no time runs against it', async (_, answer) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const { context, clock } = new ManualClient();
  const connection = context.pool.take({ address: '127.0.0.1', port }, false, false)!;
  const told = Promise.withResolvers<void>();
  const sink = {
    onUpstreamReady: () => told.resolve(),
    onUpstreamMoved: () => {},
    onInformation: () => {},
    onUpstreamHead: () => {},
    onSwitch: () => {},
    onUpstreamBody: () => true,
    onUpstreamEnd: () => {},
    onUpstreamPause: () => told.resolve(),
    onUpstreamFailure: (failure: string) => told.reject(new Error(failure)),
    fail: told.reject,
  };
  const asked = jest.spyOn(connection.socket, 'setKeepAlive');
  connection.begin(sink, 'GET / HTTP/1.1\r\n\r\n', false, false, false, false);
  await told.promise;
  const [backend] = (await accepted) as [Socket];
  backend.on('error', () => {});
  if (answer !== '') {
    const { bytesRead } = connection.socket;
    backend.write(answer);
    while (connection.socket.bytesRead === bytesRead) await new Promise(setImmediate);
  }
  clock.pass(10_000);
  expect(asked).not.toHaveBeenCalled();
  clock.pass(10_000);
  expect(asked).toHaveBeenCalledWith(true, 15_000);
  context.pool.close();
  backend.destroy();
  server.close();
  await once(server, 'close');
});

it('a client that waits for its answer is asked', async () => {
  const client = new ManualClient({ handler: { onRequest: () => {} } });
  await client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  client.clock.pass(10_000);
  expect(client.socket.keepAlive).toBeUndefined();
  client.clock.pass(10_000);
  expect(client.socket.keepAlive).toBe(15_000);
});

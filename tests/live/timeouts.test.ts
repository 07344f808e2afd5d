/** Timeouts of rules: what they cut, when, and what they leave alone. */
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import type { Endpoint, HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, deafEndpoint } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';

const start = closedAfterEach();
let gateway: TestGateway;

async function serve(
  { endpoint }: { endpoint: Endpoint },
  timeouts: HttpRule['timeouts'],
  options?: Partial<AgentOptions>,
) {
  const serving = serviceWhoami([endpoint], timeouts ? { timeouts } : {});
  gateway = await start(TestGateway.serving(serving, options));
}

const silent = () => start(Backend.http(() => {}));

it.each(['request', 'backendRequest'] as const)('%s: a backend that says nothing', async (which) => {
  const backendOf = await silent();
  await serve(backendOf, { [which]: 100 });
  const began = performance.now();
  const { status, body } = await gateway.get('a.example.com/');
  const took = performance.now() - began;
  expect([status, body]).toEqual([504, '504: the backend did not answer in time\n']);
  expect(took).toBeGreaterThanOrEqual(100);
  expect(took).toBeLessThan(2_000);
  expect(gateway.lines()).toMatchObject([{ status: 504, failure: 'timeout' }]);
});

it('a short one does not wait for a long one', async () => {
  const backendOf = await silent();
  await serve(backendOf, { request: 100, backendRequest: 50 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.get('a.example.com/')));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 504));
});

it('a response that has begun is cut, since its client must not take it for whole', async () => {
  const slow = await start(Backend.http((_, response) => void response.write('a part')));
  await serve(slow, { request: 500 });
  const client = await RawClient.open(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  const received = await client.untilClosed();
  expect(received).toContain('a part');
  expect(received).not.toContain('0\r\n\r\n');
  expect(gateway.lines()).toMatchObject([{ status: 200, failure: 'timeout' }]);
});

it('the connection to the backend is given up', async () => {
  const backendOf = await silent();
  await serve(backendOf, { backendRequest: 50 });
  const accepted = once(backendOf.server, 'connection');
  const answer = gateway.get('a.example.com/');
  const [socket] = await accepted;
  const closed = once(socket, 'close');
  expect((await answer).status).toBe(504);
  await closed;
});

it('a request whose body does not come is answered, and its connection closed', async () => {
  const whoami = await start(Backend.echo('whoami'));
  await serve(whoami, { request: 100 });
  const client = await RawClient.open(gateway.port());
  client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 10\r\n\r\nabc');
  expect(await client.until('in time')).toContain('HTTP/1.1 504 ');
  await client.untilClosed();
});

it('a connection that does not come about counts as well', async () => {
  await serve(await start(deafEndpoint()), { request: 100 });
  expect((await gateway.get('a.example.com/')).status).toBe(504);
});

it.each([{ request: 0 }, { backendRequest: 0 }])(
  'none, %j, also lifts those of the gateway',
  async (none) => {
    const late = await start(Backend.http((_, response) => void setTimeout(() => response.end('late'), 400)));
    await serve(late, none, { limits: { response: 50, upstreamStall: 50 } });
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200, body: 'late' });
  },
);

it('without any, those of the gateway hold', async () => {
  const backendOf = await silent();
  await serve(backendOf, undefined, { limits: { response: 50 } });
  expect((await gateway.get('a.example.com/')).status).toBe(504);
});

it('a connection that was switched to another protocol is not cut', async () => {
  const echo = await start(
    Backend.tcp((socket) =>
      socket.once('data', (head: Buffer) => {
        if (!head.includes('websocket')) return;
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.pipe(socket);
      }),
    ),
  );
  await serve(echo, { request: 500, backendRequest: 500 });
  const client = await RawClient.open(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await client.until('101 Switching');
  // Another request, begun later and given the same time, is over when the time of the first is over too.
  const second = await RawClient.open(gateway.port());
  second.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1\r\n\r\n');
  await second.until('504');
  client.send('still there');
  await client.until('still there');
  client.destroy();
});

it('a kept-alive connection serves on after a timeout', async () => {
  let count = 0;
  const second = await start(Backend.http((_, response) => void (count++ > 0 && response.end('second'))));
  await serve(second, { request: 500 });
  const client = await RawClient.open(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  await client.until('in time');
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  await client.until('second');
  client.destroy();
});

/** Bodies of requests that come slowly over HTTP/1.1, or not at all: each has its time, and who goes on within it is served. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { Limits } from '../../gateway-runtime/proxy/limits.ts';
import { Backend } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';

const start = closedAfterEach();
let upstream: Backend;
let gateway: TestGateway;

async function serve(limits: Partial<Limits>): Promise<RawClient> {
  upstream = await start(Backend.echo('whoami'));
  gateway = await start(TestGateway.serving(serviceWhoami([upstream.endpoint]), { limits }));
  return RawClient.open(gateway.port());
}

const post = (fields: string) => `POST / HTTP/1.1\r\nHost: a.example.com\r\n${fields}\r\n\r\n`;
/** Each of pieces of one octet, and far more than come. */
const FRAMINGS = [
  ['counted', post('Content-Length: 1000000'), 'x'],
  ['in chunks', post('Transfer-Encoding: chunked'), '1\r\nx\r\n'],
] as const;

/** How its request ended at the backend. */
async function atBackend(): Promise<{ readonly complete: boolean }> {
  const [message] = (await once(upstream.server, 'request')) as [IncomingMessage];
  await new Promise((resolve) => message.on('error', () => {}).once('close', resolve));
  return message;
}

it.each(FRAMINGS)(
  'one that drips, %s, is answered 408, and its connection closed',
  async (_, head, piece) => {
    const client = await serve({ headTime: 200, requestTime: 400 });
    const arrived = atBackend();
    const began = performance.now();
    client.send(head);
    const dripping = setInterval(() => client.send(piece), 20);
    const answer = await client.untilClosed().finally(() => clearInterval(dripping));
    expect(performance.now() - began).toBeGreaterThan(300);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*\r\nconnection: close\r\n.*took too long\n$/is);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(await arrived).toMatchObject({ complete: false });
    expect(upstream.seen).toEqual([]);
    expect(gateway.lines()).toMatchObject([{ status: 408 }]);
  },
);

it.each(FRAMINGS)('one that stops, %s, has its connection closed', async (_, head, piece) => {
  const client = await serve({ clientStall: 300 });
  const arrived = atBackend();
  const began = performance.now();
  client.send(head + piece.repeat(3));
  // Nobody is taken to be there for an answer.
  expect(await client.untilClosed()).toBe('');
  expect(performance.now() - began).toBeGreaterThan(200);
  expect(await arrived).toMatchObject({ complete: false });
  expect(upstream.seen).toEqual([]);
  expect(gateway.lines()).toMatchObject([{ status: 0, failure: 'client-gone' }]);
});

it('one that goes on is waited for, however long all of it takes', async () => {
  const client = await serve({ clientStall: 1_500 });
  const began = performance.now();
  client.send(post('Transfer-Encoding: chunked'));
  let pieces = 0;
  for (; performance.now() - began < 3_000; pieces++) {
    client.send('1\r\nx\r\n');
    await pause(50);
  }
  client.send('0\r\n\r\n');
  expect(await client.until('whoami\n')).toMatch(/^HTTP\/1\.1 200 /);
  expect(upstream.seen.map(({ body }) => body)).toEqual(['x'.repeat(pieces)]);
  client.destroy();
});

it('the time is that of a request, not of its connection', async () => {
  const client = await serve({ headTime: 200, requestTime: 1_500 });
  const began = performance.now();
  for (let requests = 1; requests <= 2; requests++) {
    client.send(`${post('Content-Length: 6')}abc`);
    await pause(50);
    client.send('def');
    await client.until(new RegExp(`^(?:.*whoami\n){${requests}}$`, 's'));
    while (requests === 1 && performance.now() - began < 2_000) await pause(50);
  }
  expect(gateway.lines()).toMatchObject([{ status: 200 }, { status: 200 }]);
  expect(upstream.seen.map(({ body }) => body)).toEqual(['abcdef', 'abcdef']);
  client.destroy();
});

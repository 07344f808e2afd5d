/** Requests that are sent again: where, with which body, and when not. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Endpoint, HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const backends: Backend[] = [];
let gateway: TestGateway;
let metrics: Metrics;

afterEach(async () => {
  await gateway.agent.close();
  await Promise.all(backends.splice(0).map((each) => each.close()));
});

/** Answers with these statuses, one after the other and the last for ever; 0 closes the connection. Body and trailers are read first. */
async function answering(...statuses: number[]) {
  const bodies: string[] = [];
  const trailers: unknown[] = [];
  const started = await Backend.http((message, response) => {
    const hash = createHash('sha256');
    message.on('data', (chunk: Buffer) => hash.update(chunk));
    message.on('error', () => {});
    message.on('end', () => {
      bodies.push(hash.digest('hex'));
      trailers.push(message.trailers);
      const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
      if (status === 0) message.socket.destroy();
      else response.writeHead(status).end(`answer ${bodies.length}`);
    });
  });
  backends.push(started);
  return { endpoint: started.endpoint, backend: started, bodies, trailers };
}

const RETRY = { codes: [503], attempts: 2, backoff: 1 };

async function serve(
  endpoints: readonly Endpoint[],
  rest: Pick<HttpRule, 'retry' | 'timeouts'> = { retry: RETRY },
  options: Parameters<typeof TestGateway.serving>[1] = {},
) {
  metrics = new Metrics();
  gateway = await TestGateway.serving(
    {
      resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')], ...rest } })],
      endpoints: { whoami: endpoints },
    },
    { metrics, ...options },
  );
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 1));

const digest = (body: Buffer | string) => createHash('sha256').update(body).digest('hex');

it.each([1, 1_000, 64 * 1024])('a body of %i bytes is sent again, whole', async (length) => {
  const whoami = await answering(503, 503, 200);
  await serve([whoami.endpoint]);
  const body = Buffer.alloc(length, 'ab');
  expect(await gateway.get('a.example.com/', { method: 'POST', body })).toMatchObject({
    status: 200,
    body: 'answer 3',
  });
  expect(whoami.bodies).toEqual([digest(body), digest(body), digest(body)]);
  expect(gateway.lines()).toMatchObject([{ status: 200, attempts: 3, bytesReceived: length }]);
});

it('a body of more than 64 KiB is not', async () => {
  const whoami = await answering(503, 200);
  await serve([whoami.endpoint]);
  const body = Buffer.alloc(64 * 1024 + 1);
  expect((await gateway.get('a.example.com/', { method: 'PUT', body })).status).toBe(503);
  expect(whoami.bodies).toEqual([digest(body)]);
});

it.each([
  [64 * 1024, 200, 2],
  [64 * 1024 + 1, 503, 1],
])('a chunked body of %i bytes is answered %i after %i attempts', async (length, status, attempts) => {
  const whoami = await answering(503, 200);
  await serve([whoami.endpoint]);
  const body = Buffer.alloc(length, 'ab');
  const client = await RawClient.open(gateway.port());
  client.send('PUT / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let at = 0; at < length; at += 10_000) {
    const part = body.toString('latin1', at, at + 10_000);
    client.send(`${part.length.toString(16)}\r\n${part}\r\n`);
  }
  client.send('0\r\n\r\n');
  expect(await client.until(`answer ${attempts}`)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(whoami.bodies).toEqual(Array.from({ length: attempts }, () => digest(body)));
  client.destroy();
});

it('a chunked body is sent again with its trailers', async () => {
  const whoami = await answering(503, 200);
  await serve([whoami.endpoint]);
  const client = await RawClient.open(gateway.port());
  client.send(
    'POST / HTTP/1.1\r\nHost: a.example.com\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n',
  );
  await client.until('answer 2');
  expect(whoami.bodies).toEqual([digest('abc'), digest('abc')]);
  expect(whoami.trailers).toEqual([{ 'x-sum': '1' }, { 'x-sum': '1' }]);
  client.destroy();
});

it('a backend that answers before it has read the body gets, the next time, what came and what comes', async () => {
  let count = 0;
  const received: string[] = [];
  const early = await Backend.http((message, response) => {
    if (count++ === 0) {
      message.once('data', () => response.writeHead(503).end());
      return;
    }
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      received.push(Buffer.concat(chunks).toString());
      response.end('whole');
    });
  });
  backends.push(early);
  await serve([early.endpoint]);
  const client = await RawClient.open(gateway.port());
  const second = new Promise((resolve) => {
    early.server.on('request', () => count === 2 && resolve(undefined));
  });
  client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 6\r\n\r\nabc');
  await second;
  client.send('def');
  await client.until('whole');
  expect(received).toEqual(['abcdef']);
  // Where the next request begins is still known.
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  await client.until(/whole[\s\S]*whole/);
  client.destroy();
});

it('another endpoint is asked, where there is one', async () => {
  const [bad, good] = [await answering(503), await answering(200)];
  await serve([bad.endpoint, good.endpoint]);
  for (let i = 0; i < 4; i++) expect((await gateway.get('a.example.com/')).status).toBe(200);
});

it('an endpoint that has requests enough is passed over, which is no retry', async () => {
  const busy = await Backend.http(() => {});
  backends.push(busy);
  const free = await answering(200);
  await serve([busy.endpoint, free.endpoint], { retry: RETRY }, { limits: { connectionsPerEndpoint: 1 } });
  const accepted = once(busy.server, 'request');
  const waiting = gateway.get('a.example.com/').catch(() => undefined);
  await accepted;
  for (let i = 0; i < 4; i++) {
    expect((await gateway.get('a.example.com/', { method: 'POST', body: 'x' })).status).toBe(200);
  }
  await gateway.agent.close();
  await waiting;
});

it('a connection that nobody takes is tried again, whatever the method', async () => {
  const gone = await unusedEndpoint();
  await serve([gone], { retry: { ...RETRY, attempts: 3 } });
  expect((await gateway.get('a.example.com/', { method: 'POST', body: 'x' })).status).toBe(503);
  expect(gateway.lines()).toMatchObject([{ attempts: 4, failure: 'connect' }]);
});

it.each([
  ['GET', undefined, 200, 2],
  ['PUT', 'some', 200, 2],
  ['DELETE', undefined, 200, 2],
  ['POST', 'some', 502, undefined],
  ['PATCH', 'some', 502, undefined],
])('%s on a connection that broke: %s, %i', async (method, body, status, attempts) => {
  const whoami = await answering(0, 200);
  await serve([whoami.endpoint]);
  const answer = await gateway.get('a.example.com/', { method, ...(body ? { body } : {}) });
  expect(answer.status).toBe(status);
  expect(gateway.lines()[0]!.attempts).toBe(attempts);
});

it('the time between attempts is that of the rule at least', async () => {
  const times: number[] = [];
  const whoami = await Backend.http((_, response) => {
    times.push(performance.now());
    response.writeHead(times.length < 3 ? 503 : 200).end();
  });
  backends.push(whoami);
  await serve([whoami.endpoint], { retry: { ...RETRY, backoff: 60 } });
  expect((await gateway.get('a.example.com/')).status).toBe(200);
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(59);
  expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(119);
});

it('the time of the request bounds all attempts, also while one waits', async () => {
  const whoami = await answering(503);
  await serve([whoami.endpoint], {
    retry: { ...RETRY, attempts: 1_000_000, backoff: 20 },
    timeouts: { request: 150 },
  });
  const began = performance.now();
  // What the backend said last, or that it was too late.
  expect([503, 504]).toContain((await gateway.get('a.example.com/')).status);
  expect(performance.now() - began).toBeLessThan(5_000);
});

it('a client that leaves while it waits is waited for no more', async () => {
  const whoami = await answering(503);
  await serve([whoami.endpoint], { retry: { ...RETRY, backoff: 60_000 } });
  const client = await RawClient.open(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
  // The answer that was not wanted is here, and its connection closed.
  while (whoami.bodies.length === 0 || whoami.backend.sockets.size > 0) await soon();
  // Without a word: one that only ends its side may still read.
  client.socket.resetAndDestroy();
  while (gateway.log.length === 0) await soon();
  expect(gateway.lines()).toMatchObject([{ status: 0, failure: 'client-gone' }]);
});

it('a backend that is down is not flooded: retries have a budget', async () => {
  const whoami = await answering(503);
  await serve([whoami.endpoint], { retry: { ...RETRY, attempts: 1 } });
  const began = performance.now();
  const requests = 400;
  for (let i = 0; i < requests; i += 20) {
    await Promise.all(Array.from({ length: 20 }, () => gateway.get('a.example.com/')));
  }
  const seconds = (performance.now() - began) / 1_000;
  const retries = whoami.bodies.length - requests;
  expect(await metrics.text()).toMatch(new RegExp(`gatewright_repeated_requests_total\\{.*\\} ${retries}\n`));
  expect(retries).toBeGreaterThanOrEqual(100);
  expect(retries).toBeLessThanOrEqual(100 + requests * 0.2 + 10 * seconds + 1);
});

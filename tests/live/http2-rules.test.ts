/** What rules ask for beyond forwarding holds for requests of HTTP/2 as well: timeouts, retries, copies. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { afterEach, expect, it } from '@jest/globals';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { until } from '../support/distribution.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let session: ClientHttp2Session;

afterEach(() => session.destroy());

async function serve(
  whoami: Backend,
  rest: Pick<Partial<HttpRule>, 'timeouts' | 'retry' | 'session' | 'filters'>,
) {
  const shadow = await start(Backend.echo('shadow'));
  const gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          backend('whoami'),
          backend('shadow'),
          rule({ rest: { backends: [to('whoami')], ...rest } }),
        ],
        endpoints: { whoami: [whoami.endpoint], shadow: [shadow.endpoint] },
      },
      { engine: 'http1' },
    ),
  );
  session = connect(`http://127.0.0.1:${gateway.port()}`);
  session.on('error', () => {});
  return shadow;
}

/** Status, body, and the code with which the stream ended. */
async function post(body: string): Promise<[status: number, body: string, code: number | undefined]> {
  const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'a.example.com' });
  let status = 0;
  let received = '';
  stream.on('response', (fields) => {
    status = Number(fields[':status']);
  });
  stream.on('data', (chunk: Buffer) => {
    received += chunk;
  });
  stream.on('error', () => {});
  stream.end(body);
  await new Promise((resolve) => stream.once('close', resolve));
  return [status, received, stream.rstCode];
}

it('a backend that says nothing is given up', async () => {
  await serve(await start(Backend.http(() => {})), { timeouts: { request: 100 } });
  expect(await post('some')).toEqual([504, '504: the backend did not answer in time\n', 0]);
});

it('a response that has begun is cut, and its stream alone', async () => {
  let count = 0;
  const slow = await start(
    Backend.http((_, response) => void (count++ === 0 ? response.write('a part') : response.end('whole'))),
  );
  await serve(slow, { timeouts: { backendRequest: 500 } });
  const [status, body, code] = await post('some');
  expect([status, body]).toEqual([200, 'a part']);
  expect(code).not.toBe(0);
  expect(await post('some')).toEqual([200, 'whole', 0]);
});

it('a request is tried again with its body, and copied once', async () => {
  const bodies: string[] = [];
  const flaky = await start(
    Backend.http((message, response) => {
      let body = '';
      message.on('data', (chunk: Buffer) => {
        body += chunk;
      });
      message.on('end', () => {
        bodies.push(body);
        response.writeHead(bodies.length === 1 ? 503 : 200).end('answer');
      });
    }),
  );
  const config = { name: 'Service shop/shadow:80', backend: backendKey('shadow'), share: [1, 1] };
  const shadow = await serve(flaky, {
    retry: { codes: [503], attempts: 1, backoff: 1 },
    filters: [{ type: 'RequestMirror', config }],
  });
  expect(await post('the body')).toEqual([200, 'answer', 0]);
  expect(bodies).toEqual(['the body', 'the body']);
  await until('the copy is there', () => shadow.seen.length > 0);
  expect(shadow.seen.map(({ body }) => body)).toEqual(['the body']);
});

it('a Service is asked first, with the body where the rule says so', async () => {
  const whoami = await start(Backend.echo('whoami'));
  const config = {
    protocol: 'HTTP',
    name: 'shadow',
    backend: backendKey('shadow'),
    prefix: '/check',
    tells: [],
    takes: [],
    body: 5,
  };
  const shadow = await serve(whoami, { filters: [{ type: 'ExternalAuth', config }] });
  expect(await post('some')).toEqual([200, 'whoami\n', 0]);
  expect(shadow.seen).toMatchObject([
    {
      method: 'POST',
      url: '/check/',
      body: 'some',
      headers: { host: 'a.example.com', 'content-length': '4' },
    },
  ]);
  expect(whoami.seen).toMatchObject([{ body: 'some', headers: { 'x-backend': 'shadow' } }]);
  expect(await post('too much')).toMatchObject([413, expect.stringContaining('413: the body'), 0]);
  await shadow.close();
  expect(await post('some')).toMatchObject([503, expect.stringContaining('503: the service'), 0]);
  expect(whoami.seen).toHaveLength(1);
});

it('a session is kept, also where its cookie comes in a field of its own', async () => {
  await serve(await start(Backend.echo('whoami')), { session: { type: 'Cookie', name: 'S' } });
  const setBy = async (cookie: string[]) => {
    const stream = session.request({ ':path': '/', ':authority': 'a.example.com', cookie });
    const [fields] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    stream.resume();
    return fields['set-cookie']?.[0]?.split(';')[0];
  };
  const cookie = await setBy([]);
  expect(cookie).toMatch(/^S=[\w-]{64}$/);
  expect(await setBy(['a=1', cookie!, 'b=2'])).toBeUndefined();
  expect(await setBy(['a=1', 'b=2'])).toMatch(/^S=/);
});

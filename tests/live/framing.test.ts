/** Requests that two readers could frame in two ways: none is forwarded, and the connection does not go on. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { RawClient, rawExchange } from '../support/client.ts';
import { ENGINE } from '../support/engine.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

let whoami: Backend;
let gateway: TestGateway;

beforeAll(async () => {
  whoami = await Backend.echo('whoami');
  gateway = await TestGateway.serving({
    resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
    endpoints: { whoami: [whoami.endpoint] },
  });
});
afterAll(async () => {
  await gateway.agent.close();
  await whoami.close();
});
beforeEach(() => {
  whoami.seen.length = 0;
  gateway.log.length = 0;
});

const HOST = 'Host: a.example.com\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example.com\r\n\r\n';

/** Nothing was forwarded whole, the answer is this status, it is the only one, and the connection was closed. */
async function refused(text: string, status = 400) {
  const answer = await rawExchange(gateway.port(), text);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  expect(whoami.seen).toEqual([]);
  expect(gateway.lines()).toMatchObject([{ status }]);
}

describe('a request is refused and its connection closed', () => {
  const requests: [string, string][] = [
    [
      'a length and a coding',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'a coding and a length',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'two lengths that differ',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${SMUGGLED}`,
    ],
    [
      'two lengths that are equal',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    ],
    ['a list of lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 5, 5\r\n\r\nhello`],
    ['a signed length', `POST / HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nhello`],
    ['a hexadecimal length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x5\r\n\r\nhello`],
    ['a negative length', `POST / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`],
    [
      'a length beyond every number',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\nx`,
    ],
    ['a space before the colon', `POST / HTTP/1.1\r\n${HOST}Content-Length : 5\r\n\r\nhello`],
    ['a folded field', `GET / HTTP/1.1\r\n${HOST}X-A: 1\r\n 2\r\n\r\n`],
    ['a field without a name', `GET / HTTP/1.1\r\n${HOST}: 1\r\n\r\n`],
    ['a field without a colon', `GET / HTTP/1.1\r\n${HOST}X-A\r\n\r\n`],
    ['a name that is no token', `GET / HTTP/1.1\r\n${HOST}X(A: 1\r\n\r\n`],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: a.example.com\n\n'],
    ['one bare line feed between fields', `GET / HTTP/1.1\r\n${HOST}X-A: 1\nX-B: 2\r\n\r\n`],
    ['a bare carriage return in a value', `GET / HTTP/1.1\r\n${HOST}X-A: 1\r2\r\n\r\n`],
    ['a NUL in a value', `GET / HTTP/1.1\r\n${HOST}X-A: 1\x002\r\n\r\n`],
    ['a space in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
    ['a version of its own', `GET / HTTP/1.2\r\n${HOST}\r\n`],
    ['no version', 'GET /\r\n\r\n'],
    ['a method of its own', `BREW / HTTP/1.1\r\n${HOST}\r\n`],
    ['something like the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    [
      'chunked twice',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunked before another coding',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    ],
    ['an unknown coding alone', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a coding in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ];
  it.each(requests)('with %s', async (_, text) => {
    const answer = await rawExchange(gateway.port(), text);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|501|505) /);
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(whoami.seen).toEqual([]);
    expect(gateway.log).toHaveLength(1);
  });

  it.each(['0.9', '2.0'])('with the version %s', (version) =>
    refused(`GET / HTTP/${version}\r\n${HOST}Connection: keep-alive\r\n\r\n${SMUGGLED}`, 505),
  );

  const chunked = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
  const bodies: [string, string][] = [
    ['no size', `${chunked}x\r\n`],
    ['a size beyond every number', `${chunked}FFFFFFFFFFFFFFFFF\r\nx`],
    ['a negative size', `${chunked}-1\r\nx\r\n0\r\n\r\n`],
    ['a prefixed size', `${chunked}0x1\r\nx\r\n0\r\n\r\n`],
    ['a space after the size', `${chunked}1 \r\nx\r\n0\r\n\r\n`],
    ['a bare line feed after the size', `${chunked}1\nx\r\n0\r\n\r\n`],
    ['a bare line feed after the data', `${chunked}1\r\nx\n0\r\n\r\n`],
    ['more data than its size', `${chunked}1\r\nxyz\r\n0\r\n\r\n`],
    ['a bare carriage return in an extension', `${chunked}1;a\rb\r\nx\r\n0\r\n\r\n`],
  ];
  it.each(bodies)('with a chunk that has %s', (_, text) => refused(text));

  it('with chunk extensions beyond measure', () =>
    refused(`${chunked}1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`, 413));

  it('with trailers beyond measure', async () => {
    const answer = await rawExchange(
      gateway.port(),
      `${chunked}1\r\nx\r\n0\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(whoami.seen).toEqual([]);
  });

  it('that takes its time with the head', async () => {
    const slow = await TestGateway.serving({ resources: [listener('web')] }, { limits: { headTime: 100 } });
    const answer = await rawExchange(slow.port(), 'GET / HTTP/1.1\r\nHost: a.exa');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await slow.agent.close();
  });

  it('is answered for what came before it', async () => {
    const answer = await rawExchange(gateway.port(), `GET /1 HTTP/1.1\r\n${HOST}\r\n\x00garbage`);
    // node:http says nothing of what came behind.
    const statuses = ENGINE === 'node' ? ['200'] : ['200', '400'];
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(statuses);
    expect(whoami.seen).toMatchObject([{ url: '/1' }]);
  });
});

describe('CONNECT', () => {
  it('is refused and what follows is not read', async () => {
    await refused(`CONNECT a.example.com:443 HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`, 405);
  });
});

describe('requests on one connection', () => {
  it('are answered in their order', async () => {
    const text = Array.from(
      { length: 10 },
      (_, i) => `GET /${i} HTTP/1.1\r\n${HOST}${i === 9 ? 'Connection: close\r\n' : ''}\r\n`,
    );
    const answer = await rawExchange(gateway.port(), text.join(''));
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(10);
    expect(gateway.lines().map(({ path }) => path)).toEqual([
      '/0',
      '/1',
      '/2',
      '/3',
      '/4',
      '/5',
      '/6',
      '/7',
      '/8',
      '/9',
    ]);
  });

  it('of which many wait are answered one after the other, or not at all', async () => {
    const client = await RawClient.open(gateway.port());
    client.send(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(999));
    // node:http sends all of them to the backend at once, so it lets only so many wait.
    if (ENGINE === 'node') {
      await client.untilClosed();
      expect(whoami.seen.length).toBeLessThanOrEqual(64);
      return;
    }
    client.send(`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect((await client.untilClosed()).match(/HTTP\/1\.1 200/g)).toHaveLength(1_000);
  });

  it('that say nothing are let go without a word', async () => {
    const quiet = await TestGateway.serving({ resources: [listener('web')] }, { limits: { headTime: 100 } });
    const client = await RawClient.open(quiet.port());
    expect(await client.untilClosed()).toBe('');
    expect(quiet.log).toEqual([]);
    await quiet.agent.close();
  });
});

/** Backends that break the protocol or the connection: no hang, nothing that reaches another client, nothing that is left behind. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { RawClient, rawExchange } from '../support/client.ts';
import { ENGINE } from '../support/engine.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

let upstream: Backend;
let gateway: TestGateway;

afterEach(async () => {
  await gateway.agent.close();
  await upstream.close();
});

async function serve(
  made: Promise<Backend>,
  options: Parameters<typeof TestGateway.serving>[1] = {},
  filters: Partial<Pick<HttpRule, 'filters'>> = {},
) {
  upstream = await made;
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('whoami'),
        rule({ rest: { backends: [to('whoami')], ...filters } }),
      ],
      endpoints: { whoami: [upstream.endpoint] },
    },
    options,
  );
}

/** Answers each request with the bytes that stand at its path. */
const answering = (answers: Readonly<Record<string, string>>, then: (socket: Socket) => void = () => {}) =>
  Backend.tcp((socket) =>
    socket.on('data', (data: Buffer) => {
      const path = /^[A-Z]+ (\S+)/.exec(data.toString('latin1'))?.[1] ?? '';
      socket.write(answers[path] ?? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1');
      then(socket);
    }),
  );

const get = (path: string, fields = 'Connection: close\r\n') =>
  `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\n${fields}\r\n`;

const OWN = ENGINE === 'node' ? it.skip : it;

describe('an answer', () => {
  OWN('of HTTP/1.0 in chunks is none', async () => {
    await serve(
      answering({ '/': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n' }),
    );
    expect(await rawExchange(gateway.port(), get('/'))).toMatch(/^HTTP\/1\.1 502 /);
  });

  it.each([
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n'],
    ['204 in chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('%s is the last one on its connection', async (_, answer) => {
    await serve(answering({ '/': answer }));
    const client = await rawExchange(gateway.port(), get('/'));
    expect(client).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
    expect(client).not.toMatch(/content-length|transfer-encoding/i);
    await rawExchange(gateway.port(), get('/2'));
    // What a backend sends as the body of a response that has none would be the next response.
    if (ENGINE !== 'node') expect(upstream.connections).toBe(2);
  });

  OWN('without the space after its status gets it, and a reason', async () => {
    await serve(answering({ '/': 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n' }));
    expect(await rawExchange(gateway.port(), get('/'))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('has one date, whoever said it', async () => {
    await serve(
      answering({
        '/': 'HTTP/1.1 200 OK\r\nDate: yesterday\r\nConnection: Date\r\nContent-Length: 0\r\n\r\n',
      }),
      {},
      {
        filters: [
          { type: 'ResponseHeaderModifier', config: { set: [['Date', 'today']], add: [], remove: [] } },
        ],
      },
    );
    for (const path of ['/', '/2']) {
      const answer = await rawExchange(gateway.port(), get(path));
      expect(answer.match(/^date: .*$/gim)).toEqual(['Date: today']);
    }
    await gateway.serve({
      resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
      endpoints: { whoami: [upstream.endpoint] },
    });
    expect((await rawExchange(gateway.port(), get('/'))).match(/^date: /gim)).toHaveLength(1);
  });

  OWN('may be announced, but not for ever', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    await serve(
      answering({
        '/few': `${hint.repeat(20)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
        '/many': `${hint.repeat(3_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
        '/short': `${'HTTP/1.1 199 \r\n\r\n'.repeat(60_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
      }),
    );
    const few = await rawExchange(gateway.port(), get('/few'));
    expect([few.match(/ 103 /g)?.length, few.match(/ 200 /g)?.length]).toEqual([20, 1]);
    for (const path of ['/many', '/short']) {
      expect(await rawExchange(gateway.port(), get(path))).toMatch(/HTTP\/1\.1 502 .*\r\n(?:.*\r\n)*.*\n$/);
    }
  });

  OWN('whose head drips is given as much time as one that says nothing', async () => {
    const head = `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(10_000)}`;
    await serve(
      Backend.tcp((socket) => {
        socket.once('data', () => {
          let at = 0;
          const timer = setInterval(() => socket.write(head[at++]!), 10);
          socket.on('close', () => clearInterval(timer));
        });
      }),
      { limits: { response: 300 } },
    );
    expect(await rawExchange(gateway.port(), get('/'))).toMatch(/^HTTP\/1\.1 504 /);
  });

  OWN('to HTTP/1.0 that is cut does not look whole', async () => {
    await serve(
      Backend.tcp((socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n');
        }),
      ),
    );
    const client = await RawClient.open(gateway.port());
    const failed = once(client.socket, 'error');
    client.send('GET / HTTP/1.0\r\nHost: a.example.com\r\n\r\n');
    await client.until('begun');
    for (const socket of upstream.sockets) socket.destroy();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
  });
});

describe('a request', () => {
  OWN('with a length has no trailers to announce', async () => {
    let seen = '';
    await serve(
      Backend.tcp((socket) =>
        socket.once('data', (data: Buffer) => {
          seen = data.toString();
          socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        }),
      ),
    );
    await rawExchange(gateway.port(), get('/', 'Trailer: a\r\nTrailer: b\r\nConnection: close\r\n'));
    expect(seen).not.toMatch(/trailer/i);
  });
});

describe('a client that sends no more', () => {
  // node:http takes the end for the end of all.
  OWN('behind its body, which waits for a connection, is answered', async () => {
    await serve(Backend.echo('whoami'));
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\n\r\nhello');
    client.socket.end();
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 .*whoami\n$/s);
    expect(upstream.seen).toMatchObject([{ body: 'hello' }]);
  });

  it('in the middle of its body is not', async () => {
    await serve(Backend.echo('whoami'));
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\n\r\nhell');
    client.socket.end();
    expect(await client.untilClosed()).toBe('');
    expect(upstream.seen).toEqual([]);
  });
});

describe('a connection that is used again', () => {
  it('gives each client its own answer, whatever the backend does in between', async () => {
    let turn = 0;
    await serve(
      Backend.tcp((socket) =>
        socket.on('data', (data: Buffer) => {
          const path = /^GET (\S+)/.exec(data.toString('latin1'))?.[1];
          if (path === undefined) return;
          const body = `answer to ${path}`;
          const whole = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
          switch (turn++ % 7) {
            case 0: // More than one answer.
              return void socket.write(whole + whole);
            case 1: // Closed right behind it.
              return void socket.end(whole);
            case 2: // Reset right behind it.
              return void socket.write(whole, () => socket.resetAndDestroy());
            case 3: // In pieces.
              socket.write(whole.slice(0, 30));
              return void setImmediate(() => socket.write(whole.slice(30)));
            case 4: // Cut.
              return void socket.write(whole.slice(0, -1), () => socket.destroy());
            case 5: // Nothing.
              return void socket.destroy();
            default:
              return void socket.write(whole);
          }
        }),
      ),
      { limits: { upstreamStall: 2_000, response: 2_000 } },
    );
    const port = gateway.port();
    let whole = 0;
    await Promise.all(
      Array.from({ length: 16 }, async (_, worker) => {
        for (let i = 0; i < 60; i++) {
          const path = `/${worker}-${i}`;
          const answer = await rawExchange(port, get(path));
          const [head = '', body = ''] = answer.split('\r\n\r\n');
          if (answer === '' || head.startsWith('HTTP/1.1 502')) continue;
          expect(head).toMatch(/^HTTP\/1\.1 200 /);
          expect(`answer to ${path}`.startsWith(body)).toBe(true);
          if (body === `answer to ${path}`) whole++;
        }
      }),
    );
    expect(whole).toBeGreaterThan(0);
    expect(gateway.log).toHaveLength(960);
  });
});

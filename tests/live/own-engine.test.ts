/** What the own engine does where node:http does otherwise, or nothing: run on that engine alone. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Backend } from '../support/backend.ts';
import { getText, RawClient, rawExchange } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';

const start = closedAfterEach();
let upstream: Backend;
let gateway: TestGateway;

async function serve(made: Promise<Backend>, options?: Partial<AgentOptions>) {
  upstream = await start(made);
  gateway = await start(TestGateway.serving(serviceWhoami([upstream.endpoint]), options));
}

describe('an answer', () => {
  it('of HTTP/1.0 in chunks is none', async () => {
    await serve(
      Backend.bytes({ '/': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n' }),
    );
    expect(await rawExchange(gateway.port(), getText('/'))).toMatch(/^HTTP\/1\.1 502 /);
  });

  it.each([
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n'],
    ['204 in chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('%s is the last one on its connection', async (_, answer) => {
    await serve(Backend.bytes({ '/': answer }));
    await rawExchange(gateway.port(), getText('/'));
    await rawExchange(gateway.port(), getText('/2'));
    // What a backend sends as the body of a response that has none would be the next response.
    expect(upstream.connections).toBe(2);
  });

  it('without the space after its status gets it, and a reason', async () => {
    await serve(Backend.bytes({ '/': 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n' }));
    expect(await rawExchange(gateway.port(), getText('/'))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('may be announced, but not for ever', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    await serve(
      Backend.bytes({
        '/few': `${hint.repeat(20)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
        '/many': `${hint.repeat(3_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
        '/short': `${'HTTP/1.1 199 \r\n\r\n'.repeat(60_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
      }),
    );
    const few = await rawExchange(gateway.port(), getText('/few'));
    expect([few.match(/ 103 /g)?.length, few.match(/ 200 /g)?.length]).toEqual([20, 1]);
    for (const path of ['/many', '/short']) {
      expect(await rawExchange(gateway.port(), getText(path))).toMatch(
        /HTTP\/1\.1 502 .*\r\n(?:.*\r\n)*.*\n$/,
      );
    }
  });

  it('whose head drips is given as much time as one that says nothing', async () => {
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
    expect(await rawExchange(gateway.port(), getText('/'))).toMatch(/^HTTP\/1\.1 504 /);
  });

  it('to HTTP/1.0 that is cut does not look whole', async () => {
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
  // An end would be taken for that of the body by a server that looks no further.
  it('whose client goes in the middle of its body is reset', async () => {
    const seen = Promise.withResolvers<Socket>();
    await serve(Backend.tcp((socket) => seen.resolve(socket)));
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\n\r\nhell');
    const socket = await seen.promise;
    let received = '';
    while (!received.endsWith('hell')) received += String((await once(socket, 'data'))[0]);
    const failed = once(socket, 'error');
    client.destroy();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('with a length has no trailers to announce', async () => {
    let seen = '';
    await serve(
      Backend.tcp((socket) =>
        socket.once('data', (data: Buffer) => {
          seen = data.toString();
          socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        }),
      ),
    );
    await rawExchange(gateway.port(), getText('/', 'Trailer: a\r\nTrailer: b\r\nConnection: close\r\n'));
    expect(seen).not.toMatch(/trailer/i);
  });
});

describe('a client that sends no more', () => {
  it('behind its body, which waits for a connection, is answered', async () => {
    await serve(Backend.echo('whoami'));
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\n\r\nhello');
    client.socket.end();
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 .*whoami\n$/s);
    expect(upstream.seen).toMatchObject([{ body: 'hello' }]);
  });
});

/** Backends that break the protocol or the connection: no hang, nothing that reaches another client, nothing that is left behind. */
import { describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import type { HttpRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { getText, RawClient, rawExchange } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';

const start = closedAfterEach();
let upstream: Backend;
let gateway: TestGateway;

async function serve(made: Promise<Backend>, options?: Partial<AgentOptions>, rest?: Partial<HttpRule>) {
  upstream = await start(made);
  gateway = await start(TestGateway.serving(serviceWhoami([upstream.endpoint], rest), options));
}

describe('an answer', () => {
  it.each([
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n'],
    ['204 in chunks', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('%s is one without a body', async (_, answer) => {
    await serve(Backend.bytes({ '/': answer }));
    const client = await rawExchange(gateway.port(), getText('/'));
    expect(client).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
    expect(client).not.toMatch(/content-length|transfer-encoding/i);
  });

  it('has one date, whoever said it', async () => {
    await serve(
      Backend.bytes({
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
      const answer = await rawExchange(gateway.port(), getText(path));
      expect(answer.match(/^date: .*$/gim)).toEqual(['Date: today']);
    }
    await gateway.serve(serviceWhoami([upstream.endpoint]));
    expect((await rawExchange(gateway.port(), getText('/'))).match(/^date: /gim)).toHaveLength(1);
  });
});

describe('a client that sends no more', () => {
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
          const answer = await rawExchange(port, getText(path));
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

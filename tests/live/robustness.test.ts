/** Nothing that comes from outside ends the process or the port: it ends its own request or connection. */

import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { Backend } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { generator } from '../support/random.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

let upstream: Backend;
let gateway: TestGateway;

afterEach(async () => {
  await gateway.agent.close();
  await upstream.close();
});

const serve = async (made: Promise<Backend>, options: Parameters<typeof TestGateway.serving>[1] = {}) => {
  upstream = await made;
  gateway = await TestGateway.serving(
    {
      resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
      endpoints: { whoami: [upstream.endpoint] },
    },
    options,
  );
};

const MESSAGES = {
  request: [
    'GET /a?b=c HTTP/1.1\r\nHost: a.example.com\r\nConnection: keep-alive\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: 1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello',
    'GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n',
    'GET http://a.example.com/ HTTP/1.0\r\nHost: a.example.com\r\n\r\n',
  ],
  response: [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: <a>; rel=preload\r\n\r\nHTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nbytes',
    'HTTP/1.0 304 Not Modified\r\nContent-Length: 10\r\nConnection: close\r\n\r\n',
  ],
};

/** A message with a few bytes replaced, taken out, doubled, or cut. */
function mutated(messages: readonly string[], random: () => number): string {
  let text = messages[Math.floor(random() * messages.length)]!;
  for (let edits = Math.floor(random() * 4); edits >= 0; edits--) {
    const at = Math.floor(random() * text.length);
    const piece = text.slice(at, at + Math.floor(random() * 12));
    const kind = Math.floor(random() * 4);
    const byte = String.fromCharCode(Math.floor(random() * 256));
    if (kind === 0) text = text.slice(0, at) + byte + text.slice(at + 1);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at + piece.length);
    else if (kind === 2) text = text.slice(0, at) + piece + text.slice(at);
    else text = text.slice(0, at);
  }
  return text;
}

describe('mutated messages', () => {
  const SEED = 20_260_101;

  it('of clients are answered or closed', async () => {
    const defects: unknown[] = [];
    await serve(Backend.echo('whoami'), {
      onDefect: (error) => defects.push(error),
      limits: { response: 1_000, headTime: 1_000 },
    });
    const random = generator(SEED);
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = await RawClient.open(gateway.port());
          client.send(mutated(MESSAGES.request, random));
          client.socket.end();
          await client.untilClosed();
        }),
      );
    }
    expect(defects).toEqual([]);
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200, body: 'whoami\n' });
    for (const line of gateway.log) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('of backends are passed on, or answered 502, or cut', async () => {
    const defects: unknown[] = [];
    const random = generator(SEED);
    await serve(
      Backend.tcp((socket) =>
        socket.once('data', () => socket.end(mutated(MESSAGES.response, random), 'latin1')),
      ),
      { onDefect: (error) => defects.push(error), limits: { response: 1_000, upstreamStall: 1_000 } },
    );
    const kinds = ['GET / HTTP/1.1', 'HEAD / HTTP/1.1', 'GET / HTTP/1.0'];
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const client = await RawClient.open(gateway.port());
          const upgrade =
            i % 5 === 4 ? 'Connection: Upgrade, close\r\nUpgrade: websocket\r\n' : 'Connection: close\r\n';
          client.send(`${kinds[i % 3]}\r\nHost: a.example.com\r\n${upgrade}\r\n`);
          // What ends with its connection, and is cut, is reset.
          const received = await client.untilClosed().catch(() => client.received);
          expect(received).toMatch(/^(HTTP\/1\.1 \d{3} |$)/);
        }),
      );
    }
    expect(defects).toEqual([]);
    expect(gateway.log).toHaveLength(600);
  });
});

describe('a defect', () => {
  it('in what serves a request is 500 for that request', async () => {
    const defects: unknown[] = [];
    let broken = true;
    await serve(Backend.echo('whoami'), {
      onDefect: (error) => defects.push(error),
      random: () => {
        if (broken) throw new Error('a defect');
        return 0;
      },
    });
    expect(await gateway.get('a.example.com/')).toMatchObject({
      status: 500,
      body: '500: the gateway failed on this request\n',
    });
    broken = false;
    expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200 });
    expect(defects).toMatchObject([{ message: 'a defect' }]);
  });
});

describe('connections', () => {
  it('beyond the limit of a port are closed where all have requests, and there is room again afterwards', async () => {
    const metrics = new Metrics();
    await serve(Backend.echo('whoami'), { metrics, limits: { connections: 2 } });
    const held: RawClient[] = [];
    for (const _ of [1, 2]) {
      const arrived = once(upstream.server, 'connection');
      const client = await RawClient.open(gateway.port());
      client.send(
        'POST / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhell',
      );
      held.push(client);
      await arrived;
    }
    const third = await RawClient.open(gateway.port());
    await third.untilClosed();
    expect(await metrics.text()).toContain('event="connection-dropped"} 1');
    for (const client of held) {
      const gone = once(client.socket, 'close');
      client.send('o');
      expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 200/);
      await gone;
    }
    const fourth = await RawClient.open(gateway.port());
    fourth.send('GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n');
    expect(await fourth.untilClosed()).toMatch(/^HTTP\/1.1 200/);
  });
});

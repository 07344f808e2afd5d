/** WebSocket and other upgrades. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { RawClient, rawExchange } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, prefix, rule } from '../unit/match/snapshots.ts';

let upstream: Backend;
let gateway: TestGateway;

afterEach(async () => {
  await gateway.agent.close();
  await upstream.close();
});

async function serve(made: Promise<Backend>, options: Parameters<typeof TestGateway.serving>[1] = {}) {
  upstream = await made;
  gateway = await TestGateway.serving(
    {
      resources: [
        listener('web'),
        backend('ws'),
        rule({ matches: [{ path: prefix('/chat') }], rest: { backends: [to('ws')] } }),
      ],
      endpoints: { ws: [upstream.endpoint] },
    },
    options,
  );
}

/** Switches protocols as RFC 6455 section 4.2.2 says, then does what is asked with the socket. */
function switching(then: (socket: Socket, head: Buffer) => void, protocol = 'websocket'): Promise<Backend> {
  return Backend.http(
    (_, response) => response.end('no upgrade\n'),
    (server) =>
      server.on('upgrade', (message, socket: Socket, head) => {
        const key = `${message.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
        const accept = createHash('sha1').update(key).digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-From: ${message.url}\r\n\r\n`,
        );
        socket.on('error', () => {});
        then(socket, head);
      }),
  );
}

/** Sends every text frame back (RFC 6455 section 5.2; short ones only). */
const echoFrames = (socket: Socket) => {
  socket.on('data', (frame: Buffer) => {
    const length = frame[1]! & 0x7f;
    const mask = frame.subarray(2, 6);
    const payload = frame.subarray(6, 6 + length).map((byte, index) => byte ^ mask[index % 4]!);
    socket.write(Buffer.concat([Buffer.from([frame[0]!, length]), payload]));
    if ((frame[0]! & 0x0f) === 8) socket.end();
  });
};

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('WebSocket', () => {
  it('goes through to the backend of the route', async () => {
    await serve(switching(echoFrames));
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port()}/chat?room=1`);
    await once(socket, 'open');
    for (const text of ['hello', 'world']) {
      socket.send(text);
      const [event] = (await once(socket, 'message')) as [MessageEvent];
      expect(event.data).toBe(text);
    }
    socket.close(1000);
    const [closed] = (await once(socket, 'close')) as [CloseEvent];
    expect(closed.code).toBe(1000);
    while (gateway.log.length === 0) await new Promise(setImmediate);
    const [line] = gateway.lines();
    expect(line).toMatchObject({ status: 101, method: 'GET', path: '/chat', backend: 'shop/ws/80' });
    expect(line!.bytesReceived).toBeGreaterThan(10);
    expect(line!.bytesSent).toBeGreaterThan(10);
  });

  it('loses no byte that was sent before or with the switch', async () => {
    await serve(
      switching((socket) => {
        socket.write('early from the backend;');
        socket.on('data', (chunk: Buffer) => socket.write(`got ${chunk}`));
      }),
    );
    const client = await RawClient.open(gateway.port());
    client.send(`${UPGRADE}early from the client`);
    await client.until('got early from the client');
    expect(client.received).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\nX-From: \/chat\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly from the backend;got/,
    );
    client.destroy();
  });

  it('ends for both where one goes', async () => {
    const sockets: Socket[] = [];
    await serve(
      switching((socket) => {
        sockets.push(socket.on('end', () => socket.end()));
      }),
    );
    const first = await RawClient.open(gateway.port());
    first.send(UPGRADE);
    await first.until('101 Switching');
    const gone = once(sockets[0]!, 'close');
    sockets[0]!.resume();
    first.destroy();
    await gone;
    const second = await RawClient.open(gateway.port());
    second.send(UPGRADE);
    await second.until('101 Switching');
    sockets[1]!.destroy();
    await second.untilClosed();
  });

  it('that nobody uses is closed', async () => {
    await serve(
      switching(() => {}),
      { limits: { tunnelIdle: 100 } },
    );
    const client = await RawClient.open(gateway.port());
    client.send(UPGRADE);
    await client.until('101 Switching');
    await client.untilClosed();
  });

  it('is held back where the other side does not read', async () => {
    let backendSocket: Socket | undefined;
    await serve(
      switching((socket) => {
        backendSocket = socket;
        socket.pause();
      }),
    );
    const client = await RawClient.open(gateway.port());
    client.send(UPGRADE);
    await client.until('101 Switching');
    const chunk = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 64; i++) client.socket.write(chunk);
    let before = -1;
    while (before !== client.socket.writableLength) {
      before = client.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBeGreaterThan(32 * 1024 * 1024);
    let read = 0;
    backendSocket!.on('data', (data: Buffer) => {
      read += data.length;
    });
    backendSocket!.resume();
    client.socket.end();
    await once(backendSocket!, 'end');
    expect(read).toBe(64 * 1024 * 1024);
  });

  it('that the backend refuses is an answer like any other', async () => {
    await serve(
      Backend.http(
        () => {},
        (server) =>
          server.on('upgrade', (_, socket: Socket) =>
            socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
          ),
      ),
    );
    expect(await rawExchange(gateway.port(), UPGRADE)).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*\r\n\r\nno$/,
    );
    expect(gateway.lines()).toMatchObject([{ status: 403 }]);
  });

  it('that no route matches is 404', async () => {
    await serve(switching(echoFrames));
    const answer = await rawExchange(gateway.port(), UPGRADE.replace('/chat', '/other'));
    expect(answer).toMatch(/^HTTP\/1\.1 404 [\s\S]*Connection: close/i);
    expect(upstream.connections).toBe(0);
  });

  it('refused, by a client that stays, does not stay open', async () => {
    await serve(switching(echoFrames));
    const client = await RawClient.open(gateway.port());
    client.send(UPGRADE.replace('/chat', '/other'));
    await client.until('404: no route');
    expect(gateway.lines()).toMatchObject([{ status: 404 }]);
    await gateway.agent.drain();
  });

  it('must not have a body', async () => {
    await serve(switching(echoFrames));
    const answer = await rawExchange(
      gateway.port(),
      UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 3\r\n\r\nabc'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(upstream.connections).toBe(0);
  });

  it('is not what the backend says to something else', async () => {
    await serve(switching(() => {}, 'h2c'));
    expect(await rawExchange(gateway.port(), UPGRADE)).toMatch(/^HTTP\/1\.1 502 /);
  });
});

describe('an upgrade to something else', () => {
  it('is served as a request that did not ask', async () => {
    await serve(switching(echoFrames));
    const answer = await rawExchange(
      gateway.port(),
      'GET /chat HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*no upgrade\n/);
  });

  it('with a body too', async () => {
    await serve(Backend.echo('ws'));
    const answer = await rawExchange(
      gateway.port(),
      'POST /chat HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(upstream.seen).toMatchObject([{ method: 'POST', body: 'abc' }]);
    expect(upstream.seen[0]!.headers).not.toHaveProperty('upgrade');
  });
});

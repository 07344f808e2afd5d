/** The whole engine between clients and a backend that do what they like: each request ends once, and nothing is held when all have gone. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Http1Engine } from '../../../../gateway-runtime/proxy/engine-http1/engine.ts';
import type { Exchange, ExchangeHandler } from '../../../../gateway-runtime/proxy/exchange.ts';
import { LIMITS } from '../../../../gateway-runtime/proxy/limits.ts';
import { until } from '../../../support/distribution.ts';
import { generator } from '../../../support/random.ts';

/** Who ends behind its request may still read, so that of a backend which says nothing waits for its time. */
const LIMITED = {
  ...LIMITS,
  upstreamIdle: 300,
  response: 1_000,
  clientStall: 1_000,
  connectionsPerEndpoint: 20,
};

let backend: Server;
let engine: Http1Engine;
let server: ReturnType<Http1Engine['serve']>;
let port: number;
let begun = 0;
let ended = 0;
const errors: unknown[] = [];

const BIG = 'x'.repeat(300_000);

/** What it does is the first letter of the path. */
function serve(socket: Socket, path: string): void {
  const kind = path[1];
  if (kind === 'r') socket.resetAndDestroy();
  else if (kind === 'c') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut');
  else if (kind === 'm') socket.write('HTTP/1.1 nonsense\r\n\r\n');
  else if (kind === 'i') socket.write(`HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
  else if (kind === 'b') socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n${BIG}`);
  else if (kind === 'e') socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end`);
  else if (kind === 'u') {
    socket.write('HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nswitched');
  } else if (kind !== 's')
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
}

beforeEach(async () => {
  begun = ended = errors.length = 0;
  backend = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      const path = /^[A-Z]+ (\/\S*)/.exec(data.toString('latin1'))?.[1];
      if (path) serve(socket, path);
    });
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const endpoint = { address: '127.0.0.1', port: (backend.address() as AddressInfo).port };
  const handler: ExchangeHandler = {
    onRequest: (exchange: Exchange) => {
      begun++;
      if (exchange.problem || exchange.request.path === '/local') {
        exchange.reply({ status: exchange.problem?.status ?? 200, headers: [], body: 'local' });
      } else exchange.forward(endpoint, false, true);
    },
    onResponse: () => true,
    onFailure: (exchange, failure) => {
      if (failure !== 'client-gone') exchange.reply({ status: 502, headers: [], body: failure });
    },
    onEnd: () => {
      ended++;
    },
    onMalformed: () => {},
    onConnectionDropped: () => {},
    onHandshakeFailure: () => {},
    onMirrorDropped: () => {},
    onBody: () => {},
    onBodyTooLarge: () => {},
    onAuthorizationAnswer: () => {},
    onAuthorizationFailure: () => {},
    onInternalError: (error) => errors.push(error),
  };
  engine = new Http1Engine(handler, LIMITED);
  server = engine.serve(80);
  server.server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  port = (server.server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.server.close();
  server.destroy();
  engine.close();
  backend.close();
});

it.each([20_260_102, 5, 6])(
  'ends each request once and holds nothing when all have gone, seed %d',
  async (seed) => {
    const random = generator(seed);
    const choose = (text: string) => text[Math.floor(random() * text.length)]!;
    const message = () => {
      const path = `/${choose('wwwwrcmibesu')}`;
      const kind = Math.floor(random() * 6);
      const head = `Host: a.example.com\r\n`;
      if (path === '/u')
        return `GET ${path} HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
      if (kind === 0) return `POST ${path} HTTP/1.1\r\n${head}Content-Length: 5\r\n\r\nhello`;
      if (kind === 1)
        return `POST ${path} HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
      if (kind === 2) return `GET /local HTTP/1.1\r\n${head}\r\n`;
      if (kind === 3) return `HEAD ${path === '/s' ? '/w' : path} HTTP/1.1\r\n${head}\r\n`;
      if (kind === 4)
        return `POST ${path} HTTP/1.1\r\n${head}Content-Length: 50000\r\n\r\n${'y'.repeat(20_000)}`;
      return `GET ${path} HTTP/1.1\r\n${head}\r\n`;
    };
    const client = async () => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => {});
      await once(socket, 'connect');
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const way = Math.floor(random() * 5);
      // Reads, reads nothing, goes in the middle, ends behind its request, or sends octet by octet.
      if (way !== 1) socket.resume();
      const text = Array.from({ length: 1 + Math.floor(random() * 4) }, message).join('');
      if (way === 4) for (let at = 0; at < text.length; at += 977) socket.write(text.slice(at, at + 977));
      else socket.write(way === 2 ? text.slice(0, Math.floor(random() * text.length)) : text);
      if (way === 3) socket.end();
      setTimeout(() => (random() < 0.5 ? socket.destroy() : socket.resetAndDestroy()), random() * 30);
      await closed;
    };
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 40 }, client));
    // The engine's clock stands still while this process does.
    await until(
      'nothing is held',
      () => {
        const { timed, upstreams, endpoints } = engine.held;
        return timed + upstreams + endpoints === 0;
      },
      25_000,
    );
    expect(errors).toEqual([]);
    expect(begun).toBeGreaterThan(500);
    expect(ended).toBe(begun);
  },
);

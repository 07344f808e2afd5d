/** What is kept at each endpoint for requests without a body of clients that have few under way, and of those that are known. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';

const start = closedAfterEach();
const MOST = 32;
/** An eighth of them. */
const KEPT = 4;

it.each([
  ['a client', 'requests without an answer', 'GET /silent HTTP/1.1\r\nHost: a.example.com\r\n\r\n', 1, true],
  [
    'many clients',
    'bodies that do not come',
    'POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 9\r\n\r\n',
    64,
    false,
  ],
])('%s with %s leave room that others have at once', async (_who, _what, text, clients, stay) => {
  const backend = await start(
    Backend.http((message, response) => {
      message.resume();
      if (message.method === 'GET' && message.url === '/') response.end('whoami\n');
    }),
  );
  const limits = { connectionsPerEndpoint: MOST, pendingTime: 60_000, response: 60_000 };
  const gateway = await start(TestGateway.serving(serviceWhoami([backend.endpoint]), { limits }));
  const from = async (localAddress: string) => {
    const socket = connect({ port: gateway.port(), host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    return new RawClient(socket);
  };
  const held: RawClient[] = [];
  for (let i = 0; i < MOST + 8; i++) {
    const each = await from(`127.0.0.${100 + (i % clients)}`);
    each.send(text);
    held.push(each);
  }
  while (backend.connections < MOST - KEPT) await once(backend.server, 'connection');
  const client = await from('127.0.0.1');
  for (let i = 1; i <= 3; i++) {
    client.send('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    await client.until(new RegExp(`^(HTTP/1.1 200 [^]*?whoami\\n){${i}}$`));
  }
  // Nobody went for it; but those that hold up their own requests go after a while for one another.
  if (stay) expect(held.filter(({ received, closed }) => received || closed)).toEqual([]);
  for (const each of [client, ...held]) each.destroy();
});

const SILENT = 'GET /silent HTTP/1.1\r\nHost: a.example.com\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n';
const LARGE = 'POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n';

it.each([
  ['was given no answer', SILENT, (client: RawClient) => client.socket.resetAndDestroy()],
  [
    'sent a body that is too large',
    LARGE,
    (client: RawClient) => {
      client.send('9\r\nthan that\r\n');
      return client.until(/^HTTP\/1.1 413 /);
    },
  ],
])(
  'however many clients that nobody knows yet have requests under way, one that was served before has room at once, and none that %s',
  async (_, text, end) => {
    const backend = await start(
      Backend.http((message, response) => {
        if (message.method === 'GET' && message.url === '/') response.end('whoami\n');
      }),
    );
    const limits = {
      connectionsPerEndpoint: MOST,
      pendingTime: 60_000,
      response: 60_000,
    };
    const gateway = await start(
      TestGateway.serving(serviceWhoami([backend.endpoint], { maxRequestBytes: 8 }), { limits }),
    );
    const from = async (localAddress: string, said: string) => {
      const socket = connect({ port: gateway.port(), host: '127.0.0.1', localAddress });
      await once(socket, 'connect');
      const client = new RawClient(socket);
      client.send(said);
      return client;
    };
    const before = await from('127.0.0.2', text);
    while (backend.sockets.size < 1) await once(backend.server, 'connection');
    await end(before);
    while (backend.sockets.size > 0) await once([...backend.sockets][0]!, 'close');
    // It goes between, and is known when it comes again.
    const served = await from('127.0.0.1', GET);
    await served.until('whoami\n');
    served.destroy();
    const held: RawClient[] = [];
    for (let i = 0; i < MOST + 8; i++) held.push(await from(`127.0.0.${100 + i}`, SILENT));
    while (backend.sockets.size < MOST - KEPT / 2) await once(backend.server, 'connection');
    // Whatever had room would be answered before who comes later, and asks three times.
    const unknown = await from('127.0.0.2', GET);
    const known = await from('127.0.0.1', GET);
    for (let i = 1; i <= 3; i++) {
      await known.until(new RegExp(`^(HTTP/1.1 200 [^]*?whoami\\n){${i}}$`));
      known.send(GET);
    }
    expect(unknown.received).toBe('');
    for (const each of [known, unknown, before, ...held]) each.destroy();
  },
);

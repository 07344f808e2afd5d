/** Clients that hold what others need: connections that say nothing or little, bodies that do not come, answers that are not read. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { networkOf } from '../../gateway-runtime/proxy/places/place.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { Backend } from '../support/backend.ts';
import { issue } from '../support/certificates.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';
import { listener } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let upstream: Backend;
let gateway: TestGateway;

async function serve(made: Promise<Backend>, options?: Partial<AgentOptions>) {
  upstream = await start(made);
  gateway = await start(TestGateway.serving(serviceWhoami([upstream.endpoint]), options));
}

async function from(localAddress: string, allowHalfOpen = true): Promise<RawClient> {
  const socket = connect({ port: gateway.port(), host: '127.0.0.1', localAddress, allowHalfOpen });
  await once(socket, 'connect');
  return new RawClient(socket);
}

const ATTACKER = '127.0.0.66';
const CLIENT = '127.0.0.1';
const GET = 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n';

describe('connections without a request', () => {
  it.each([
    ['nothing', ''],
    ['half a head', 'GET / HTTP/1.1\r\nHost: a.example.com\r\nX: '],
    ['a request now and then', GET],
  ])('that say %s keep nobody out, and take nothing from who holds few', async (_, text) => {
    const metrics = new Metrics();
    await serve(Backend.echo('whoami'), { metrics, limits: { connections: 32 } });
    const first = await from(CLIENT);
    first.send(GET);
    await first.until('whoami\n');
    const attackers: RawClient[] = [];
    for (let i = 0; i < 40; i++) {
      const attacker = await from(ATTACKER);
      attackers.push(attacker);
      attacker.send(text);
      if (text === GET) await Promise.race([attacker.until('whoami\n'), attacker.untilClosed()]);
    }
    const second = await from(CLIENT);
    second.send(GET);
    await second.until('whoami\n');
    first.received = '';
    first.send(GET);
    await first.until('whoami\n');
    await Promise.any(attackers.map((attacker) => attacker.untilClosed()));
    expect(await metrics.text()).toMatch(/event="connection-dropped"} \d+/);
    for (const client of [first, second, ...attackers]) client.destroy();
  });

  it('go after their time', async () => {
    await serve(Backend.echo('whoami'), { limits: { headTime: 200, clientIdle: 200 } });
    const silent = await from(CLIENT);
    const dripping = await from(CLIENT);
    const timer = setInterval(() => dripping.send('a'), 20);
    expect(await silent.untilClosed()).toBe('');
    expect(await dripping.untilClosed()).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(timer);
  });
});

describe('handshakes of TLS', () => {
  const HALF_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';

  it.each([
    ['never begin', '', false],
    ['stop in the middle', HALF_HELLO, false],
    ['stop in the middle, with the end of what is sent', HALF_HELLO, true],
  ])('that %s are closed after their time', async (_, text, ends) => {
    const certificate = issue('infra/a', ['a.example.com']);
    upstream = await start(Backend.echo('whoami'));
    const { resources, endpoints } = serviceWhoami([upstream.endpoint]);
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: [certificate.id] });
    gateway = await start(
      TestGateway.serving(
        { resources: [...resources, secure], endpoints: endpoints!, certificates: [certificate] },
        { limits: { tlsHandshake: 100 } },
      ),
    );
    const socket = connect({ port: gateway.port(443), host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    const client = new RawClient(socket);
    if (text) client.send(text);
    if (ends) socket.end();
    expect(await client.untilClosed()).toBe('');
  });
});

describe('requests that wait for their own client', () => {
  /** Takes requests without end, and answers GET. */
  const taking = () =>
    Backend.http((message, response) => {
      message.on('error', () => {});
      message.resume();
      if (message.method === 'GET' && message.url === '/') message.on('end', () => response.end('whoami\n'));
      if (message.url === '/large') response.end(Buffer.alloc(32 * 1024 * 1024));
    });

  const LIMITS = { connectionsPerEndpoint: 4, pendingTime: 20_000 };

  it('for its body make room for others: those first of whoever has most', async () => {
    await serve(taking(), { limits: LIMITS });
    const body = 'POST /body HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 100000\r\n\r\nbegun';
    const own = await from(CLIENT);
    own.send(body);
    const attackers = await Promise.all([1, 2, 3].map(() => from(ATTACKER)));
    for (const attacker of attackers) attacker.send(body);
    const dripping = setInterval(() => {
      for (const attacker of attackers) if (!attacker.closed) attacker.send('x');
    }, 50);
    while (upstream.connections < 4) await once(upstream.server, 'connection');
    const client = await from(CLIENT);
    client.send(GET);
    await client.until('whoami\n');
    clearInterval(dripping);
    const received = await Promise.any(attackers.map((attacker) => attacker.until(/^HTTP/)));
    expect(received).toMatch(/^HTTP\/1\.1 408 .*the body of the request took too long/s);
    expect(attackers.filter(({ received }) => received === '')).toHaveLength(2);
    expect(own.received).toBe('');
    for (const each of [own, client, ...attackers]) each.destroy();
  });

  it.each([
    ['say nothing', ''],
    ['go on to send', 'x'],
  ])('to read their answer make room for others, also where they %s', async (_, text) => {
    await serve(taking(), { limits: LIMITS });
    const attackers = await Promise.all([1, 2, 3, 4].map(() => from(ATTACKER)));
    for (const { socket } of attackers) {
      socket.pause();
      socket.write('GET /large HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    }
    const dripping = setInterval(() => {
      if (text) for (const { socket } of attackers) socket.write(text);
    }, 50);
    while (upstream.connections < 4) await once(upstream.server, 'connection');
    const client = await from(CLIENT);
    client.send(GET);
    await client.until('whoami\n');
    clearInterval(dripping);
    for (const each of [client, ...attackers]) each.destroy();
  });

  it.each([
    ['one client', () => ATTACKER],
    ['the address of others', () => CLIENT],
    ['many clients', (i: number) => `127.0.0.${100 + i}`],
  ])(
    'for its body, of %s, are not let through before whole ones, nor hold their place in the queue',
    async (_, addressOf) => {
      await serve(taking(), { limits: { ...LIMITS, pendingPerBackend: 8 } });
      const attackers: RawClient[] = [];
      for (let i = 0; i < 24; i++) {
        const attacker = await from(addressOf(i));
        attackers.push(attacker);
        attacker.send('POST /body HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 100000\r\n\r\nbegun');
      }
      // There is room for twelve, waiting ones among them; the others were told that there is none.
      const silent = () => attackers.filter(({ received }) => received === '');
      while (silent().length > 12) await Promise.any(silent().map(({ socket }) => once(socket, 'data')));
      const client = await from(CLIENT);
      for (let i = 1; i <= 3; i++) {
        client.send(GET);
        await client.until(new RegExp(`^(HTTP/1.1 200 [^]*?whoami\\n){${i}}$`));
      }
      for (const each of [client, ...attackers]) each.destroy();
    },
  );

  it.each([
    ['for its body', 'POST /body HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 100000\r\n\r\nbegun'],
    ['to read its answer', 'GET /large HTTP/1.1\r\nHost: a.example.com\r\n\r\n'],
  ])('%s, in all places of a port, keep nobody out', async (_, text) => {
    await serve(taking(), { limits: { connections: 16 } });
    const attackers = await Promise.all(Array.from({ length: 15 }, () => from(ATTACKER)));
    for (const { socket } of attackers) socket.pause().write(text);
    while (upstream.connections < 15) await once(upstream.server, 'connection');
    attackers.push(await from(ATTACKER));
    attackers.at(-1)!.socket.pause().write(text);
    const ask = async () => {
      const client = await from(CLIENT, false);
      client.send(GET);
      return client.until('whoami\n').finally(() => client.destroy());
    };
    let answer = '';
    // Who is turned away comes again.
    while (!answer) answer = await ask().catch(() => '');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    for (const each of attackers) each.destroy();
  });

  const BODY = 'POST /body HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 100000\r\n\r\nbegun';

  interface Beginner {
    readonly status: () => Promise<string>;
    readonly client: { destroy(): unknown };
  }
  /** Each begins a body that does not go on. */
  const beginners: Record<'HTTP/1.1' | 'HTTP/2', () => Promise<Beginner>> = {
    async 'HTTP/1.1'() {
      const client = await from(ATTACKER);
      client.send(BODY);
      return { status: () => client.until('\r\n\r\n').then((head) => head.slice(9, 12)), client };
    },
    async 'HTTP/2'() {
      const socket = connect({ port: gateway.port(), host: '127.0.0.1', localAddress: ATTACKER });
      const client = connectHttp2('http://a.example.com', { createConnection: () => socket });
      client.on('error', () => {});
      await once(client, 'connect');
      const fields = { ':method': 'POST', ':path': '/body', ':authority': 'a.example.com' };
      const stream = client.request(fields, { endStream: false }).on('error', () => {});
      stream.write('begun');
      const status = once(stream, 'response').then(
        ([head]) => String(head[':status']),
        (error) => String(error),
      );
      return { status: () => status, client };
    },
  };

  it.each(['HTTP/1.1', 'HTTP/2'] as const)(
    'wait as those of slow clients, in all places of a port, and keep nobody out (%s)',
    async (version) => {
      await serve(taking(), { limits: { connections: 16, connectionsPerEndpoint: 1, pendingTime: 60_000 } });
      const first = await beginners[version]();
      while (upstream.connections < 1) await once(upstream.server, 'connection');
      const client = await from(CLIENT);
      client.send(GET);
      await client.until('whoami\n');
      expect(await first.status()).toBe('408');
      // One that nobody can be blamed for has the only place at the endpoint.
      client.send(GET.replace('/', '/silent'));
      const attackers = await Promise.all(Array.from({ length: 14 }, () => beginners[version]()));
      const others: RawClient[] = [];
      for (let i = 0; i < 4; i++) {
        const other = await from(`127.0.0.${100 + i}`);
        others.push(other);
        // It waits too, but is not slow.
        other.send(GET);
      }
      // For whose answer there is no need of an endpoint: it comes after all of them.
      const last = await from('127.0.0.2');
      last.send('GET / HTTP/1.1\r\n\r\n');
      expect(await last.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
      expect(others.map(({ closed }) => closed)).toEqual([false, false, false, false]);
      for (const each of [first.client, client, ...attackers.map((each) => each.client), ...others])
        each.destroy();
    },
  );

  it.each(['HTTP/1.1', 'HTTP/2'] as const)(
    'to read more than may wait for all go, and who reads has everything (%s)',
    async (version) => {
      const metrics = new Metrics();
      await serve(taking(), { metrics, limits: { unsent: 256 * 1024 } });
      const attackers = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const socket = connect({ port: gateway.port(), host: '127.0.0.1', localAddress: ATTACKER });
          await once(
            socket.on('error', () => {}),
            'connect',
          );
          if (version === 'HTTP/1.1') socket.pause().write(GET.replace('/', '/large'));
          else {
            const session = connectHttp2('http://a.example.com', {
              createConnection: () => socket,
            });
            const fields = { ':path': '/large', ':authority': 'a.example.com' };
            session
              .on('error', () => {})
              .request(fields)
              .pause()
              .on('error', () => {});
          }
          return socket;
        }),
      );
      const dropped = async () =>
        Number(/event="connection-dropped"} (\d+)/.exec(await metrics.text())?.[1] ?? 0);
      while ((await dropped()) < 4) await pause(20);
      // Who reads nothing at all does not see it.
      const isSeen = version === 'HTTP/2';
      while (isSeen && attackers.filter(({ closed }) => closed).length < 4) await pause(20);
      const client = await from(CLIENT);
      let received = 0;
      client.socket.on('data', (octets: Buffer) => {
        received += octets.length;
      });
      client.send(GET.replace('/', '/large'));
      while (received < 32 * 1024 * 1024) await once(client.socket, 'data');
      expect(client.closed).toBe(false);
      for (const each of [client, ...attackers]) each.destroy();
    },
  );

  it('that come again after one was given up wait for others, and have their turn', async () => {
    await serve(taking(), { limits: { connectionsPerEndpoint: 8, pendingTime: 60_000 } });
    const large = 'GET /large HTTP/1.1\r\nHost: a.example.com\r\n\r\n';
    const attackers = await Promise.all(Array.from({ length: 8 }, (_, i) => from(`127.0.0.${100 + i}`)));
    for (const { socket } of attackers) socket.pause().write(large);
    while (upstream.connections < 8) await once(upstream.server, 'connection');
    const ask = async (address: string) => {
      const client = await from(address);
      client.send(GET);
      await client.until('whoami\n').finally(() => client.destroy());
    };
    // All places have someone who does not read: one of them goes for it.
    await ask(CLIENT);
    const gone = attackers.findIndex(({ closed }) => closed);
    const again = await from(`127.0.0.${100 + gone}`);
    again.socket.pause().write(large);
    for (let i = 0; i < 3; i++) await ask(`127.0.0.${50 + i}`);
    again.socket.resume();
    await again.until(/^HTTP\/1\.1 200 /);
    for (const each of [again, ...attackers]) each.destroy();
  });

  it('do not go where a backend is what is slow', async () => {
    await serve(
      Backend.http(() => {}),
      { limits: { connectionsPerEndpoint: 2, pendingTime: 1_500 } },
    );
    const waiting = await Promise.all([from(CLIENT), from(CLIENT)]);
    for (const each of waiting) each.send(GET);
    while (upstream.connections < 2) await once(upstream.server, 'connection');
    const late = await from(CLIENT);
    late.send(GET);
    expect(await late.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 503 /);
    expect(waiting.map(({ received, closed }) => received || closed)).toEqual([false, false]);
    for (const each of [late, ...waiting]) each.destroy();
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::5', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::', 'fe80:0:0:0'],
  ['', ''],
])('%j is counted as %j', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

/**
 * The places of a port, while all that have them have requests under way: for half a second nobody can tell whose client holds it up. Who was
 * served before is not kept out, and who was not loses nothing that is well under way.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, type Settings } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { Backend } from '../support/backend.ts';
import { issue } from '../support/certificates.ts';
import { RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend as backendNamed, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const CLIENT = '127.0.0.1';
const HEAD = 'HTTP/1.1\r\nHost: a.example.com\r\n';
const GET = `GET / ${HEAD}\r\n`;
const BODY = `POST /body ${HEAD}Content-Length: 1000000\r\n\r\nbegun`;

const start = closedAfterEach();
let gateway: TestGateway;
let metrics: Metrics;
let backend: Backend;

async function serve(connections: number) {
  backend = await start(
    Backend.http((message, response) => {
      message.on('error', () => {}).resume();
      if (message.url === '/call') {
        response.write('begun ');
        message.on('data', (octets) => response.end(octets));
      } else if (message.url !== '/silent') message.on('end', () => response.end('whoami\n'));
    }),
  );
  metrics = new Metrics();
  const certificate = issue('infra/a', ['a.example.com']);
  const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: [certificate.id] });
  gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          secure,
          backendNamed('whoami'),
          rule({ on: ['web', 'secure'], rest: { backends: [to('whoami')] } }),
        ],
        endpoints: { whoami: [backend.endpoint] },
        certificates: [certificate],
      },
      { metrics, limits: { connections } },
    ),
  );
}

let last = 0;
/** One that nobody had before. */
const newAddress = () => `127.0.${100 + (++last >> 7)}.${1 + (last & 127)}`;

async function from(localAddress: string, isTls = false): Promise<RawClient> {
  const socket = connect({ port: gateway.port(isTls ? 443 : 80), host: '127.0.0.1', localAddress });
  await once(socket, 'connect');
  if (!isTls) return new RawClient(socket);
  const tls = connectTls({ socket, servername: 'a.example.com', rejectUnauthorized: false });
  const client = new RawClient(tls);
  await Promise.race([once(tls, 'secureConnect'), client.untilClosed()]);
  return client;
}

async function ask(): Promise<string> {
  const client = await from(CLIENT);
  client.send(GET);
  return client.until('whoami\n').finally(() => client.destroy());
}

const POST = { ':method': 'POST', ':path': '/body', ':authority': 'a.example.com' };

/** Of HTTP/2; or it was closed. */
async function connected(settings: Settings = {}): Promise<ClientHttp2Session> {
  const socket = connect({ port: gateway.port(), host: '127.0.0.1', localAddress: newAddress() });
  const client = connectHttp2('http://a.example.com', { createConnection: () => socket, settings });
  client.on('error', () => {});
  await Promise.race([once(client, 'connect'), once(client, 'close')]);
  return client;
}

/** So many requests have reached their backend, and so their connections are not idle. */
async function untilActive(count: number): Promise<void> {
  const active = new RegExp(`\ngatewright_backend_active_requests{[^}]*} ${count}\n`);
  while (!active.test(await metrics.text())) await pause(10);
}

/** Waits for the backend. */
async function waiting(): Promise<{ destroy(): unknown }> {
  const client = await from(newAddress());
  client.send(`GET /silent ${HEAD}\r\n`);
  return client;
}

/** Each begins a body that does not go on. */
const beginning: Record<'HTTP/1.1' | 'HTTP/2', () => Promise<{ destroy(): unknown }>> = {
  async 'HTTP/1.1'() {
    const client = await from(newAddress());
    client.send(BODY);
    return client;
  },
  async 'HTTP/2'() {
    const client = await connected();
    if (client.destroyed) return client;
    const stream = client.request(POST, { endStream: false });
    stream.on('error', () => {}).write('begun');
    return client;
  },
};

describe('a port all of whose places have requests under way', () => {
  beforeEach(() => serve(128));

  it.each(['HTTP/1.1', 'HTTP/2'] as const)('lets in who was served before (%s)', async (version) => {
    await ask();
    const attackers: { destroy(): unknown }[] = [];
    const attack = async (count: number) =>
      attackers.push(...(await Promise.all(Array.from({ length: count }, beginning[version]))));
    await attack(120);
    // They come faster than the client.
    for (let i = 0; i < 10; i++) {
      await attack(4);
      for (const answer of await Promise.all([ask(), ask(), ask()]))
        expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    }
    for (const each of attackers) each.destroy();
  });

  it('ends no request of a new client that is well under way', async () => {
    await ask();
    const uploader = await from(newAddress());
    uploader.send(`POST /body ${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const upload = setInterval(() => uploader.send(`4e20\r\n${'x'.repeat(20_000)}\r\n`), 20);
    await pause(600);
    // None of those can go, so that all that is found are the few that have just begun, and this one.
    const attackers = await Promise.all(Array.from({ length: 120 }, waiting));
    await untilActive(121);
    for (let i = 0; i < 10; i++) {
      attackers.push(...(await Promise.all(Array.from({ length: 4 }, beginning['HTTP/1.1']))));
      await ask();
    }
    clearInterval(upload);
    uploader.send('0\r\n\r\n');
    expect(await uploader.until('whoami\n')).toMatch(/^HTTP\/1\.1 200 /);
    for (const each of [uploader, ...attackers]) each.destroy();
  });

  it('ends no call that is answered while it goes on, and says nothing for a while', async () => {
    const client = await connected();
    const call = client.request({ ...POST, ':path': '/call' }, { endStream: false });
    await once(call, 'response');
    await pause(600);
    const attackers = await Promise.all(Array.from({ length: 125 }, beginning['HTTP/1.1']));
    await untilActive(126);
    for (let i = 0; i < 4; i++) attackers.push(await beginning['HTTP/1.1']());
    call.end('over');
    expect(await text(call)).toBe('begun over');
    for (const each of [client, ...attackers]) each.destroy();
  });

  it('ends a connection of HTTP/2 whose client takes nothing of its answers', async () => {
    const client = await connected({ initialWindowSize: 0 });
    const closed = once(client, 'close');
    await once(client.request({ ...POST, ':method': 'GET', ':path': '/' }), 'response');
    await pause(800);
    const attackers = await Promise.all(Array.from({ length: 125 }, beginning['HTTP/1.1']));
    await untilActive(125);
    for (let i = 0; i < 4; i++) attackers.push(await beginning['HTTP/1.1']());
    await closed;
    for (const each of attackers) each.destroy();
  });

  it('ends no request that waits for the word of a backend to go on', async () => {
    const asked = once(backend.server, 'checkContinue');
    const uploader = await from(newAddress());
    uploader.send(`POST /body ${HEAD}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
    const [message, response] = (await asked) as [IncomingMessage, ServerResponse];
    await pause(800);
    const attackers = await Promise.all(Array.from({ length: 125 }, beginning['HTTP/1.1']));
    await untilActive(126);
    for (let i = 0; i < 4; i++) attackers.push(await beginning['HTTP/1.1']());
    response.writeContinue();
    await uploader.until('HTTP/1.1 100 Continue\r\n\r\n');
    uploader.send('over');
    response.end(await text(message));
    expect(await uploader.until('over')).toContain('HTTP/1.1 200 ');
    for (const each of [uploader, ...attackers]) each.destroy();
  });

  it.each([false, true])('turns away who was not, and counts that once (TLS: %p)', async (isTls) => {
    const busy: RawClient[] = [];
    for (let i = 1; i <= 127; i++) {
      const client = await from(newAddress(), isTls);
      client.send(GET.replace('/', '/silent'));
      busy.push(client);
      if (i >= 126) await untilActive(i);
    }
    const newcomer = await from(newAddress(), isTls).catch(() => undefined);
    if (newcomer) expect(await newcomer.untilClosed()).toBe('');
    const counted = await metrics.text();
    expect(counted).toMatch(/event="connection-dropped"} 1\n/);
    expect(counted).not.toMatch(/event="tls-handshake-failed"} [1-9]/);
    expect(busy.filter(({ closed }) => closed)).toEqual([]);
    for (const each of busy) each.destroy();
  });
});

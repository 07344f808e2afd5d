/** TLSRoutes on the wire: passed through, terminated, beside HTTPS on one port, and what comes when something fails. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Resource, TlsRule } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { RawClient } from '../support/client.ts';
import {
  extension,
  helloMessage,
  inRecords,
  realHello,
  serverNameExtension,
} from '../support/client-hello.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { openTls, TlsClient, type TlsOptions } from '../support/tls-client.ts';
import { listener, rule, tlsRule } from '../unit/match/snapshots.ts';

const started = closedAfterEach();
const own = issue('infra/own', ['own.example.com']);
const theirs = issue('shop/theirs', ['mail.example.com', 'other.example.com']);

const passthrough = (name = 'tls', hostname?: string) =>
  listener(name, { port: 443, protocol: 'TLS', tlsMode: 'Passthrough', ...(hostname ? { hostname } : {}) });
const terminate = (name: string, hostname: string) =>
  listener(name, { port: 443, protocol: 'TLS', tlsMode: 'Terminate', certificates: [own.id], hostname });
const https = (name: string, hostname: string) =>
  listener(name, { port: 443, protocol: 'HTTPS', certificates: [own.id], hostname });

const share = (name: string, weight = 1): TlsRule['backends'][number] => ({
  weight,
  name: `Service shop/${name}:80`,
  backend: backendKey(name),
});

/** The certificate of `theirs`, over TLS alone: sends back what it gets, each line with its name in front. */
async function secureEcho(name: string): Promise<Backend> {
  const server = createTlsServer({ cert: theirs.certificate, key: theirs.privateKey });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => socket.write(`${name}: ${data}`));
  });
  const inner = await started(Backend.over(server));
  return inner;
}

/** The same in the clear. */
const plainEcho = (name: string): Promise<Backend> =>
  started(
    Backend.tcp((socket) => {
      socket.on('data', (data) => socket.write(`${name}: ${data}`));
      socket.on('end', () => socket.end());
    }),
  );

async function serving(
  resources: readonly Resource[],
  endpoints: Record<string, Backend>,
  options: Partial<AgentOptions> = {},
): Promise<TestGateway> {
  const found = Object.fromEntries(Object.entries(endpoints).map(([name, each]) => [name, [each.endpoint]]));
  return started(TestGateway.serving({ resources, endpoints: found, certificates: [own] }, options));
}

const toMail = [
  passthrough('tls', '*.example.com'),
  backend('mail'),
  tlsRule({ hostnames: ['mail.example.com'], backends: [share('mail')] }),
];
const hello = inRecords(helloMessage({ extensions: [serverNameExtension('mail.example.com')] }));

const clients = closedAfterEach();

async function raw(gateway: TestGateway): Promise<RawClient> {
  const client = await RawClient.open(gateway.port(443));
  await clients(Promise.resolve({ close: async () => client.destroy() }));
  return client;
}

async function open(gateway: TestGateway, servername: string, options: TlsOptions = {}): Promise<TlsClient> {
  const client = await openTls(gateway.port(443), authority, { servername, ALPNProtocols: [], ...options });
  await clients(Promise.resolve({ close: async () => client.destroy() }));
  return client;
}

/** Sends a line and gives what comes back. */
async function asked(client: RawClient, line = 'hello'): Promise<string> {
  client.received = '';
  client.send(`${line}\n`);
  return client.until('\n');
}

/** A line of the access log, once it is written. */
async function line(gateway: TestGateway, at = 0): Promise<Record<string, unknown>> {
  while (gateway.log.length <= at) await new Promise((resolve) => setTimeout(resolve, 5));
  return JSON.parse(gateway.log[at]!);
}

describe('mode Passthrough', () => {
  it('joins a client to the backend of its server name, whose certificate it sees', async () => {
    const gateway = await serving(
      [
        passthrough(),
        backend('mail'),
        backend('other'),
        tlsRule({ hostnames: ['mail.example.com'], backends: [share('mail')] }),
        tlsRule({ route: 'shop/rest', hostnames: ['*.example.com'], backends: [share('other')] }),
      ],
      { mail: await secureEcho('mail'), other: await secureEcho('other') },
    );
    const client = await open(gateway, 'mail.example.com');
    expect(client.names).toBe('DNS:mail.example.com, DNS:other.example.com');
    expect(await asked(client)).toBe('mail: hello\n');
    expect(await asked(await open(gateway, 'MAIL.example.com'))).toBe('mail: hello\n');
    expect(await asked(await open(gateway, 'other.example.com'))).toBe('other: hello\n');
  });

  it('sends on a ClientHello in pieces and in many records, octet for octet', async () => {
    const heard: Buffer[] = [];
    const sink = await started(
      Backend.tcp((socket) => {
        socket.on('data', (data) => {
          heard.push(data);
          socket.write('seen');
        });
      }),
    );
    const gateway = await serving([...toMail], { mail: sink });
    const records = inRecords(helloMessage({ extensions: [serverNameExtension('mail.example.com')] }), 7);
    const client = await raw(gateway);
    // One octet at a time: what is read is told by what the gateway does, not by time.
    for (const octet of records) client.socket.write(Buffer.from([octet]));
    client.socket.write('early data');
    await client.until('seen');
    while (Buffer.concat(heard).length < records.length + 10) await once(client.socket, 'data');
    expect(Buffer.concat(heard)).toEqual(Buffer.concat([records, Buffer.from('early data')]));
  });

  it('lets either side end first, and the other go on', async () => {
    const patient = await started(
      Backend.tcp((socket) => {
        socket.resume();
        // Only after the client has said that it says no more.
        socket.on('end', () => socket.end('answer'));
      }),
    );
    const gateway = await serving([...toMail], { mail: patient });
    const client = await raw(gateway);
    client.socket.end(hello);
    expect(await client.untilClosed()).toBe('answer');
    expect(await line(gateway)).toMatchObject({ bytesReceived: hello.length, bytesSent: 6 });
  });

  it('holds a sender up whose receiver does not read', async () => {
    let taken: Socket | undefined;
    const lazy = await started(
      Backend.tcp((socket) => {
        taken = socket.pause();
      }),
    );
    const gateway = await serving([...toMail], { mail: lazy });
    const client = await raw(gateway);
    client.socket.write(hello);
    const chunk = Buffer.alloc(1024 * 1024);
    let accepted = 0;
    // Until nothing more is taken: buffers of the system and of the gateway are full.
    while (client.socket.writableLength < 8 * chunk.length) {
      client.socket.write(chunk);
      accepted++;
      await new Promise((resolve) => setImmediate(resolve));
      if (accepted > 256) throw new Error('more was taken than any buffer holds');
    }
    let heard = 0;
    taken!.on('data', (data: Buffer) => {
      heard += data.length;
    });
    taken!.resume();
    client.socket.end();
    await once(taken!, 'end');
    expect(heard).toBe(hello.length + accepted * chunk.length);
  });

  it('tells of a connection in the log and in the metrics, and shows nothing of what was said', async () => {
    const metrics = new Metrics();
    const gateway = await serving([...toMail], { mail: await secureEcho('mail') }, { metrics });
    const client = await open(gateway, 'mail.example.com');
    await asked(client, 'secret');
    client.destroy();
    const entry = await line(gateway);
    expect(entry).toMatchObject({
      gateway: 'infra/gw',
      listener: 'tls',
      port: 443,
      client: '127.0.0.1',
      protocol: 'TLS',
      scheme: 'tls',
      host: 'mail.example.com',
      namespace: 'shop',
      route: 'mail',
      rule: 0,
      backend: 'shop/mail/80',
    });
    expect(entry.failure).toBeUndefined();
    expect(JSON.stringify(entry)).not.toContain('secret');
    const text = await metrics.text();
    expect(text).toMatch(
      /gatewright_tls_connections_total\{.*route="shop\/mail".*backend="shop\/mail\/80"\} 1/,
    );
    expect(text).toMatch(/gatewright_tls_sent_bytes_total\{.*\} \d{3,}/);
    expect(text).not.toMatch(/gatewright_requests_total\{/);
  });
});

describe('what is closed', () => {
  const closes = async (gateway: TestGateway, octets: Buffer | string) => {
    const client = await raw(gateway);
    client.socket.write(octets);
    expect(await client.untilClosed()).toBe('');
  };
  const helloFor = (name: string) => inRecords(helloMessage({ extensions: [serverNameExtension(name)] }));

  it('is what no rule is for, what has no server name, and what is no TLS', async () => {
    const metrics = new Metrics();
    const mail = await secureEcho('mail');
    const gateway = await serving([...toMail, passthrough('other', '*.other.org')], { mail }, { metrics });
    await closes(gateway, helloFor('no.other.org'));
    expect(await line(gateway)).toMatchObject({
      listener: 'other',
      host: 'no.other.org',
      failure: 'no-route',
    });
    await closes(gateway, helloFor('nobody.net'));
    await closes(gateway, inRecords(helloMessage({ extensions: [extension(5, [])] })));
    await closes(gateway, 'GET / HTTP/1.1\r\nHost: mail.example.com\r\n\r\n');
    await closes(gateway, helloFor('mail.example.com:443'));
    expect(mail.connections).toBe(0);
    expect(gateway.log.length).toBe(1);
    expect(await metrics.text()).toMatch(/event="tls-not-routed"\} 1/);
    expect(await metrics.text()).toMatch(/event="tls-handshake-failed"\} 4/);
  });

  it('is a connection whose ClientHello does not come in time, or is too large', async () => {
    const gateway = await serving(
      [...toMail],
      { mail: await secureEcho('mail') },
      {
        limits: { tlsHandshake: 50, clientHello: 1_000 },
      },
    );
    await closes(gateway, hello.subarray(0, 20));
    const large = helloMessage({
      extensions: [
        serverNameExtension('mail.example.com'),
        extension(
          21,
          Array.from({ length: 2000 }, () => 0),
        ),
      ],
    });
    await closes(gateway, inRecords(large));
    const client = await raw(gateway);
    expect(await client.untilClosed()).toBe('');
  });

  it('is a connection without an endpoint that takes it, after another was asked', async () => {
    const [gone, mail] = [await plainEcho('gone'), await secureEcho('mail')];
    const { endpoint } = gone;
    await gone.close();
    const found = { mail: [endpoint, mail.endpoint], none: [], gone: [endpoint] };
    const gateway = await started(
      TestGateway.serving({
        resources: [
          ...toMail,
          ...['none', 'gone'].flatMap((name) => [
            backend(name),
            tlsRule({ route: `shop/${name}`, hostnames: [`${name}.example.com`], backends: [share(name)] }),
          ]),
          tlsRule({
            route: 'shop/lost',
            hostnames: ['lost.example.com'],
            backends: [
              {
                weight: 1,
                name: 'Service shop/lost:80',
                unresolved: { reason: 'BackendNotFound', message: 'it does not exist' },
              },
            ],
          }),
        ],
        endpoints: found,
      }),
    );
    for (let i = 0; i < 4; i++)
      expect(await asked(await open(gateway, 'mail.example.com'))).toBe('mail: hello\n');
    await closes(gateway, helloFor('none.example.com'));
    await closes(gateway, helloFor('gone.example.com'));
    await closes(gateway, helloFor('lost.example.com'));
    const failures = gateway.log.map((each) => JSON.parse(each).failure).filter(Boolean);
    expect(failures).toEqual(['no-endpoints', 'connect', 'no-backend']);
  });

  it('is a connection that waits too long for room at its backend; one that does not goes on', async () => {
    const mail = await secureEcho('mail');
    const gateway = await serving(
      [...toMail],
      { mail },
      {
        limits: { connectionsPerEndpoint: 1, pendingPerBackend: 2, pendingTime: 60_000 },
      },
    );
    const first = await open(gateway, 'mail.example.com');
    const second = open(gateway, 'mail.example.com');
    const third = await raw(gateway);
    third.socket.write(hello);
    const fourth = await raw(gateway);
    // Who is third and who fourth the network decides: one of them is one too many.
    fourth.socket.write(hello);
    await Promise.race([third.untilClosed(), fourth.untilClosed()]);
    expect(await line(gateway)).toMatchObject({ failure: 'overloaded' });
    third.destroy();
    fourth.destroy();
    first.destroy();
    expect(await asked(await second)).toBe('mail: hello\n');
    expect(mail.sockets.size).toBeLessThanOrEqual(1);
  });

  it('is what says nothing, where places are few; what says something comes in', async () => {
    const limits = { connections: 8 };
    const gateway = await serving([...toMail], { mail: await secureEcho('mail') }, { limits });
    const silent = [];
    for (let i = 0; i < 7; i++) silent.push(await raw(gateway));
    for (let i = 0; i < 4; i++) {
      expect(await asked(await open(gateway, 'mail.example.com'))).toBe('mail: hello\n');
    }
    await Promise.race(silent.map((each) => each.untilClosed()));
  });

  it('is one whose routing throws; it is counted, and the next goes on', async () => {
    const metrics = new Metrics();
    let draws = 0;
    const random = () => {
      if (draws++ === 0) throw new Error('planted');
      return 0;
    };
    const defects: unknown[] = [];
    const onDefect = (error: unknown) => defects.push(error);
    const gateway = await serving(
      [...toMail],
      { mail: await secureEcho('mail') },
      { metrics, random, onDefect },
    );
    await closes(gateway, hello);
    expect(await asked(await open(gateway, 'mail.example.com'))).toBe('mail: hello\n');
    expect(await line(gateway)).toMatchObject({ failure: 'internal-error' });
    expect(defects).toHaveLength(1);
    expect(await metrics.text()).toMatch(/event="internal-error"\} 1/);
  });

  it('is what is left after the time of a drain; until then connections go on', async () => {
    const gateway = await serving(
      [...toMail],
      { mail: await secureEcho('mail') },
      { limits: { drain: 300 } },
    );
    const client = await open(gateway, 'mail.example.com');
    const drained = gateway.agent.drain();
    expect(await asked(client)).toBe('mail: hello\n');
    await drained;
    await client.untilClosed();
  });
});

describe('mode Terminate', () => {
  const ends = [
    terminate('ends', '*.example.com'),
    backend('plain'),
    tlsRule({
      route: 'shop/plain',
      on: ['ends'],
      hostnames: ['own.example.com'],
      backends: [share('plain')],
    }),
  ];

  it('shows its own certificate, names no protocol, and passes on what is inside', async () => {
    const gateway = await serving(ends, { plain: await plainEcho('plain') });
    const client = await open(gateway, 'own.example.com', { ALPNProtocols: ['imap'] });
    expect(client.names).toBe('DNS:own.example.com');
    expect(client.socket.alpnProtocol).toBe(false);
    expect(await asked(client)).toBe('plain: hello\n');
    client.socket.end();
    await client.untilClosed();
    expect(await line(gateway)).toMatchObject({ listener: 'ends', bytesReceived: 6, bytesSent: 13 });
  });

  it('resumes sessions of its own, also after new ticket keys only with a handshake', async () => {
    const gateway = await serving(ends, { plain: await plainEcho('plain') });
    const first = await open(gateway, 'own.example.com');
    const [session] = (await once(first.socket, 'session')) as [Buffer];
    expect((await open(gateway, 'own.example.com', { session })).socket.isSessionReused()).toBe(true);
    gateway.agent.setTicketKeys(Buffer.alloc(48, 7));
    expect((await open(gateway, 'own.example.com', { session })).socket.isSessionReused()).toBe(false);
  });

  it('counts a handshake that fails, and closes', async () => {
    const metrics = new Metrics();
    const plain = await plainEcho('plain');
    const gateway = await serving(ends, { plain }, { metrics, limits: { tlsHandshake: 200 } });
    await expect(
      open(gateway, 'own.example.com', {
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    ).rejects.toThrow();
    const client = await raw(gateway);
    // It says nothing more.
    client.socket.write(await realHello({ servername: 'own.example.com' }));
    await client.untilClosed();
    while (gateway.log.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await metrics.text()).toMatch(/event="tls-handshake-failed"\} 2/);
    expect(gateway.log.map((each) => JSON.parse(each).failure)).toEqual([
      'client-handshake',
      'client-handshake',
    ]);
    expect(plain.connections).toBe(0);
  });

  it('closes where the backend resets before it said anything', async () => {
    const rude = await started(Backend.tcp((socket) => socket.destroy()));
    const gateway = await serving(ends, { plain: rude });
    const client = await open(gateway, 'own.example.com');
    await client.untilClosed();
    expect(await line(gateway)).toMatchObject({ failure: 'reset' });
  });
});

describe('beside HTTPS on one port', () => {
  const web = [
    https('web', 'own.example.com'),
    backend('web'),
    rule({ on: ['web'], rest: { backends: [to('web')] } }),
  ];

  it('HTTPS goes on as before, whatever the pieces of the ClientHello', async () => {
    const gateway = await serving([...web, ...toMail], {
      web: await started(Backend.echo('web')),
      mail: await secureEcho('mail'),
    });
    const client = await open(gateway, 'own.example.com');
    expect(client.names).toBe('DNS:own.example.com');
    expect(await client.get('own.example.com')).toBe(200);
    expect(await client.get('own.example.com')).toBe(200);
    expect(await client.get('mail.example.com')).toBe(421);
    expect(await asked(await open(gateway, 'mail.example.com'))).toBe('mail: hello\n');
    // A client of TLS over a socket that sends octet by octet.
    const slow = connect({ port: gateway.port(443), host: '127.0.0.1', noDelay: true });
    await once(slow, 'connect');
    const write = slow.write.bind(slow) as (octets: Buffer) => boolean;
    slow.write = ((octets: Buffer, ...rest: unknown[]) => {
      for (const octet of octets) write(Buffer.from([octet]));
      const done = rest.find((each) => typeof each === 'function') as (() => void) | undefined;
      done?.();
      return true;
    }) as typeof slow.write;
    const secure = connectTls({ socket: slow, ca: authority, servername: 'own.example.com' });
    await once(secure, 'secureConnect');
    const second = new TlsClient(secure);
    expect(await second.get('own.example.com')).toBe(200);
    second.destroy();
  });

  it('comes and goes without a connection of HTTPS being touched', async () => {
    const endpoints = { web: await started(Backend.echo('web')), mail: await secureEcho('mail') };
    const gateway = await serving(web, endpoints);
    const port = gateway.port(443);
    const before = await open(gateway, 'own.example.com');
    expect(await before.get('own.example.com')).toBe(200);
    const found = { web: [endpoints.web.endpoint], mail: [endpoints.mail.endpoint] };
    await gateway.serve({ resources: [...web, ...toMail], endpoints: found, certificates: [own] });
    expect(gateway.port(443)).toBe(port);
    const mail = await open(gateway, 'mail.example.com');
    expect(await asked(mail)).toBe('mail: hello\n');
    expect(await before.get('own.example.com')).toBe(200);
    await gateway.serve({ resources: web, endpoints: found, certificates: [own] });
    expect(await before.get('own.example.com')).toBe(200);
    // What a rule that is gone has begun goes on.
    expect(await asked(mail)).toBe('mail: hello\n');
    await expect(open(gateway, 'mail.example.com')).rejects.toThrow();
  });
});

/**
 * What is thrown where nobody's call is under way any more (a request that waits has its turn, is tried again, or its time is over; a certificate is
 * looked for) ends the request or connection that it is about, and nothing else.
 */
import { connect as connectTls, type TlsOptions } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { LIMITS } from '../../gateway-runtime/proxy/limits.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { Certificates, tlsOptions } from '../../gateway-runtime/proxy/tls.ts';
import type { Endpoint, HttpRule, Listener } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { getText, RawClient } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { until } from '../support/distribution.ts';
import { FragileProxy } from '../support/fragile.ts';
import { backend, backendKey, TestGateway, to } from '../support/gateway.ts';
import { openTls } from '../support/tls-client.ts';
import { listener, rule, tlsRule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();

/** Endpoints of a Service that has none of its own, which are looked up each time; the next look throws where it is told to. */
class Lookup {
  isBroken = false;
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  readonly find = (): readonly Endpoint[] => {
    if (!this.isBroken) return [this.#endpoint];
    this.isBroken = false;
    throw new Error('a defect of the lookup');
  };
}

class Watched {
  readonly lookup: Lookup;
  readonly defects: unknown[] = [];
  readonly metrics = new Metrics();

  constructor({ endpoint }: Backend) {
    this.lookup = new Lookup(endpoint);
  }

  options(limits: AgentOptions['limits'] = {}): Partial<AgentOptions> {
    return {
      metrics: this.metrics,
      onDefect: (error) => this.defects.push(error),
      fallbackEndpoints: this.lookup.find,
      limits: { connectionsPerEndpoint: 1, pendingTime: 60_000, ...limits },
    };
  }

  async serving(rest: Partial<HttpRule>, limits?: AgentOptions['limits']): Promise<TestGateway> {
    const resources = [
      listener('web'),
      backend('whoami'),
      rule({ rest: { backends: [to('whoami')], ...rest } }),
    ];
    return start(TestGateway.serving({ resources }, this.options(limits)));
  }

  /** So many have waited, or do. */
  async hasWaiting(count: number): Promise<void> {
    const line = new RegExp(`event="request-waited"} ${count}$`, 'm');
    while (!line.test(await this.metrics.text())) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async hasToldOne(): Promise<void> {
    await until('it was told', () => this.defects.length > 0);
    expect(this.defects).toEqual([new Error('a defect of the lookup')]);
    expect(await this.metrics.text()).toMatch(/event="internal-error"\} 1$/m);
  }
}

describe('what is thrown', () => {
  it('as a request that has waited is sent ends that one; who waits behind it is sent', async () => {
    const held: (() => void)[] = [];
    const slow = await start(Backend.http((_, response) => held.push(() => response.end('ok'))));
    const watched = new Watched(slow);
    const gateway = await watched.serving({});
    const first = gateway.get('a.example.com/1');
    await until('it is there', () => held.length === 1);
    // In order: their connections are read one after the other.
    const second = await RawClient.open(gateway.port());
    second.send(getText('/2'));
    await watched.hasWaiting(1);
    const third = gateway.get('a.example.com/3');
    await watched.hasWaiting(2);
    watched.lookup.isBroken = true;
    held[0]!();
    expect((await first).status).toBe(200);
    expect(await second.untilClosed()).toMatch(/^HTTP\/1\.1 500 /);
    await until('the next one is there', () => held.length === 2);
    held[1]!();
    expect((await third).status).toBe(200);
    await watched.hasToldOne();
    const last = gateway.get('a.example.com/4');
    await until('a later one is there', () => held.length === 3);
    held[2]!();
    expect((await last).status).toBe(200);
  });

  it('as a request is sent again ends that one', async () => {
    let asked = 0;
    const watched = new Watched(
      await start(
        Backend.http((_, response) => {
          if (asked++ === 0) {
            response.statusCode = 503;
            watched.lookup.isBroken = true;
          }
          response.end('ok');
        }),
      ),
    );
    const gateway = await watched.serving({ retry: { codes: [503], attempts: 2, backoff: 10 } });
    expect((await gateway.get('a.example.com/')).status).toBe(500);
    await watched.hasToldOne();
    expect((await gateway.get('a.example.com/')).status).toBe(200);
    expect(asked).toBe(2);
  });

  it('as the time of a request is over ends that one', async () => {
    let asked = 0;
    const watched = new Watched(
      await start(Backend.http((_, response) => void (asked++ > 0 && response.end('ok')))),
    );
    const rest = {
      timeouts: { request: 0, backendRequest: 100 },
      retry: { attempts: 1, backoff: 1, codes: [] },
    };
    const gateway = await watched.serving(rest, { attempts: 2 });
    const first = gateway.get('a.example.com/');
    await until('it is there', () => asked === 1);
    watched.lookup.isBroken = true;
    expect((await first).status).toBe(500);
    await watched.hasToldOne();
    expect((await gateway.get('a.example.com/')).status).toBe(200);
  });

  it('as a connection of a TLSRoute that has waited is joined ends that one; the next goes on', async () => {
    const echo = await start(
      Backend.tcp((socket) => socket.on('end', () => socket.end()).on('data', (data) => socket.write(data))),
    );
    const watched = new Watched(echo);
    const { id, ...own } = issue('infra/own', ['mail.example.com']);
    const mail = { weight: 1, name: 'Service shop/mail:80', backend: backendKey('mail') };
    const gateway = await start(
      TestGateway.serving(
        {
          resources: [
            listener('tls', { port: 443, protocol: 'TLS', tlsMode: 'Terminate', certificates: [id] }),
            backend('mail'),
            tlsRule({ hostnames: ['mail.example.com'], backends: [mail] }),
          ],
          certificates: [{ id, ...own }],
        },
        watched.options(),
      ),
    );
    const open = () => openTls(gateway.port(443), authority, { servername: 'mail.example.com' });
    const first = await open();
    first.send('one\n');
    await first.until('one\n');
    const second = await open();
    await watched.hasWaiting(1);
    watched.lookup.isBroken = true;
    first.destroy();
    await second.untilClosed();
    await watched.hasToldOne();
    const third = await open();
    third.send('three\n');
    await third.until('three\n');
    third.destroy();
    await until('all were told', () => gateway.log.length === 3);
    expect(gateway.lines().flatMap(({ failure }) => failure ?? [])).toEqual(['internal-error']);
  });

  it('as a certificate is looked for fails that handshake', async () => {
    const { id, ...bundle } = issue('shop/cert', ['a.example.com', 'broken.example.com']);
    const certificates = new Certificates();
    certificates.put(id, { id, ...bundle });
    const found = listener('web', { port: 80, protocol: 'HTTPS', certificates: [id] }) as Listener;
    const errors: unknown[] = [];
    const tls: TlsOptions = tlsOptions({
      certificates,
      listener: (serverName) => {
        if (serverName === 'broken.example.com') throw new Error('a defect of the table');
        return found;
      },
      demand: () => undefined,
      limits: LIMITS,
      protocols: ['http/1.1'],
      onError: (error) => errors.push(error),
    });
    const upstream = await start(Backend.echo('whoami'));
    const { port } = await start(FragileProxy.serving(upstream, 'onRequest', { tls }));
    const before = await openTls(port, authority, { servername: 'a.example.com' });
    const failed = connectTls({ port, host: '127.0.0.1', ca: authority, servername: 'broken.example.com' });
    failed.on('error', () => {});
    await new Promise((resolve) => failed.on('close', resolve));
    expect(errors).toEqual([new Error('a defect of the table')]);
    expect(await before.get('a.example.com')).toBe(200);
    const after = await openTls(port, authority, { servername: 'a.example.com' });
    expect(await after.get('a.example.com')).toBe(200);
    for (const each of [before, after]) each.destroy();
  });
});

/** What a callback of the engine throws ends the request or connection that it was called for, and nothing else. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { issue } from '../support/certificates.ts';
import { getText, RawClient, rawExchange } from '../support/client.ts';
import { until } from '../support/distribution.ts';
import { ENGINE } from '../support/engine.ts';
import { BODY, type Callback, type FragileOptions, FragileProxy, THROWS } from '../support/fragile.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

let upstream: Backend;
let proxy: FragileProxy;

/** What the path asks for. */
function answer(socket: Socket, path: string): void {
  if (path.includes('reset')) socket.destroy();
  else if (path.includes('cut')) {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut', () => socket.destroy());
  } else if (path.includes('switch')) {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nswitched',
    );
  } else if (!path.includes('silent')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
}

beforeEach(async () => {
  upstream = await Backend.tcp((socket) =>
    socket
      .on('end', () => socket.destroy())
      .on('data', (data: Buffer) => answer(socket, /^\S+ (\S+)/.exec(data.toString())?.[1] ?? '')),
  );
});
afterEach(async () => {
  await proxy?.close();
  await upstream.close();
});

async function serve(callback: Callback, options?: FragileOptions): Promise<void> {
  proxy = await FragileProxy.serving(upstream, callback, options);
}

const SWITCH = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

describe('what is thrown', () => {
  const switched: typeof THROWS = [
    ['onResponse', '/broken-switch', SWITCH, /^HTTP\/1\.1 500 |^$/],
    ['onFailure', '/broken-switch', '', /^HTTP\/1\.1 500 |^$/],
    ['onAuthorizationFailure', '/broken-ask/switch', '', /^HTTP\/1\.1 500 /],
  ];
  it.each([...THROWS, ...switched])(
    'in %s (%s) ends that request',
    async (callback, path, fields, expected) => {
      await serve(callback);
      const before = await RawClient.open(proxy.port);
      before.send(getText('/fine', ''));
      await before.until('ok');
      const client = await RawClient.open(proxy.port);
      client.send(getText(path, fields || undefined));
      expect(await client.untilClosed()).toMatch(expected);
      await proxy.toldOf(callback);
      before.send(getText('/fine'));
      expect((await before.untilClosed()).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
      await proxy.othersAreServed();
      await proxy.nothingIsLeft();
      expect(proxy.handler.ended).toBe(6);
    },
  );

  it.each(['onFailure', 'onEnd'] as const)('in %s ends with a client that goes', async (callback) => {
    await serve(callback);
    await proxy.clientGoes();
    await until('it was told', () => proxy.handler.errors.length > 0);
    await proxy.othersAreServed();
    await proxy.nothingIsLeft();
    expect(proxy.handler.ended).toBe(4);
  });

  it('in onEnd ends a tunnel', async () => {
    await serve('onEnd');
    const client = await RawClient.open(proxy.port);
    client.send(getText('/broken-switch', SWITCH));
    await client.until('switched');
    client.destroy();
    await until('it was told', () => proxy.handler.errors.length > 0);
    await proxy.othersAreServed();
    await proxy.nothingIsLeft();
  });

  it.each([
    ['for want of room', '/broken-mirrors', async () => ({ limits: { mirrorsPerEndpoint: 1 } })],
    ['since its endpoint is gone', '/broken-mirror', async () => ({ mirror: await unusedEndpoint() })],
    ['since it takes too little', '/broken-mirror', async () => ({ limits: { mirrorBytes: 1 } })],
  ])('in onMirrorDropped (%s) ends the copy, and the request has its answer', async (_, path, options) => {
    await serve('onMirrorDropped', await options());
    const client = await RawClient.open(proxy.port);
    client.send(getText(path, BODY));
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok$/s);
    await proxy.toldOf('onMirrorDropped');
    await proxy.othersAreServed();
    await proxy.nothingIsLeft();
    expect(proxy.handler.ended).toBe(4);
  });

  it('in onMalformed ends that connection', async () => {
    await serve('onMalformed');
    await rawExchange(proxy.port, 'no request\r\n\r\n');
    expect(proxy.handler.errors).toHaveLength(1);
    await proxy.othersAreServed();
    await proxy.nothingIsLeft();
  });

  it('in onConnectionDropped does no harm', async () => {
    await serve('onConnectionDropped', { limits: { connections: 2 } });
    const held: RawClient[] = [];
    for (const _ of [1, 2]) {
      const client = await RawClient.open(proxy.port);
      held.push(client);
      const forwarded = once(upstream.server, 'connection');
      client.send(getText('/silent'));
      await forwarded;
    }
    const third = await RawClient.open(proxy.port);
    await third.untilClosed();
    expect(proxy.handler.errors).toHaveLength(1);
    for (const { socket } of held) socket.resetAndDestroy();
    await proxy.nothingIsLeft();
  });

  it('in onConnectionDropped for an idle connection does no harm either', async () => {
    await serve('onConnectionDropped', { limits: { connections: 2 } });
    const idle = await RawClient.open(proxy.port);
    const client = await RawClient.open(proxy.port);
    if (ENGINE !== 'node') {
      await idle.untilClosed();
      expect(proxy.handler.errors).toHaveLength(1);
    }
    client.send(getText('/fine'));
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
    idle.destroy();
    await proxy.nothingIsLeft();
  });

  it('in onHandshakeFailure does no harm', async () => {
    const { certificate, privateKey } = issue('shop/cert', ['a.example.com']);
    await serve('onHandshakeFailure', { tls: { cert: certificate, key: privateKey } });
    for (let i = 0; i < 2; i++) {
      const socket = connectTcp(proxy.port, '127.0.0.1');
      const closed = once(
        socket.on('error', () => {}),
        'close',
      );
      socket.write('not TLS');
      await closed;
    }
    await until('it was told', () => proxy.handler.errors.length === 2);
    await proxy.nothingIsLeft();
  });
});

describe('a defect', () => {
  it('in the access log and in what is told of defects is counted, and requests go on', async () => {
    const metrics = new Metrics();
    const fail = () => {
      throw new Error('full');
    };
    const gateway = await TestGateway.serving(
      {
        resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
        endpoints: { whoami: [upstream.endpoint] },
      },
      { metrics, accessLog: fail, onDefect: fail },
    );
    try {
      for (let i = 0; i < 3; i++) {
        expect(await rawExchange(gateway.port(), getText('/fine'))).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok$/s);
        expect(await rawExchange(gateway.port(), 'no request\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
      }
      expect(await metrics.text()).toMatch(/event="internal-error"} 6/);
    } finally {
      await gateway.agent.close();
    }
  });
});

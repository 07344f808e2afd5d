/** Backends that answer before they have read the request, and close: what they said is read, though nothing can be written any more. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { internals } from '../../../../gateway-runtime/proxy/engine-http1/internals.ts';
import { PUBLIC } from '../../../../gateway-runtime/proxy/engine-http1/transport.ts';
import { UpstreamPool } from '../../../../gateway-runtime/proxy/engine-http1/upstream-pool.ts';
import { secureContext, UpstreamTls } from '../../../../gateway-runtime/proxy/upstream/upstream-tls.ts';
import { authority, issue } from '../../../support/certificates.ts';
import { ManualClient } from './client.ts';

const HOST = 'cart.shop.internal';
const NONE: UpstreamTls | undefined = undefined;

let server: Server;

afterEach(async () => {
  server.close();
  await once(server, 'close');
});

describe.each([
  ['the public transport', PUBLIC, NONE],
  ['the one on internals', internals()!, NONE],
  ['TLS', PUBLIC, trusting()],
])('%s', (_, transport, tls) => {
  /** What a client is told of an answer after which the backend resets, while more of the request is written. */
  async function toldOf(answer: string): Promise<string[]> {
    server = tls ? createTlsServer(certified()) : createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const raw = once(server, 'connection');
    const accepted = tls ? once(server, 'secureConnection') : raw;
    const { port } = server.address() as AddressInfo;
    const pool = new UpstreamPool({ ...new ManualClient().context, transport }, 1);
    const connection = pool.take({ address: '127.0.0.1', port, tls }, false, false)!;
    const told: string[] = [];
    const isOver = new Promise<void>((resolve) => {
      const sink = {
        onUpstreamMoved: () => {},
        onUpstreamReady: () => {},
        onInformation: () => {},
        onUpstreamHead: () => void told.push(String(connection.head.status)),
        onSwitch: () => {},
        onUpstreamBody: (octets: Buffer, start: number, end: number) => {
          told.push(octets.toString('latin1', start, end));
          return true;
        },
        onUpstreamEnd: () => {
          told.push(connection.isReusable ? 'reusable' : 'end');
          connection.release();
          resolve();
        },
        onUpstreamPause: () => {},
        onUpstreamFailure: (failure: string) => {
          told.push(failure);
          resolve();
        },
        fail: (error: unknown) => {
          told.push(String(error));
          resolve();
        },
      };
      connection.begin(sink, 'POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n', false, true, false, true);
    });
    const [backend] = (await accepted) as [Socket];
    const [socket] = (await raw) as [Socket];
    backend.on('error', () => {});
    const part = Buffer.alloc(1_000);
    connection.sendBody(part, 0, part.length, true);
    await once(backend, 'data');
    await new Promise((resolve) => backend.write(answer, 'latin1', resolve));
    socket.resetAndDestroy();
    // Before anything else is read.
    connection.sendBody(part, 0, part.length, true);
    connection.sendBody(Buffer.alloc(290_000), 0, 290_000, true);
    connection.endBody('');
    await isOver;
    pool.close();
    expect(pool).toMatchObject({ size: 0, endpoints: 0 });
    return told;
  }

  it('gives the answer, and the connection is not used again', async () => {
    const answer = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge';
    expect(await toldOf(answer)).toEqual(['413', 'large', 'end']);
  });

  it('tells of one that has no end but that of the connection that it is not whole', async () => {
    expect(await toldOf('HTTP/1.1 200 OK\r\n\r\npart')).toEqual(['200', 'part', 'malformed']);
  });

  it('fails where there is none', async () => {
    expect(await toldOf('')).toEqual(['reset']);
  });
});

function certified() {
  const { certificate, privateKey } = issue('shop/cart', [HOST]);
  return { cert: certificate, key: privateKey };
}

function trusting(): UpstreamTls {
  const context = secureContext({ authorities: [authority], client: undefined });
  return new UpstreamTls({ policy: 'shop/cart', hostname: HOST, authorities: [] }, context);
}

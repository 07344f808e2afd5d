/** Frames of HTTP/2 that cost their sender little: each ends its connection, or costs this side no more, and others are served meanwhile. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Backend } from '../support/backend.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';
import { END_HEADERS, END_STREAM, frame } from '../support/http2-wire.ts';

const start = closedAfterEach();
let upstream: Backend;
let gateway: TestGateway;

async function serve(made: Promise<Backend> = Backend.echo('whoami'), options?: Partial<AgentOptions>) {
  upstream = await start(made);
  gateway = await start(
    TestGateway.serving(serviceWhoami([upstream.endpoint]), { engine: 'http1', ...options }),
  );
}

const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [
  0, 1, 3, 4, 6, 7, 8, 9,
];

/** Of HPACK (RFC 7541): a field that is not indexed, by its own name. */
const literal = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);

/** :method GET, :scheme http, :path /, :authority a.example.com */
const GET = Buffer.concat([
  Buffer.from([0x82, 0x86, 0x84, 0x01, 'a.example.com'.length]),
  Buffer.from('a.example.com'),
]);
const POST = Buffer.concat([Buffer.from([0x83]), GET.subarray(1)]);

const clients: Socket[] = [];
afterEach(() => {
  for (const socket of clients.splice(0)) socket.destroy();
});

/** A connection of HTTP/2, frame by frame. */
class Attacker {
  readonly socket: Socket;
  /** Types of the frames that came, and the error of a GOAWAY. */
  readonly types: number[] = [];
  goaway: number | undefined;
  #received = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    clients.push(socket);
    socket.on('error', () => {});
    socket.on('data', (octets: Buffer) => this.#read(octets));
  }

  static async open(settings: Buffer = Buffer.alloc(0)): Promise<Attacker> {
    const socket = connectTcp(gateway.port(), '127.0.0.1');
    await once(socket, 'connect');
    const attacker = new Attacker(socket);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(frame(SETTINGS, 0, 0, settings));
    return attacker;
  }

  #read(octets: Buffer): void {
    this.#received = Buffer.concat([this.#received, octets]);
    while (this.#received.length >= 9) {
      const length = this.#received.readUIntBE(0, 3);
      if (this.#received.length < 9 + length) return;
      const type = this.#received[3]!;
      this.types.push(type);
      if (type === GOAWAY) this.goaway = this.#received.readUInt32BE(9 + 4);
      this.#received = this.#received.subarray(9 + length);
    }
  }

  /** Sends batches of frames until the other side closes the connection; fails where it has not after so many. */
  async untilClosed(batch: (number: number) => Buffer, most: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    for (let number = 0; number < most && this.socket.writable; number++) {
      const drained = new Promise<void>((resolve) => this.socket.once('drain', () => resolve()));
      if (this.socket.write(batch(number))) await new Promise(setImmediate);
      else await Promise.race([drained, closed]);
    }
    expect(this.socket.writable).toBe(false);
    await closed;
  }

  async until(type: number): Promise<void> {
    while (!this.types.includes(type)) await once(this.socket, 'data');
  }
}

/** Another client, over HTTP/1.1. */
async function othersAreServed(): Promise<void> {
  expect(await gateway.get('a.example.com/')).toMatchObject({ status: 200, body: 'whoami\n' });
}

const many = (count: number, make: (index: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const streamOf = (index: number) => 2 * index + 1;

describe('a connection is closed', () => {
  it('for streams that are opened and reset at once (CVE-2023-44487)', async () => {
    await serve();
    const attacker = await Attacker.open();
    await attacker.untilClosed(
      (number) =>
        many(100, (i) => {
          const stream = streamOf(100 * number + i);
          return Buffer.concat([
            frame(HEADERS, END_STREAM | END_HEADERS, stream, GET),
            frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8])),
          ]);
        }),
      200,
    );
    // An error, where it came through before the end.
    expect(attacker.goaway).not.toBe(0);
    expect(upstream.seen.length).toBeLessThan(5_000);
    await othersAreServed();
  });

  it('for streams that it makes this side reset (CVE-2025-8671)', async () => {
    await serve(Backend.http((message) => message.resume()));
    const attacker = await Attacker.open();
    await attacker.untilClosed(
      (number) =>
        many(100, (i) => {
          const stream = streamOf(100 * number + i);
          return Buffer.concat([
            frame(HEADERS, END_STREAM | END_HEADERS, stream, GET),
            // An increment of 0 is an error of the stream (RFC 9113 section 6.9).
            frame(WINDOW_UPDATE, 0, stream, Buffer.alloc(4)),
          ]);
        }),
      200,
    );
    expect(upstream.connections).toBeLessThan(5_000);
  });

  it('for a head that goes on and on (CVE-2024-27316)', async () => {
    await serve();
    const attacker = await Attacker.open();
    attacker.socket.write(frame(HEADERS, END_STREAM, 1, GET));
    await attacker.untilClosed(
      () => many(16, () => frame(CONTINUATION, 0, 1, literal('x', 'y'.repeat(100)))),
      200,
    );
    expect(upstream.seen).toEqual([]);
    await othersAreServed();
  });

  it('for settings that nobody waits for (CVE-2019-9515)', async () => {
    await serve();
    const attacker = await Attacker.open();
    attacker.socket.pause();
    await attacker.untilClosed(() => many(1_000, () => frame(SETTINGS, 0, 0)), 1_000);
    await othersAreServed();
  });

  it('for pings whose answers are not read (CVE-2019-9512)', async () => {
    await serve();
    const attacker = await Attacker.open();
    attacker.socket.pause();
    await attacker.untilClosed(() => many(1_000, () => frame(PING, 0, 0, Buffer.alloc(8))), 10_000);
    await othersAreServed();
  });

  it('for empty data (CVE-2019-9518)', async () => {
    await serve();
    const attacker = await Attacker.open();
    attacker.socket.write(frame(HEADERS, END_HEADERS, 1, POST));
    await attacker.untilClosed(() => many(1_000, () => frame(DATA, 0, 1)), 200);
    await othersAreServed();
  });
});

describe('a stream is refused', () => {
  it('where its head is small on the wire and large when it is read', async () => {
    await serve();
    const attacker = await Attacker.open();
    // One large field, put into the table once, and then named by one octet each time.
    const large = Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from('x'),
      Buffer.from([0x7f, 0x81, 0x1e]),
      Buffer.alloc(0x7f + 0xf01, 'y'),
    ]);
    const bomb = Buffer.concat([GET, large, Buffer.alloc(12_000, 0xbe)]);
    attacker.socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, bomb));
    await Promise.race([attacker.until(RST_STREAM), attacker.until(HEADERS), once(attacker.socket, 'close')]);
    expect(upstream.seen).toEqual([]);
    await othersAreServed();
  });

  it('where its connection has many', async () => {
    await serve(
      Backend.http((message, response) =>
        message.headers['x-other'] ? response.end('whoami\n') : undefined,
      ),
    );
    const attacker = await Attacker.open();
    attacker.socket.write(many(200, (i) => frame(HEADERS, END_STREAM | END_HEADERS, streamOf(i), GET)));
    await attacker.until(RST_STREAM);
    const other = await gateway.get('a.example.com/', { headers: { 'x-other': '1' } });
    expect(other.body).toBe('whoami\n');
    expect(upstream.connections).toBeLessThanOrEqual(129);
  });
});

describe('answers that a client gives no room for', () => {
  it('hold no more than a part each, and go when others need their place', async () => {
    await serve(
      Backend.http((message, response) => {
        response.end(message.url === '/' ? Buffer.alloc(8 * 1024 * 1024) : 'whoami\n');
      }),
      { limits: { connectionsPerEndpoint: 8, pendingTime: 20_000 } },
    );
    // SETTINGS_INITIAL_WINDOW_SIZE of 0.
    const attacker = await Attacker.open(Buffer.from([0, 4, 0, 0, 0, 0]));
    attacker.socket.write(many(8, (i) => frame(HEADERS, END_STREAM | END_HEADERS, streamOf(i), GET)));
    while (upstream.connections < 8) await once(upstream.server, 'connection');
    const other = await gateway.get('a.example.com/other');
    expect(other.body).toBe('whoami\n');
    await attacker.until(RST_STREAM);
  });

  it('go in the end', async () => {
    await serve(
      Backend.http((_, response) => response.end(Buffer.alloc(8 * 1024 * 1024))),
      { limits: { clientStall: 300 } },
    );
    const attacker = await Attacker.open(Buffer.from([0, 4, 0, 0, 0, 0]));
    attacker.socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, GET));
    await once(attacker.socket, 'close');
  });
});

describe('a client that ends its side', () => {
  it('gets what it asked for, and its connection is not kept for more', async () => {
    let answer = () => {};
    await serve(Backend.http((_, response) => (answer = () => response.end('whoami\n'))));
    const attacker = await Attacker.open();
    const asked = once(upstream.server, 'request');
    attacker.socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, GET));
    await asked;
    const closed = once(attacker.socket, 'close');
    attacker.socket.end();
    answer();
    await attacker.until(DATA);
    await closed;
  });

  it('loses a request of which it has not sent all, and its backend knows', async () => {
    await serve(Backend.http(() => {}));
    const attacker = await Attacker.open();
    const asked = once(upstream.server, 'request') as Promise<[IncomingMessage]>;
    attacker.socket.write(frame(HEADERS, END_HEADERS, 1, POST));
    attacker.socket.write(frame(DATA, 0, 1, Buffer.from('x')));
    const [message] = await asked;
    const gone = new Promise((resolve) => message.on('error', () => {}).once('close', resolve));
    const closed = once(attacker.socket, 'close');
    attacker.socket.end();
    await closed;
    await gone;
    expect(message.complete).toBe(false);
  });
});

describe('a body that comes too slowly', () => {
  it('may take as long as it takes where it is answered meanwhile', async () => {
    await serve(
      Backend.http((message, response) => {
        response.write('begun');
        message.on('data', () => {}).on('end', () => response.end());
      }),
      { limits: { requestTime: 100 } },
    );
    const attacker = await Attacker.open();
    attacker.socket.write(frame(HEADERS, END_HEADERS, 1, POST));
    await attacker.until(DATA);
    const until = performance.now() + 600;
    while (performance.now() < until) {
      attacker.socket.write(frame(DATA, 0, 1, Buffer.from('x')));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    attacker.socket.write(frame(DATA, END_STREAM, 1));
    while (gateway.log.length === 0) await new Promise(setImmediate);
    expect(gateway.lines()).toMatchObject([{ status: 200 }]);
    expect(gateway.lines()[0]).not.toHaveProperty('failure');
  });

  it('has the time of a request, however much moves on its connection', async () => {
    await serve(
      Backend.http((message, response) => message.on('data', () => {}).on('end', () => response.end())),
      { limits: { requestTime: 400 } },
    );
    const attacker = await Attacker.open();
    attacker.socket.write(frame(HEADERS, END_HEADERS, 1, POST));
    while (!attacker.types.includes(HEADERS)) {
      attacker.socket.write(frame(DATA, 0, 1, Buffer.from('x')));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(gateway.lines()).toMatchObject([{ status: 408, protocol: 'HTTP/2.0' }]);
  });
});

/** Connections from clients: times, ends, backpressure and what is thrown at them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../../../../gateway-runtime/proxy/exchange.ts';
import { ManualClient, turn } from './client.ts';

const HOST = 'Host: a.example.com\r\n';
const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const LIMITS = { headTime: 5_000, clientIdle: 10_000, clientStall: 30_000 };

describe('what comes in pieces', () => {
  const streams: [string, string][] = [
    ['requests behind each other', get('/1') + get('/2') + get('/3', 'Connection: close\r\n')],
    [
      'bodies that nobody wants',
      `POST /1 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello` +
        `POST /2 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nA: b\r\n\r\n${get('/3')}`,
    ],
    ['line ends before a request', `\r\n${get('/1')}\r\n${get('/2')}`],
    ['two empty lines before a request', `\r\n\r\n${get('/1')}`],
    ['two empty lines behind a request', `${get('/1')}\r\n\r\n${get('/2')}`],
    ['HTTP/2 behind an empty line', '\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['something else behind a request', `${get('/1')}\x00`],
    ['a request that is not routed', `GET /\\ HTTP/1.1\r\n${HOST}\r\n${get('/2')}`],
    ['a method that is not known', `BREW / HTTP/1.1\r\n${HOST}\r\n${get('/2')}`],
    ['another version', `GET / HTTP/2.0\r\n${HOST}\r\n${get('/2')}`],
    ['too many fields', `GET / HTTP/1.1\r\n${HOST}${'X: 1\r\n'.repeat(100)}\r\n${get('/2')}`],
    ['a chunk that is none', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nx\r\n${get('/2')}`],
    ['two lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx${get('/2')}`],
    ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n${get('/2')}`],
  ];
  it.each(streams)('is answered as in one piece: %s', async (_, text) => {
    const whole = new ManualClient();
    await whole.send(text);
    expect(whole.socket.sent).not.toBe('');
    for (let size = 1; size < Math.min(text.length, 200); size++) {
      const client = new ManualClient();
      await client.send(text, size);
      expect([size, client.socket.sent]).toEqual([size, whole.socket.sent]);
      expect(client.malformed).toEqual(whole.malformed);
    }
  });
});

describe('a client that is done', () => {
  it('is not read for ever, whatever it goes on to send', async () => {
    const client = new ManualClient();
    await client.send('garbage\r\n\r\n');
    expect(client.statuses).toEqual([400]);
    for (let i = 0; i < 30; i++) {
      await client.send('more');
      client.clock.pass(100);
    }
    expect(client.socket.destroyed).toBe(true);
    await turn();
    expect(client.clock.timed.size).toBe(0);
  });

  it.each([
    ['is let go with the answer, where it said so with its request', 'Connection: close\r\n', '', true],
    ['is read on, where it sends more than it said', 'Connection: close\r\n', 'GET', false],
    ['is read on, where only the gateway said so', '', '', false],
  ])('%s', async (_, fields, more, isGone) => {
    const waiting: Exchange[] = [];
    const client = new ManualClient({ handler: { onRequest: (exchange) => waiting.push(exchange) } });
    if (fields === '') client.stream.retire();
    await client.send(get('/', fields) + more);
    waiting[0]!.reply({ status: 200, headers: [], body: '' });
    // What comes and is not read would reset the connection, and take the answer along.
    expect([client.statuses, client.socket.destroyed]).toEqual([[200], isGone]);
    expect(client.socket.writableEnded).toBe(!isGone);
  });

  it('gets its last answer whole, however slowly it reads', async () => {
    const body = 'x'.repeat(100_000);
    const client = new ManualClient({
      reads: false,
      limits: LIMITS,
      handler: { onRequest: (exchange) => exchange.reply({ status: 200, headers: [], body }) },
    });
    await client.send(get('/', 'Connection: close\r\n'));
    client.clock.pass(20_000);
    expect(client.socket.destroyed).toBe(false);
    client.socket.readAll();
    await turn();
    expect(client.socket.sent.endsWith(`\r\n\r\n${body}`)).toBe(true);
    client.clock.pass(1_500);
    expect(client.socket.destroyed).toBe(true);
  });

  it('and reads nothing goes in the end, whether it said that it is done or not', async () => {
    for (const says of [true, false]) {
      const client = new ManualClient({ reads: false, limits: LIMITS });
      await client.send(get('/', 'Connection: close\r\n'));
      if (says) await client.end();
      client.clock.pass(31_000);
      await turn();
      expect([says, client.socket.destroyed, client.clock.timed.size]).toEqual([says, true, 0]);
    }
  });

  it('gets answers to all that it sent before', async () => {
    const client = new ManualClient();
    const waiting: (() => void)[] = [];
    (client.context.handler as { onRequest: unknown }).onRequest = (exchange: {
      reply: (reply: object) => void;
    }) => {
      waiting.push(() => exchange.reply({ status: 200, headers: [], body: '' }));
    };
    await client.send(get('/1') + get('/2') + get('/3'));
    await client.end();
    for (let i = 0; i < 3; i++) {
      waiting.shift()!();
      await turn();
    }
    expect(client.statuses).toEqual([200, 200, 200]);
    expect(client.socket.sent.match(/Connection: close/g)).toHaveLength(1);
    await turn();
    expect([client.socket.destroyed, client.clock.timed.size]).toEqual([true, 0]);
  });

  it('in the middle of a head behind a request gets the answer to that request', async () => {
    const client = new ManualClient();
    let answer = () => {};
    (client.context.handler as { onRequest: unknown }).onRequest = (exchange: {
      reply: (reply: object) => void;
    }) => {
      answer = () => exchange.reply({ status: 200, headers: [], body: '' });
    };
    await client.send(`${get('/1')}GET /2`);
    await client.end();
    answer();
    await turn();
    await turn();
    expect([client.statuses, client.socket.destroyed, client.clock.timed.size]).toEqual([[200], true, 0]);
  });
});

describe('a client that does not read', () => {
  it('is served no further requests until it does', async () => {
    const client = new ManualClient({ reads: false, limits: LIMITS });
    const count = 20_000;
    const text = get('/').repeat(count);
    const size = 64 * 1024;
    for (let at = 0; at < text.length; at += size) await client.send(text.slice(at, at + size));
    // What waits is bounded: answers by the buffer of the socket, requests by what is kept unread.
    expect(client.requests.length).toBeLessThan(1_000);
    expect(client.socket.writableLength).toBeLessThan(64 * 1024);
    client.clock.pass(20_000);
    expect(client.malformed).toEqual([]);
    client.socket.readAll();
    while (client.requests.length < count) {
      const before = client.requests.length;
      for (let i = 0; i < 10; i++) await turn();
      expect(client.requests.length).toBeGreaterThan(before);
    }
    expect(client.statuses.length).toBe(count);
    await client.end();
    expect(client.socket.destroyed).toBe(true);
  });

  it('is let go', async () => {
    const client = new ManualClient({ reads: false, limits: LIMITS });
    await client.send(get('/').repeat(5_000));
    client.clock.pass(31_000);
    await turn();
    expect([client.socket.destroyed, client.clock.timed.size]).toEqual([true, 0]);
  });
});

describe('times', () => {
  it('of a head run from its first octet, however it drips', async () => {
    const client = new ManualClient({ limits: LIMITS });
    const text = get('/', `X: ${'x'.repeat(200)}\r\n`);
    for (let at = 0; at < 60; at++) {
      await client.send(text[at]!);
      client.clock.pass(100);
    }
    expect(client.statuses).toEqual([408]);
  });

  it('of an idle connection run on, though a line end comes', async () => {
    const client = new ManualClient({ limits: LIMITS });
    await client.send(get('/'));
    client.clock.pass(5_000);
    await client.send('\r\n');
    client.clock.pass(6_000);
    expect(client.statuses).toEqual([200]);
    expect(client.socket.writableEnded).toBe(true);
  });

  it('of a first request run from the connection', async () => {
    const client = new ManualClient({ limits: LIMITS });
    client.clock.pass(4_900);
    expect(client.socket.destroyed).toBe(false);
    client.clock.pass(300);
    expect([client.socket.destroyed, client.socket.sent]).toEqual([true, '']);
  });

  it('of a first request over TLS end with a notice', async () => {
    const client = new ManualClient({ limits: LIMITS, tls: true });
    client.clock.pass(5_200);
    expect([client.socket.writableEnded, client.socket.destroyed]).toEqual([true, false]);
  });

  it('of a body that nobody wants are short', async () => {
    const client = new ManualClient({ limits: LIMITS });
    await client.send(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`);
    for (let i = 0; i < 25; i++) {
      await client.send('x');
      client.clock.pass(100);
    }
    expect([client.statuses, client.socket.destroyed]).toEqual([[200], true]);
  });
});

describe('a handler that throws', () => {
  const defect = () => {
    throw new Error('a defect');
  };

  it('on a request has it answered 500', async () => {
    const client = new ManualClient({ handler: { onRequest: defect } });
    await client.send(get('/'));
    expect([client.statuses, client.errors.length]).toEqual([[500], 1]);
  });

  it('at the end of a request has the connection closed', async () => {
    const client = new ManualClient({ handler: { onEnd: defect } });
    await client.send(get('/'));
    await turn();
    expect([client.errors.length, client.socket.destroyed, client.clock.timed.size]).toEqual([1, true, 0]);
  });

  it('at what is no request has the connection closed, whoever noticed', async () => {
    const client = new ManualClient({ handler: { onMalformed: defect } });
    await client.send('\x00');
    await turn();
    expect([client.errors.length, client.socket.destroyed, client.clock.timed.size]).toEqual([1, true, 0]);
    const slow = new ManualClient({ limits: LIMITS, handler: { onMalformed: defect } });
    await slow.send('GET');
    slow.clock.pass(5_100);
    await turn();
    expect([slow.errors.length, slow.socket.destroyed, slow.clock.timed.size]).toEqual([1, true, 0]);
  });

  it('when a client goes has nothing left behind', async () => {
    const client = new ManualClient({ handler: { onRequest: () => {}, onFailure: defect } });
    await client.send(get('/'));
    client.socket.destroy();
    await turn();
    expect([client.errors.length, client.totals.length, client.clock.timed.size]).toEqual([1, 1, 0]);
  });
});

describe('connections that are idle', () => {
  it('hold nothing of the heads that came on them', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const request = get('/', `X: ${'x'.repeat(60_000)}\r\n`);
    const clients: ManualClient[] = [];
    const send = async (client: ManualClient) => {
      await client.send(request);
      expect(client.statuses).toEqual([200]);
      client.requests.length = 0;
    };
    await send(new ManualClient());
    for (let i = 0; i < 300; i++) {
      clients.push(new ManualClient());
      await send(clients[i]!);
    }
    const held = used();
    for (const client of clients) client.clock.pass(100);
    // Of the 60 kB that each held.
    expect(held - used()).toBeGreaterThan(300 * 50_000);
    expect(clients.every(({ socket }) => !socket.destroyed)).toBe(true);
    for (const client of clients) {
      await client.send(get('/again'));
      expect(client.socket.sent).toMatch(/GET \/again$/);
    }
  });
});

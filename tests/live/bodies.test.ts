/** Bodies: streamed both ways as they come, held back where the other side is slow, and cut where one side goes. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { RawClient, rawExchange } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

let upstream: Backend | undefined;
let gateway: TestGateway;

beforeEach(async () => {
  upstream = undefined;
});
afterEach(async () => {
  await gateway.agent.close();
  await upstream?.close();
});

async function serve(made: Promise<Backend>, options: Parameters<typeof TestGateway.serving>[1] = {}) {
  upstream = await made;
  gateway = await TestGateway.serving(
    {
      resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
      endpoints: { whoami: [upstream.endpoint] },
    },
    options,
  );
  return upstream;
}

function open(method: string, headers: Record<string, string> = {}): ClientRequest {
  const opened = request({
    host: '127.0.0.1',
    port: gateway.port(),
    path: '/',
    method,
    agent: false,
    headers: { host: 'a.example.com', ...headers },
  });
  opened.on('error', () => {});
  return opened;
}

async function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += String(chunk);
  return text;
}

/** Waits until a number does not change any more. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  while (before !== read()) {
    before = read();
    await delay(100);
  }
  return before;
}

const MEGABYTE = 1024 * 1024;
/** What the kernel's buffers of four sockets may hold, and some. */
const IN_FLIGHT = 24 * MEGABYTE;

describe('the body of a request', () => {
  it('keeps its framing: a length, chunks, or none', async () => {
    const { seen } = await serve(Backend.echo('whoami'));
    await gateway.get('a.example.com/', { method: 'POST', body: 'hello' });
    await gateway.get('a.example.com/', {
      method: 'POST',
      body: 'hello',
      headers: { 'transfer-encoding': 'chunked' },
    });
    await gateway.get('a.example.com/', { method: 'POST', headers: { 'content-length': '0' } });
    await rawExchange(gateway.port(), 'POST / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n');
    await gateway.get('a.example.com/', {
      method: 'GET',
      body: 'in a GET',
      headers: { 'content-length': '8' },
    });
    await gateway.get('a.example.com/', { method: 'DELETE' });
    expect(
      seen.map(({ method, body, headers }) => [
        method,
        body,
        headers['content-length'],
        headers['transfer-encoding'],
      ]),
    ).toEqual([
      ['POST', 'hello', '5', undefined],
      ['POST', 'hello', undefined, 'chunked'],
      ['POST', '', '0', undefined],
      ['POST', '', '0', undefined],
      ['GET', 'in a GET', '8', undefined],
      ['DELETE', '', undefined, undefined],
    ]);
    expect(gateway.lines().map(({ bytesReceived, bytesSent }) => [bytesReceived, bytesSent])).toEqual([
      [5, 7],
      [5, 7],
      [0, 7],
      [0, 7],
      [8, 7],
      [0, 7],
    ]);
  });

  it('reaches the backend as it is sent, the head first', async () => {
    const { server } = await serve(Backend.echo('whoami'));
    const arrived = once(server, 'request') as Promise<[IncomingMessage]>;
    const sent = open('POST', { 'transfer-encoding': 'chunked' });
    sent.flushHeaders();
    const [message] = await arrived;
    sent.write('first');
    const [first] = (await once(message, 'data')) as [Buffer];
    expect(first.toString()).toBe('first');
    sent.end('second');
    expect((await responseOf(sent)).statusCode).toBe(200);
  });

  it('is held back where the backend does not read it, and arrives whole when it does', async () => {
    let message: IncomingMessage | undefined;
    await serve(
      Backend.http((incoming, response) => {
        message = incoming;
        incoming.pause();
        incoming.on('end', () => response.end('read'));
      }),
    );
    const total = 96 * MEGABYTE;
    const sent = open('POST', { 'content-length': String(total) });
    const chunk = Buffer.alloc(MEGABYTE, 7);
    let written = 0;
    const write = () => {
      while (written < total) {
        written += chunk.length;
        if (!sent.write(chunk)) return void sent.once('drain', write);
      }
      sent.end();
    };
    write();
    const taken = await settled(() => (sent.socket?.bytesWritten ?? 0) - (sent.socket?.writableLength ?? 0));
    expect(taken).toBeLessThan(IN_FLIGHT);
    let read = 0;
    message!.on('data', (data: Buffer) => {
      read += data.length;
    });
    message!.resume();
    expect(await textOf(await responseOf(sent))).toBe('read');
    expect(read).toBe(total);
    expect(gateway.lines()).toMatchObject([{ status: 200, bytesReceived: total }]);
  });

  it('ends for the backend where the client goes', async () => {
    const { server } = await serve(Backend.http(() => {}));
    const arrived = once(server, 'request') as Promise<[IncomingMessage]>;
    const sent = open('POST', { 'content-length': '1000' });
    sent.write('begun');
    const [message] = await arrived;
    const begun = once(message, 'data');
    const gone = new Promise((resolve) => message.on('error', () => {}).on('close', resolve));
    await begun;
    sent.destroy();
    await gone;
    expect(message.complete).toBe(false);
    await settled(() => gateway.log.length);
    expect(gateway.lines()).toMatchObject([{ status: 0, failure: 'client-gone', bytesReceived: 5 }]);
  });

  it('brings its trailers, but none that would change the message', async () => {
    const { seen } = await serve(Backend.echo('whoami'));
    await rawExchange(
      gateway.port(),
      'POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n' +
        '3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Forwarded-For: 10.0.0.1\r\nX_Real_Ip: 10.0.0.1\r\nAuthorization: me\r\nHost: b\r\n\r\n',
    );
    expect(seen).toMatchObject([{ body: 'abc', headers: { trailer: 'X-Sum' } }]);
    expect(seen[0]!.trailers).toEqual({ 'x-sum': '1' });
  });

  it('may announce trailers that a length leaves no room for', async () => {
    const { seen } = await serve(Backend.echo('whoami'));
    await rawExchange(
      gateway.port(),
      'POST / HTTP/1.1\r\nHost: a.example.com\r\nTrailer: X-Sum\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
    );
    expect(seen).toMatchObject([{ body: 'abc' }]);
  });
});

describe('Expect: 100-continue', () => {
  const expecting =
    'POST / HTTP/1.1\r\nHost: a.example.com\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n';

  it('is for the backend to answer', async () => {
    const { seen } = await serve(Backend.echo('whoami'));
    const client = await RawClient.open(gateway.port());
    client.send(expecting);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    expect(client.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    expect(await client.untilClosed()).toContain('HTTP/1.1 200 OK');
    expect(seen).toMatchObject([{ body: 'hello' }]);
  });

  it('and when it refuses, the body is not waited for and the connection closed', async () => {
    await serve(
      Backend.http(
        () => {},
        (server) => server.on('checkContinue', (_, response) => response.writeHead(401).end('no')),
      ),
    );
    const answer = await rawExchange(gateway.port(), expecting.replace('Connection: close\r\n', ''));
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    expect(answer).toMatch(/Connection: close/i);
  });

  it('is not asked of a backend where no route matches', async () => {
    await serve(Backend.echo('whoami'));
    await gateway.serve({ resources: [listener('web')] });
    expect(await rawExchange(gateway.port(), expecting)).toMatch(/^HTTP\/1.1 404 /);
  });

  it('is the only expectation', async () => {
    await serve(Backend.echo('whoami'));
    expect(await rawExchange(gateway.port(), expecting.replace('100-continue', 'more'))).toMatch(
      /^HTTP\/1.1 417 /,
    );
    expect(gateway.lines()).toMatchObject([{ status: 417 }]);
  });
});

describe('the body of a response', () => {
  it('reaches the client as it is sent, the head first', async () => {
    let next: (text: string) => void = () => {};
    await serve(
      Backend.http((_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.flushHeaders();
        next = (text) => response.write(text);
      }),
    );
    const sent = open('GET');
    sent.end();
    const response = await responseOf(sent);
    for (const text of ['one', 'two']) {
      next(text);
      const [chunk] = (await once(response, 'data')) as [Buffer];
      expect(chunk.toString()).toBe(text);
    }
    sent.destroy();
  });

  it('is held back where the client does not read it, and arrives whole when it does', async () => {
    const total = 96 * MEGABYTE;
    const chunk = Buffer.alloc(MEGABYTE, 'gateway');
    let written = 0;
    let taken = () => 0;
    await serve(
      Backend.http((_, response) => {
        const { socket } = response;
        taken = () => socket!.bytesWritten - socket!.writableLength;
        const write = () => {
          while (written < total) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', write);
          }
          response.end();
        };
        write();
      }),
      // Time that the client takes must not count against the backend.
      { limits: { response: 600, upstreamStall: 600 } },
    );
    const sent = open('GET');
    sent.end();
    const response = await responseOf(sent);
    expect(await settled(taken)).toBeLessThan(IN_FLIGHT);
    await delay(1_500);
    const hash = createHash('sha256');
    let read = 0;
    for await (const data of response as AsyncIterable<Buffer>) {
      hash.update(data);
      read += data.length;
    }
    const expected = createHash('sha256');
    for (let i = 0; i < total; i += MEGABYTE) expected.update(chunk);
    expect(read).toBe(total);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
  });

  it("is each client's own where all are slow and some go", async () => {
    // More than the kernel keeps, so that all of them have to wait.
    const size = 16 * MEGABYTE;
    /** Another for each client, and everywhere. */
    const contentOf = (client: number) => {
      const content = new Uint32Array(size / 4);
      for (let i = 0; i < content.length; i++) content[i] = i * 2_654_435_761 + client;
      return Buffer.from(content.buffer);
    };
    let handed = 0;
    await serve(
      Backend.http((message, response) => {
        const client = Number(message.headers['x-client']);
        // The others come in chunks.
        if (client % 2) response.setHeader('content-length', size);
        const content = contentOf(client);
        const write = (from: number) => {
          if (from >= size) return void response.end();
          handed += MEGABYTE;
          response.write(content.subarray(from, from + MEGABYTE), () => write(from + MEGABYTE));
        };
        write(0);
      }),
    );
    const responses = await Promise.all(
      Array.from({ length: 6 }, (_, client) => {
        const sent = open('GET', { 'x-client': String(client) });
        sent.end();
        return responseOf(sent);
      }),
    );
    await settled(() => handed);
    expect(handed).toBeLessThan(6 * size);
    const read = async (response: IncomingMessage, client: number) => {
      const parts: Buffer[] = [];
      for await (const part of response as AsyncIterable<Buffer>) {
        parts.push(part);
        if (client === 5 && parts.length === 3) return;
      }
      expect(Buffer.concat(parts).equals(contentOf(client))).toBe(true);
    };
    await Promise.all(responses.map(read));
  });

  it('is not asked for any longer where the client goes', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await serve(
      Backend.http((_, response) => {
        closed = once(response, 'close');
        response.write('begun');
      }),
    );
    const sent = open('GET');
    sent.end();
    await once(await responseOf(sent), 'data');
    sent.destroy();
    await closed;
    await settled(() => gateway.log.length);
    expect(gateway.lines()).toMatchObject([{ status: 200, failure: 'client-gone', bytesSent: 5 }]);
  });

  const cuts: [string, string][] = [
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n'],
    ['in chunks that are none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\nzz\r\n'],
  ];
  it.each(cuts)('%s, cut short, is cut short for the client', async (_, text) => {
    await serve(Backend.tcp((socket) => socket.once('data', () => socket.end(text))));
    const answer = await rawExchange(gateway.port(), 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
    await settled(() => gateway.log.length);
    expect(gateway.lines()).toMatchObject([{ status: 200, failure: 'malformed' }]);
  });

  it('that stalls is cut', async () => {
    await serve(
      Backend.tcp((socket) =>
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun')),
      ),
      { limits: { upstreamStall: 100 } },
    );
    const answer = await rawExchange(gateway.port(), 'GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    expect(answer).toMatch(/begun$/);
    await settled(() => gateway.log.length);
    expect(gateway.lines()).toMatchObject([{ status: 200, failure: 'timeout' }]);
  });

  it('brings its trailers', async () => {
    await serve(
      Backend.http((_, response) => {
        response.writeHead(200, { trailer: 'X-Sum' });
        response.write('abc');
        response.addTrailers({ 'X-Sum': '1', 'Set-Cookie': 'a=1' });
        response.end();
      }),
    );
    const answer = await gateway.get('a.example.com/');
    expect(answer).toMatchObject({ body: 'abc', trailers: { 'x-sum': '1' } });
    expect(answer.trailers).not.toHaveProperty('set-cookie');
  });

  it('is delimited by the end of the connection for HTTP/1.0', async () => {
    await serve(
      Backend.http((_, response) => {
        response.writeHead(200, { trailer: 'X-Sum' });
        response.write('abc');
        response.end('def');
      }),
    );
    const answer = await rawExchange(gateway.port(), 'GET / HTTP/1.0\r\nHost: a.example.com\r\n\r\n');
    expect(answer).toMatch(/Connection: close\r\n\r\nabcdef$/i);
    expect(answer).not.toMatch(/transfer-encoding|trailer/i);
  });

  it('may follow early hints', async () => {
    await serve(
      Backend.http((_, response) =>
        response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('x')),
      ),
    );
    const answer = await rawExchange(
      gateway.port(),
      'GET / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 200 OK/i,
    );
  });
});

describe('a response before the request is sent', () => {
  it('is passed on, and the rest of the request is not wanted', async () => {
    const { sockets } = await serve(
      Backend.tcp((socket) =>
        socket
          .on('end', () => socket.end())
          .once('data', () => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno')),
      ),
    );
    const sent = open('POST', { 'content-length': '1000000' });
    sent.write('x'.repeat(1000));
    const response = await responseOf(sent);
    expect(response.statusCode).toBe(413);
    expect(await textOf(response)).toBe('no');
    await settled(() => sockets.size);
    expect(sockets.size).toBe(0);
    sent.destroy();
  });

  it('does not stop the request while it goes on', async () => {
    await serve(
      Backend.http((message, response) => {
        response.write('begun ');
        message.on('data', (chunk: Buffer) => response.write(chunk));
        message.on('end', () => response.end(' done'));
      }),
    );
    const sent = open('POST', { 'transfer-encoding': 'chunked' });
    sent.flushHeaders();
    const response = await responseOf(sent);
    const text = textOf(response);
    sent.write('one ');
    sent.end('two');
    expect(await text).toBe('begun one two done');
  });

  it('of the gateway itself leaves the connection for the next request, once the body is read', async () => {
    await serve(Backend.echo('whoami'));
    await gateway.serve({ resources: [listener('web')] });
    const client = await RawClient.open(gateway.port());
    client.send('POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\n\r\n');
    await client.until('404: no route');
    client.send('helloGET /2 HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n');
    const answer = await client.untilClosed();
    expect(answer.match(/HTTP\/1.1 404/g)).toHaveLength(2);
  });
});

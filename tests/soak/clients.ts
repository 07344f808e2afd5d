/** Clients of a data plane under soak: each kind sends its share of the requests, from as many at once as it says. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Ports } from './proxy.ts';

export interface Budget {
  /** Takes so many requests of what is left; false where nothing is. */
  take(count: number): boolean;
  /** Answers by status; 0: none, since somebody left. */
  readonly answers: Map<number, number>;
}

export interface Kind {
  readonly name: string;
  /** Of all requests. */
  readonly share: number;
  readonly atOnce: number;
  /** Goes on until the budget is used up. */
  readonly run: (ports: Ports, budget: Budget) => Promise<void>;
}

const HOST = 'Host: a.example.com\r\n';
/** Requests that are sent at once on a connection. */
const PIPELINED = 16;
/** For which a connection is used, batches and streams. */
const BATCHES = 100;
const STREAMS = 400;
const STREAMS_AT_ONCE = 8;
/** Of streams, one in so many is given up by its client. */
const LEAVES = 25;

const count = ({ answers }: Budget, status: number) => answers.set(status, (answers.get(status) ?? 0) + 1);

const batchOf = (kinds: readonly string[]) =>
  Array.from({ length: PIPELINED }, (_, i) => kinds[i % kinds.length]!).join('');
const PLAIN = batchOf([
  `GET /small HTTP/1.1\r\n${HOST}\r\n`,
  `POST /small HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  `GET /chunks HTTP/1.1\r\n${HOST}Accept: */*\r\nCookie: a=b\r\n\r\n`,
  `POST /small HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `HEAD /small HTTP/1.1\r\n${HOST}\r\n`,
]);
const MIRRORED = batchOf([
  `GET /mirrored HTTP/1.1\r\n${HOST}\r\n`,
  `POST /mirrored HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
]);
const RETRIED = batchOf([
  `GET /flaky HTTP/1.1\r\n${HOST}\r\n`,
  `PUT /flaky HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
]);
const CHAT = `GET /chat HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

const TLS = { host: '127.0.0.1', servername: 'a.example.com', rejectUnauthorized: false } as const;

async function opened(ports: Ports, isTls: boolean): Promise<Socket> {
  const socket = isTls
    ? connectTls({ ...TLS, port: ports.tls, ALPNProtocols: ['http/1.1'] })
    : connect({ port: ports.plain, host: '127.0.0.1', noDelay: true });
  await once(socket, isTls ? 'secureConnect' : 'connect');
  return socket;
}

/** Batches of requests on connections of HTTP/1.1. */
const pipelined = (isTls: boolean, batch: string) => async (ports: Ports, budget: Budget) => {
  while (budget.take(PIPELINED)) {
    const socket = await opened(ports, isTls);
    let batches = 1;
    let heads = 0;
    /** The beginning of a status line, perhaps. */
    let rest = '';
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`the gateway closed a connection after ${heads} answers`)));
      socket.setEncoding('latin1').on('data', (text: string) => {
        const found = (rest + text).split('HTTP/1.1 ');
        for (const each of found.slice(1, -1)) count(budget, Number(each.slice(0, 3)));
        const last = found.at(-1)!;
        const isBegun = found.length > 1;
        if (isBegun && last.length >= 3) count(budget, Number(last.slice(0, 3)));
        heads += found.length - 1;
        rest = last.slice(1 - 'HTTP/1.1 '.length);
        if (isBegun && last.length < 3) {
          rest = `HTTP/1.1 ${last}`;
          heads--;
        }
        if (heads < PIPELINED * batches) return;
        if (batches < BATCHES && budget.take(PIPELINED)) {
          batches++;
          socket.write(batch);
        } else resolve();
      });
      socket.write(batch);
    });
    socket.removeAllListeners('close').destroy();
  }
};

const PATHS = ['/small', '/chunks', '/mirrored', '/flaky', '/small', '/small'];

/** One request on a connection of HTTP/2; every so many is given up by its client, and some break off behind the gateway. */
function stream(session: ClientHttp2Session, number: number, budget: Budget): Promise<void> {
  const isLeaving = number % LEAVES === 7;
  const isPost = number % 3 === 0;
  const path = number % 50 === 9 ? '/broken' : isLeaving ? '/large' : PATHS[number % PATHS.length]!;
  const fields = { ':path': path, ':authority': 'a.example.com', ':method': isPost ? 'POST' : 'GET' };
  const request = session.request(fields, { endStream: !isPost });
  const { promise, resolve } = Promise.withResolvers<void>();
  let status = 0;
  request.on('error', () => {});
  request.on('response', (answer) => {
    status = Number(answer[':status']);
    if (isLeaving) request.close(constants.NGHTTP2_CANCEL);
  });
  request.on('close', () => {
    count(budget, isLeaving ? 0 : status);
    resolve();
  });
  request.resume();
  if (isPost) request.end('hello');
  return promise;
}

/** Streams on connections of HTTP/2. */
const streams = (isTls: boolean) => async (ports: Ports, budget: Budget) => {
  let number = 0;
  while (budget.take(1)) {
    const session = isTls
      ? connectHttp2(`https://127.0.0.1:${ports.tls}`, TLS)
      : connectHttp2(`http://127.0.0.1:${ports.plain}`);
    session.on('error', () => {});
    await once(session, 'connect');
    let left = STREAMS;
    const lane = async () => {
      do await stream(session, number++, budget);
      while (--left > 0 && budget.take(1));
    };
    // The first of them has taken its own; each of the others takes one to begin with.
    const lanes = [lane()];
    while (lanes.length < STREAMS_AT_ONCE && budget.take(1)) lanes.push(lane());
    await Promise.all(lanes);
    const closed = once(session, 'close');
    if (number % 2 === 0) {
      // Node's client waits here for ever, now and then.
      session.close();
      await Promise.race([closed, pause(1_000)]);
    }
    session.destroy();
    await closed;
  }
};

/** Upgraded connections, ended by the client, by a reset, or by the backend. */
async function tunnels(ports: Ports, budget: Budget): Promise<void> {
  for (let number = 0; budget.take(1); number++) {
    const socket = await opened(ports, number % 4 === 0);
    let received = '';
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      socket.emit('more');
    });
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
      socket.emit('more');
    });
    const until = async (end: string) => {
      while (!received.endsWith(end)) {
        if (isClosed) throw new Error(`an upgraded connection closed after ${JSON.stringify(received)}`);
        await once(socket, 'more');
      }
    };
    socket.write(CHAT);
    await until('hello');
    count(budget, Number(received.slice(9, 12)));
    for (let message = 0; message < 3; message++) {
      socket.write(`message ${message}`);
      await until(`message ${message}`);
    }
    const closed = once(socket, 'close');
    if (number % 3 === 0) socket.end();
    else if (number % 3 === 1) socket.destroy();
    else socket.write('bye');
    await closed;
  }
}

/** What a client begins that does not wait for the end of it; on TLS's port the one without a word is half a handshake. */
const FAULTS = [
  `GET /reset HTTP/1.1\r\n${HOST}\r\n`,
  `GET /cut HTTP/1.1\r\n${HOST}\r\n`,
  `GET /broken HTTP/1.1\r\n${HOST}\r\n`,
  `GET /broken-chunks HTTP/1.1\r\n${HOST}\r\n`,
  `GET /garbage HTTP/1.1\r\n${HOST}\r\n`,
  `GET /late HTTP/1.1\r\n${HOST}\r\n`,
  `GET /large HTTP/1.1\r\n${HOST}\r\n`,
  `POST /early HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\nbegun`,
  `POST /small HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\ncut`,
  `POST /mirrored HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\ncut`,
  `POST /small HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`,
  CHAT,
  'garbage\r\n\r\n',
  `GET / HTTP/1.1\r\n${HOST}X: `,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '',
];
/** The first octets of a ClientHello. */
const HELLO = Buffer.from('16030100c8010000c40303', 'hex');

async function faults(ports: Ports, budget: Budget): Promise<void> {
  for (let number = 0; budget.take(1); number++) {
    const text = FAULTS[number % FAULTS.length]!;
    const round = Math.floor(number / FAULTS.length);
    const isTls = round % 2 === 1;
    const socket =
      isTls && text === ''
        ? connect(ports.tls, '127.0.0.1').on('error', () => {})
        : await opened(ports, isTls);
    socket.on('error', () => {});
    if (!text.startsWith('GET /large ')) socket.resume();
    if (isTls && text === '') socket.write(HELLO);
    else socket.write(text);
    // Some stay for longer than the rule's timeouts.
    await pause(round % 3 === 0 ? 100 : 20);
    if (round % 4 === 0) socket.resetAndDestroy();
    else socket.destroy();
    count(budget, 0);
  }
}

export const KINDS: readonly Kind[] = [
  { name: 'HTTP/1.1', share: 0.56, atOnce: 64, run: pipelined(false, PLAIN) },
  { name: 'HTTP/1.1 over TLS', share: 0.15, atOnce: 32, run: pipelined(true, PLAIN) },
  { name: 'HTTP/2 over TLS', share: 0.07, atOnce: 8, run: streams(true) },
  { name: 'HTTP/2 in the clear', share: 0.07, atOnce: 8, run: streams(false) },
  { name: 'mirrored', share: 0.06, atOnce: 8, run: pipelined(false, MIRRORED) },
  { name: 'retried', share: 0.06, atOnce: 8, run: pipelined(true, RETRIED) },
  { name: 'upgraded', share: 0.01, atOnce: 8, run: tunnels },
  { name: 'given up, or broken', share: 0.02, atOnce: 32, run: faults },
];

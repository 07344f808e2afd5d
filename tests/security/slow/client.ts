/**
 * The client that is measured. For each line of its input, `PORT SECONDS TLS`, it sends a request every two milliseconds whether or not earlier ones
 * were answered, one in four on a new connection (of TLS resumed where it can be), and prints the times until they were answered. One process for
 * all, so that none has to be compiled anew.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { TARGET } from './target.ts';

/** Milliseconds between requests. */
const EVERY = 2;
/** Milliseconds at the beginning, in which connections are made that are kept: those requests do not count. */
const BEGINNING = 100;
/** Milliseconds after which a request has failed. */
const PATIENCE = 10_000;
const REQUEST = `GET ${TARGET.path} HTTP/1.1\r\nHost: ${TARGET.host}\r\n`;
const KEPT = `${REQUEST}\r\n`;
const LAST = `${REQUEST}Connection: close\r\n\r\n`;

/** By port. */
const sessions = new Map<number, Buffer>();

async function measure(port: number, seconds: number, isTls: boolean): Promise<object> {
  const total = (BEGINNING + seconds * 1_000) / EVERY;
  const times = { kept: [] as number[], fresh: [] as number[] };
  const idle: Socket[] = [];
  let failed = 0;
  let done = 0;
  const { promise, resolve } = Promise.withResolvers<void>();

  function open(): Socket {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.77', noDelay: true });
    socket.on('error', () => {});
    if (!isTls) return socket;
    const tls = connectTls({ socket, rejectUnauthorized: false, session: sessions.get(port) });
    return tls
      .on('error', () => tls.destroy())
      .on('session', (given) => {
        sessions.set(port, given);
      });
  }

  function ask(isFresh: boolean, counts: boolean): void {
    const since = performance.now();
    let kept = isFresh ? undefined : idle.pop();
    while (kept?.destroyed) kept = idle.pop();
    let socket: Socket;
    let received = '';
    const end = (isGood: boolean) => {
      clearTimeout(timer);
      socket.removeAllListeners('data').removeAllListeners('close');
      if (!counts) {
        // Not measured.
      } else if (isGood) times[isFresh ? 'fresh' : 'kept'].push(performance.now() - since);
      else failed++;
      if (isGood && !isFresh) idle.push(socket);
      else socket.destroy();
      if (++done === total) resolve();
    };
    const timer = setTimeout(end, PATIENCE, false);
    const send = (on: Socket, isUsed: boolean) => {
      socket = on;
      // A connection that was used before may be closed as it is used again (RFC 9112 section 9.3.1): the time goes on.
      on.on('close', () => (isUsed && received === '' ? send(open(), false) : end(false)));
      on.on('data', (octets: Buffer) => {
        received += octets.toString('latin1');
        if (received.endsWith('\r\n\r\nok')) end(received.startsWith('HTTP/1.1 200 '));
      });
      on.write(isFresh ? LAST : KEPT);
    };
    send(kept ?? open(), kept !== undefined);
  }

  let due = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    for (; due < total && began + due * EVERY <= performance.now(); due++) {
      ask(due % 4 === 0, due * EVERY >= BEGINNING);
    }
    if (due >= total) clearInterval(timer);
  }, 1);
  await promise;
  for (const socket of idle) socket.destroy();
  return { ...times, failed };
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [port, seconds, tls] = line.split(' ');
  // Its own garbage is none of what is measured.
  globalThis.gc?.();
  console.log(JSON.stringify(await measure(Number(port), Number(seconds), tls === 'true')));
}
process.exit();

/**
 * Messages picked by hand that are not long, split in two at every octet: each is answered, reaches the backend and leaves its connection as in
 * one piece. Over real sockets, on both engines.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { EngineName } from '../../gateway-runtime/proxy/engines.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';
import { Accepted } from './accepted.ts';
import { PICKED } from './messages.ts';

const LONGEST = 400;
const MESSAGES = PICKED.filter(([, text]) => text.length <= LONGEST);
/** Behind each message: whether it is answered says whether the connection was closed. */
const PROBE = 'GET /probe HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n';
/** Connections at once. */
const LANES = 128;
/** Milliseconds without anything after which a message in one piece is one that waits for more. */
const PATIENCE = 3_000;

/** The backend learns of the client's address, so each connection has one of its own. */
const addressOf = (number: number) => `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

let server: Server;
let gateway: TestGateway;
const seen = new Map<string, string[]>();

afterEach(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

async function serve(engine: EngineName): Promise<void> {
  seen.clear();
  server = createServer({ requireHostHeader: false, keepAliveTimeout: 60_000 });
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('error', () => {});
    message.on('end', () => {
      const { method, url, headers } = message;
      const client = String(headers['x-forwarded-for']);
      const body = Buffer.concat(chunks).toString('latin1');
      const request = JSON.stringify([method, url, headers.host, body, message.trailers]);
      seen.set(client, [...(seen.get(client) ?? []), request]);
      response.end(`${method} ${url}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  gateway = await TestGateway.serving(serviceWhoami([{ address: '127.0.0.1', port }]), { engine });
}

let accepted: Accepted;
beforeAll(() => {
  accepted = new Accepted();
});
afterAll(() => accepted.close());

interface Outcome {
  /** All that came until the gateway closed, dates aside. */
  readonly answer: string;
  /** Requests that the backend read to their end. */
  readonly seen: readonly string[];
}

interface Sent extends Pick<Outcome, 'answer'> {
  /** The client had to say that it sends no more. */
  readonly waits: boolean;
}

/** `ends`: the client says at once that it sends no more; else when nothing comes. */
async function send(pieces: readonly string[], number: number, ends: boolean): Promise<Sent> {
  const localAddress = addressOf(number);
  const port = gateway.port();
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress,
    allowHalfOpen: true,
    noDelay: true,
  });
  let answer = '';
  let waits = false;
  socket.setEncoding('latin1').on('data', (octets: string) => {
    answer += octets;
  });
  socket.on('error', () => {});
  if (pieces.length === 1) {
    socket.setTimeout(PATIENCE, () => {
      waits = true;
      socket.end();
    });
  }
  const over = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  await once(socket, 'connect');
  let sent = 0;
  for (const piece of pieces) {
    if (sent > 0) await accepted.untilRead(localAddress, port, sent);
    socket.write(piece, 'latin1');
    sent += piece.length;
  }
  if (ends) socket.end();
  await over;
  socket.destroy();
  return { answer: answer.replaceAll(/^Date: .*\r\n/gm, ''), waits };
}

async function inLanes<T, R>(items: readonly T[], run: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await run(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

const ENGINES: readonly {
  readonly engine: EngineName;
  /** Octets from one place to split at to the next. */
  readonly step: number;
  /** Whether messages that wait for more are compared. */
  readonly comparesWaiting: boolean;
  readonly comparable: (outcome: Outcome) => Outcome;
}[] = [
  { engine: 'http1', step: 1, comparesWaiting: true, comparable: (outcome) => outcome },
  {
    engine: 'node',
    step: 8,
    // node:http drops what is under way when their client ends.
    comparesWaiting: false,
    // It passes on requests behind one another at once, and what it says of what is none behind them depends on whether they are answered.
    comparable: ({ answer, seen }) => ({
      answer: answer
        .replace(/(?<=.)HTTP\/1\.1 400 .*$/s, '')
        .replaceAll(/^(?:Connection|Keep-Alive): .*\r\n/gm, ''),
      seen: seen.toSorted(),
    }),
  },
];

it.each(ENGINES)(
  'what comes in two pieces is as what comes in one, on engine $engine',
  async ({ engine, step, comparesWaiting, comparable }) => {
    await serve(engine);
    const whole = await inLanes(MESSAGES, ([, text], number) => send([text + PROBE], number, false));
    const splits = MESSAGES.flatMap(([what, text], which) => {
      if (whole[which]!.waits && !comparesWaiting) return [];
      // From message to message another one of the first.
      const first = 1 + (which % step);
      const places = Array.from(
        { length: Math.ceil((text.length - first + 1) / step) },
        (_, i) => first + i * step,
      );
      return places.map((at) => ({ what, text, which, at }));
    });
    const split = await inLanes(splits, ({ text, at, which }, index) =>
      send([text.slice(0, at), text.slice(at) + PROBE], MESSAGES.length + index, whole[which]!.waits),
    );
    await gateway.agent.drain();
    const outcome = ({ answer }: Sent, number: number) =>
      comparable({ answer, seen: seen.get(addressOf(number)) ?? [] });
    const problems = splits.flatMap(({ what, at, which }, index) => {
      const expected = outcome(whole[which]!, which);
      const got = outcome(split[index]!, MESSAGES.length + index);
      return JSON.stringify(got) === JSON.stringify(expected) ? [] : [{ what, at, expected, got }];
    });
    expect(problems.slice(0, 3)).toEqual([]);
    // All kinds are among them: what leaves its connection open, what closes it, and what has more to come.
    expect(whole.filter(({ answer }) => answer.endsWith('GET /probe')).length).toBeGreaterThan(100);
    expect(whole.filter(({ answer }) => /^HTTP\/1\.1 4/.test(answer)).length).toBeGreaterThan(100);
    expect(whole.filter(({ waits }) => waits).length).toBeGreaterThan(0);
    expect(splits.length).toBeGreaterThan(20_000 / step);
  },
  300_000,
);

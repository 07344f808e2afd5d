/**
 * The engine of this project against the one on node:http, over real sockets and in front of the same backend: a request reaches the backend
 * through both as the same request, or the own engine refuses it; where it forwards more, that is what a reading from the grammar finds. So
 * with responses, but for the reading. SEED and RUNS give another choice, or more of it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as NetServer,
} from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EngineName } from '../../gateway-runtime/proxy/engines.ts';
import { differenceTo } from '../differential/requests.ts';
import { exchange, RawClient } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';
import { REQUEST, RESPONSE } from './messages.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 1_500);
/** Messages under way at once, each between ends of its own. */
const LANES = 8;
const ENGINES: readonly EngineName[] = ['http1', 'node'];

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

interface Outcome {
  /** By the backend. */
  readonly seen: readonly Seen[];
  /** Of final responses, in order. */
  readonly statuses: readonly number[];
}

/** What belongs to the connection to the backend and is each engine's own matter. */
const OWN_MATTER = /^(?:connection|transfer-encoding|content-length): /;

/**
 * In lower case and in order. What is outside ASCII is one character: node:http writes it as UTF-8 where a head goes along with a body, so
 * that other octets arrive than were sent.
 */
function pairs(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    lines.push(`${raw[i]!.toLowerCase()}: ${raw[i + 1]!.replace(/[^\0-\x7f]+/g, '\x80')}`);
  }
  return lines.filter((line) => !OWN_MATTER.test(line)).sort();
}

/** The backend learns of the client's address, so a message has one of its own. */
const addressOf = (number: number) => `127.1.${number >> 8}.${number & 255}`;

/** A backend that remembers, behind a gateway on one of the engines. */
class Side {
  readonly gateway: TestGateway;
  readonly #server: NetServer;
  readonly seen: Seen[] = [];
  /** Defects of the gateway, and what the backend refuses of what it forwards. */
  readonly refused: string[] = [];

  private constructor(gateway: TestGateway, server: NetServer) {
    this.gateway = gateway;
    this.#server = server;
  }

  static async open(engine: EngineName, server: NetServer): Promise<Side> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const gateway = await TestGateway.serving(
      {
        resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
        endpoints: { whoami: [{ address: '127.0.0.1', port }] },
      },
      { engine, onDefect: (error) => side.refused.push(`defect: ${error}`) },
    );
    const side: Side = new Side(gateway, server);
    return side;
  }

  static async recording(engine: EngineName): Promise<Side> {
    const server: Server = createServer({ requireHostHeader: false });
    const side = await Side.open(engine, server);
    server.on('request', (message: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', () => {});
      message.on('end', () => {
        side.seen.push({
          method: message.method!,
          target: message.url!,
          fields: pairs(message.rawHeaders),
          body: Buffer.concat(chunks).toString('latin1'),
          trailers: pairs(message.rawTrailers),
        });
        response.end('ok');
      });
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // One that was not read to its end is none.
      if (error.code?.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE') {
        side.refused.push(`${error.code} ${error.message}`);
      }
      socket.destroy();
    });
    return side;
  }

  /** Statuses of final responses, in order. `number` tells apart what comes late at the backend. */
  async send(text: string, number: number): Promise<number[]> {
    const socket = connect({
      port: this.gateway.port(),
      host: '127.0.0.1',
      localAddress: addressOf(number),
      allowHalfOpen: true,
    });
    await once(socket, 'connect');
    const client = new RawClient(socket);
    client.send(text);
    socket.end();
    const answer = await client.untilClosed();
    return [...answer.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(([, status]) => Number(status));
  }

  outcome(statuses: readonly number[], number: number): Outcome {
    const from = `x-forwarded-for: ${addressOf(number)}`;
    return { statuses, seen: this.seen.filter(({ fields }) => fields.includes(from)) };
  }

  async close(): Promise<void> {
    await this.gateway.agent.close();
    (this.#server as Server).closeAllConnections?.();
    this.#server.close();
  }
}

/** Where the own engine takes what node:http refuses, or answers otherwise, and why that is right. */
const KNOWN: readonly {
  readonly why: string;
  readonly is: (text: string, own: Outcome, other: Outcome) => boolean;
}[] = [
  {
    why: 'what comes behind a request and is none is answered 400; node:http closes without a word',
    is: (_, own, other) =>
      same(own.seen, other.seen) &&
      own.statuses.at(-1) === 400 &&
      same(own.statuses.slice(0, -1), other.statuses),
  },
  {
    why: 'node:http cuts a connection with a request on it where what comes behind is none, or where the client has ended',
    is: (_, own, other) =>
      own.statuses.length > 0 &&
      other.statuses.length < own.statuses.length &&
      same(own.seen.slice(0, other.seen.length), other.seen),
  },
];

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Undefined where all is well. */
function problemOf(text: string, own: Outcome, other: Outcome): string | undefined {
  // Also where node:http forwards less: nothing but what stands in the message, as it is read there from the grammar alone.
  const extra = differenceTo(text, own.seen);
  if (extra) return `own: ${extra}`;
  if (same(own.seen, other.seen) && same(own.statuses, other.statuses)) return undefined;
  // Stricter: what reached the backend is what node:http forwards too, but less of it, and the rest was refused.
  const isLess = own.seen.length < other.seen.length || same(own.seen, other.seen);
  const refuses = own.statuses.length === 0 || own.statuses.at(-1)! >= 400;
  if (isLess && refuses && same(own.seen, other.seen.slice(0, own.seen.length))) return undefined;
  if (KNOWN.some(({ is }) => is(text, own, other))) return undefined;
  return `own: ${JSON.stringify(own)}\nnode: ${JSON.stringify(other)}`;
}

async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  run: (item: T, lane: number, number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (next < items.length) {
        const number = next++;
        await run(items[number]!, lane, number);
      }
    }),
  );
}

describe('requests', () => {
  let lanes: Side[][];
  beforeAll(async () => {
    lanes = await Promise.all(
      Array.from({ length: LANES }, () => Promise.all(ENGINES.map((engine) => Side.recording(engine)))),
    );
  });
  afterAll(async () => {
    await Promise.all(lanes.flat().map((side) => side.close()));
  });

  it(`mean the same through both engines, or the own one refuses them (seed ${SEED})`, async () => {
    const messages = fc.sample(REQUEST, { numRuns: RUNS, seed: SEED });
    const statuses: number[][][] = [];
    const places: Side[][] = [];
    await inLanes(LANES, messages, async (text, lane, number) => {
      places[number] = lanes[lane]!;
      statuses[number] = await Promise.all(lanes[lane]!.map((side) => side.send(text, number)));
    });
    // What was under way when its client went has arrived then.
    await Promise.all(lanes.flat().map((side) => side.gateway.agent.drain()));
    const problems: string[] = [];
    let forwarded = 0;
    for (const [number, text] of messages.entries()) {
      const [own, other] = places[number]!.map((side, i) => side.outcome(statuses[number]![i]!, number));
      forwarded += own!.seen.length;
      const problem = problemOf(text, own!, other!);
      if (problem) problems.push(`${JSON.stringify(text)}\n${problem}`);
    }
    expect(lanes.flatMap(([own]) => own!.refused)).toEqual([]);
    expect(problems.slice(0, 5)).toEqual([]);
    // The choice is one of both kinds.
    expect(forwarded).toBeGreaterThan(RUNS / 20);
    expect(forwarded).toBeLessThan(RUNS);
  }, 120_000);
});

interface Received {
  readonly status: number;
  readonly body: string;
  readonly fields: readonly string[];
}

/** Dates are the engine's own where the backend says none. */
const NO_MATTER = /^(?:date|keep-alive|connection|transfer-encoding): /;

describe('responses', () => {
  let current: string[];
  let lanes: Side[][];
  beforeAll(async () => {
    current = Array.from({ length: LANES }, () => '');
    lanes = await Promise.all(
      Array.from({ length: LANES }, (_, lane) =>
        Promise.all(
          ENGINES.map((engine) =>
            Side.open(
              engine,
              createTcpServer((socket) => {
                socket.on('error', () => {});
                socket.once('data', () => socket.end(current[lane]!, 'latin1'));
              }),
            ),
          ),
        ),
      ),
    );
  });
  afterAll(async () => {
    await Promise.all(lanes.flat().map((side) => side.close()));
  });

  /** Undefined where it is not whole. */
  async function receive(side: Side, method: string): Promise<Received | undefined> {
    try {
      const answer = await exchange(side.gateway.port(), { host: 'a.example.com', path: '/', method });
      const fields = pairs(answer.rawHeaders).filter((line) => !NO_MATTER.test(line));
      return { status: answer.status, body: answer.body, fields };
    } catch {
      return undefined;
    }
  }

  const isRefusal = (received: Received | undefined) => received === undefined || received.status === 502;

  it(`are the same through both engines, or the own one refuses them (seed ${SEED})`, async () => {
    const messages = fc.sample(fc.tuple(RESPONSE, fc.constantFrom('GET', 'GET', 'HEAD')), {
      numRuns: RUNS,
      seed: SEED,
    });
    const problems: string[] = [];
    let passed = 0;
    await inLanes(LANES, messages, async ([text, method], lane) => {
      current[lane] = text;
      const [own, other] = (await Promise.all(lanes[lane]!.map((side) => receive(side, method)))) as [
        Received,
        Received,
      ];
      if (!isRefusal(own)) passed++;
      if (isRefusal(own) || same(own, other)) return;
      problems.push(
        `${method} ${JSON.stringify(text)}\nown: ${JSON.stringify(own)}\nnode: ${JSON.stringify(other)}`,
      );
    });
    expect(problems.slice(0, 5)).toEqual([]);
    expect(passed).toBeGreaterThan(RUNS / 20);
    expect(passed).toBeLessThan(RUNS);
  }, 120_000);
});

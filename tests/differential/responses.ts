/**
 * Answers of a backend through the engine to a client: each is one response, the same to every reader, or 502, or cut; and never any part of
 * what the next request is answered.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { RawClient } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';
import { type ReadMessage, readResponses } from './reference.ts';

export interface BackendAnswer {
  readonly what: string;
  readonly text: string;
}

export interface Reader {
  readonly name: string;
  /** Takes lines of JSON with `methods` and `octets`, and gives a list of what it read for each. */
  readonly command: readonly [string, ...string[]];
}

export interface ResponseTally {
  readonly problems: string[];
  passed: number;
  refused: number;
}

interface Read {
  readonly status: number;
  readonly body: string;
}

const NEXT = 'the answer to the next request';
const METHODS = ['GET', 'HEAD', 'POST'];
const REQUESTS: Readonly<Record<string, string>> = {
  GET: 'GET /odd HTTP/1.1\r\nHost: a.example.com\r\n\r\n',
  HEAD: 'HEAD /odd HTTP/1.1\r\nHost: a.example.com\r\n\r\n',
  POST: 'POST /odd HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 2\r\n\r\nhi',
};
const LAST = 'GET /next HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n\r\n';

/** Answers `/odd` with what is set, and everything else as it should. */
class OddBackend {
  text = '';
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (octets: Buffer) => {
      const isOdd = octets.includes(' /odd ');
      socket.write(
        isOdd ? this.text : `HTTP/1.1 200 OK\r\nContent-Length: ${NEXT.length}\r\n\r\n${NEXT}`,
        'latin1',
      );
      // What has no end of its own ends with its connection, which a reader that waits for more has to see.
      if (isOdd) setImmediate(() => socket.end());
    });
  });

  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What other programs make of the same octets. */
class OtherReader {
  readonly name: string;
  readonly #child;
  readonly #waiting: ((read: Read[]) => void)[] = [];

  constructor({ name, command: [program, ...args] }: Reader) {
    this.name = name;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const found = JSON.parse(line) as Read[];
      this.#waiting.shift()!(
        found.map(({ status, body }) => ({ status, body: Buffer.from(body, 'base64').toString('latin1') })),
      );
    });
  }

  read(text: string, methods: readonly string[]): Promise<Read[]> {
    const octets = Buffer.from(text, 'latin1').toString('base64');
    this.#child.stdin.write(`${JSON.stringify({ methods, octets })}\n`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#child.stdin.end();
  }
}

const readOf = ({ status, body }: ReadMessage): Read => ({ status, body });

/** Sends each answer to a GET, a HEAD or a POST in turns, with another request behind it on the same connection. */
export async function compareResponses(
  answers: readonly BackendAnswer[],
  readers: readonly Reader[],
  lanes: number,
): Promise<ResponseTally> {
  const tally: ResponseTally = { problems: [], passed: 0, refused: 0 };
  const others = readers.map((reader) => new OtherReader(reader));
  let next = 0;
  const lane = async () => {
    const odd = new OddBackend();
    const port = await odd.open();
    const gateway = await TestGateway.serving(
      {
        resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
        endpoints: { whoami: [{ address: '127.0.0.1', port }] },
      },
      { engine: 'http1', onDefect: (error) => tally.problems.push(`defect: ${error}`) },
    );
    while (next < answers.length) {
      const number = next++;
      const { what, text } = answers[number]!;
      const method = METHODS[number % METHODS.length]!;
      odd.text = text;
      const problem = await check(gateway.port(), method, others, tally);
      if (problem)
        tally.problems.push(
          `${what}, to ${method}: ${problem}\nanswered: ${JSON.stringify(text.slice(0, 2_000))}`,
        );
    }
    await gateway.agent.close();
    odd.close();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  for (const other of others) other.close();
  return tally;
}

async function check(
  port: number,
  method: string,
  others: readonly OtherReader[],
  tally: ResponseTally,
): Promise<string | undefined> {
  const client = await RawClient.open(port);
  client.send(REQUESTS[method]! + LAST);
  const received = await client.untilClosed();
  const methods = [method, 'GET'];
  const { messages, rest } = readResponses(received, methods, true);
  const problem = problemOf(messages, rest, received);
  if (problem) return problem;
  if (messages.length === 0 || messages[0]!.status === 502) tally.refused++;
  else tally.passed++;
  const own = messages.map(readOf);
  for (const other of others) {
    const found = await other.read(received, methods);
    // Where the answer is cut, a reader may or may not give what there is of it.
    if (JSON.stringify(found) !== JSON.stringify(own) && rest === 'none')
      return `${other.name} reads ${JSON.stringify(found)} from ${JSON.stringify(received)}`;
  }
  return undefined;
}

/** `rest`: partial where the gateway cut an answer that was not whole. */
function problemOf(messages: readonly ReadMessage[], rest: string, received: string): string | undefined {
  const isNext = ({ status, body }: ReadMessage) => status === 200 && body === NEXT;
  if (rest === 'invalid') return `the client gets what is no HTTP/1.1: ${JSON.stringify(received)}`;
  if (rest === 'partial')
    return messages.length === 0 ? undefined : `the second answer is cut: ${JSON.stringify(received)}`;
  const [first, second] = messages;
  // Cut before the final answer was sent, perhaps behind interim ones.
  if (!first) return undefined;
  if (isNext(first)) return 'the first request got the answer to the second';
  if (first.close) return undefined;
  if (!second || !isNext(second)) return `the next request is answered ${JSON.stringify(second)}`;
  return undefined;
}

/**
 * Messages through the engine to origins of different make. What the engine forwards must be framed by each origin, and by a second reader,
 * as the same requests, must be what that reader finds in what the client sent, and must leave the next request its own answer.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { normalizePath } from '../../gateway-runtime/match/normalize.ts';
import { exchange } from '../support/client.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';
import { Accepted } from './accepted.ts';
import { answerTo, type Origin, type View } from './origins.ts';
import { type ReadMessage, readRequests, readResponses, valuesOf } from './reference.ts';
import { type Overheard, Tee } from './tee.ts';

export interface Message {
  readonly what: string;
  readonly text: string;
  /** Where it is cut into pieces, each of which is read before the next one is sent. Default: nowhere. */
  readonly cuts?: readonly number[];
  /** The client does not say that it sends no more. Default: it does. */
  readonly stays?: boolean;
}

export interface Tally {
  /** Each a sentence that begins with the origin's name. */
  readonly problems: string[];
  /** Messages to each origin: those that were given, and what of them is to be refused once more, by a client that stays. */
  readonly sent: number;
  /** By origin: requests that were forwarded and framed as they should be. */
  readonly framed: Map<string, number>;
  /** By origin: requests that were forwarded and that it answered with an error, without framing them otherwise. */
  readonly refused: Map<string, Map<string, number>>;
  /** Messages by the class of their first answer. */
  readonly answers: Map<string, number>;
}

/** The backend learns of the client's address, so a message has one of its own. */
const addressOf = (number: number) => `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

/** Requests that came of one message, in order. */
type ByMessage = Map<string, ReadMessage[]>;

/** Milliseconds without anything after which a client waits for the end of its connection no more. */
const PATIENCE = 10_000;

/** Problems after which no more is sent: each may have taken so long. */
const ENOUGH = 20;

const add = (table: Map<string, number>, key: string) => table.set(key, (table.get(key) ?? 0) + 1);

interface Sent {
  readonly answer: string;
  /** By the gateway. Else it was waited for in vain. */
  readonly isClosed: boolean;
}

/** One origin behind a gateway of its own. */
class Path {
  readonly origin: Origin;
  readonly #tee: Tee;
  readonly #gateway: TestGateway;
  readonly #defects: string[];

  private constructor(origin: Origin, tee: Tee, gateway: TestGateway, defects: string[]) {
    this.origin = origin;
    this.#tee = tee;
    this.#gateway = gateway;
    this.#defects = defects;
  }

  static async to(origin: Origin): Promise<Path> {
    const tee = await Tee.before(origin.port);
    const defects: string[] = [];
    const gateway = await TestGateway.serving(
      {
        resources: [listener('web'), backend('whoami'), rule({ rest: { backends: [to('whoami')] } })],
        endpoints: { whoami: [{ address: '127.0.0.1', port: tee.port }] },
      },
      {
        engine: 'http1',
        // What comes in pieces and has no empty line is refused after that time.
        limits: { headTime: 3_000 },
        onDefect: (error) => defects.push(String(error)),
      },
    );
    return new Path(origin, tee, gateway, defects);
  }

  async send({ text, cuts = [], stays = false }: Message, number: number, accepted: Accepted): Promise<Sent> {
    const port = this.#gateway.port();
    const localAddress = addressOf(number);
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true, noDelay: true });
    let answer = '';
    socket.setEncoding('latin1').on('data', (octets: string) => {
      answer += octets;
    });
    socket.on('error', () => {});
    let isClosed = true;
    socket.setTimeout(PATIENCE, () => {
      isClosed = false;
      socket.destroy();
    });
    const over = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    await once(socket, 'connect');
    let from = 0;
    for (const cut of cuts) {
      socket.write(text.slice(from, cut), 'latin1');
      from = cut;
      await accepted.untilRead(localAddress, port, from);
    }
    socket.write(text.slice(from), 'latin1');
    if (!stays) socket.end();
    await over;
    socket.destroy();
    return { answer, isClosed };
  }

  /** What another client's request is answered afterwards; undefined where all is well. */
  async followUp(number: number): Promise<string | undefined> {
    const path = `/next/${number}`;
    const { status, body } = await exchange(this.#gateway.port(), { host: 'a.example.com', path });
    if (status === 200 && body === answerTo('GET', path, '')) return undefined;
    return `the next request was answered ${status} ${JSON.stringify(body)}`;
  }

  /** Once nothing is under way: what was wrong on the way to the origin. */
  async conclude(messages: readonly Message[], tally: Tally): Promise<void> {
    await this.#gateway.agent.drain();
    await this.#settle();
    const { name, views } = this.origin;
    const byPeer = Map.groupBy(views, ({ peer }) => peer);
    const byMessage: ByMessage = new Map();
    for (const heard of this.#tee.heard) {
      const problem = this.#compare(heard, byPeer.get(heard.peer) ?? [], byMessage, tally);
      if (problem) tally.problems.push(`${name}: ${problem}`);
    }
    for (const [number, { what, text }] of messages.entries()) {
      const problem = differenceTo(text, byMessage.get(addressOf(number)) ?? []);
      if (problem)
        tally.problems.push(`${name}: ${what}: ${problem}\nsent: ${JSON.stringify(text.slice(0, 2_000))}`);
    }
    for (const defect of this.#defects) tally.problems.push(`${name}: defect: ${defect}`);
    await this.#tee.close();
  }

  /** Until every connection is closed and origins have told nothing new for a while: they tell what they saw behind their answer. */
  async #settle(): Promise<void> {
    let before = -1;
    for (let tries = 0; tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const told = this.origin.views.length;
      if (told === before && this.#tee.heard.every(({ closed }) => closed)) return;
      before = told;
    }
  }

  #compare(heard: Overheard, views: readonly View[], byMessage: ByMessage, tally: Tally): string | undefined {
    const { name } = this.origin;
    const { messages, rest } = readRequests(heard.sent);
    if (rest === 'invalid') return 'what was forwarded is no HTTP/1.1, or can be read in two ways';
    const methods = messages.map(({ method }) => method);
    const answers = readResponses(heard.answered, methods, true).messages;
    let seen = 0;
    for (const [index, message] of messages.entries()) {
      const [client = ''] = valuesOf(message.fields, 'x-forwarded-for');
      byMessage.set(client, [...(byMessage.get(client) ?? []), message]);
      const view = views[seen];
      if (view && isSame(message, view)) {
        seen++;
        tally.framed.set(name, (tally.framed.get(name) ?? 0) + 1);
        continue;
      }
      const status = answers[index]?.status;
      if (status !== undefined && status < 400) {
        const { method, target, body } = message;
        const forwarded = JSON.stringify({ method, target, body, fields: message.fields });
        return `${forwarded} was answered ${status}, but taken for ${JSON.stringify(view)}`;
      }
      const refused = tally.refused.get(name) ?? new Map<string, number>();
      tally.refused.set(name, refused);
      add(refused, `${status ?? 'cut'}: ${message.line.slice(0, 80)}`);
    }
    if (seen === views.length) return undefined;
    const unread = heard.sent.slice(-1_000);
    return `was sent nothing like ${JSON.stringify(views[seen])}; the last octets were ${JSON.stringify(unread)}`;
  }
}

function isSame(message: ReadMessage, view: View): boolean {
  const [host = ''] = valuesOf(message.fields, 'host');
  return (
    view.method === message.method &&
    view.target === message.target &&
    view.host.toLowerCase() === host.toLowerCase() &&
    view.body === message.body
  );
}

/** The path that a target in origin or absolute form names. */
const pathOf = (target: string) => {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/, '');
  return normalizePath(path.startsWith('/') ? path : `/${path}`);
};

/** Whether what was forwarded of a message is what the second reading finds at its beginning; undefined where it is. */
export function differenceTo(
  text: string,
  forwarded: readonly Pick<ReadMessage, 'method' | 'target' | 'body'>[],
): string | undefined {
  const { messages } = readRequests(text);
  if (forwarded.length > messages.length) {
    return `${forwarded.length} requests were forwarded, where there are ${messages.length} that can be read in one way`;
  }
  // Those that the gateway answers itself are left out of what is forwarded.
  let at = 0;
  for (const { method, target, body } of forwarded) {
    while (at < messages.length) {
      const message = messages[at++]!;
      if (message.method === method && message.body === body && pathOf(message.target) === pathOf(target))
        break;
      if (at === messages.length)
        return `forwarded was ${JSON.stringify({ method, target, body })}, which is not in it`;
    }
  }
  return undefined;
}

/** Sends all messages to all origins. `lanes`: messages under way at once to each. */
export async function compareRequests(
  origins: readonly Origin[],
  given: readonly Message[],
  lanes: number,
): Promise<Tally> {
  const messages = [
    ...given,
    ...given
      .filter(({ text }) => isUnframed(text))
      .map((each) => ({ ...each, what: `${each.what}, of a client that stays`, stays: true })),
  ];
  const tally: Tally = {
    problems: [],
    sent: messages.length,
    framed: new Map(),
    refused: new Map(),
    answers: new Map(),
  };
  const accepted = new Accepted();
  const paths = await Promise.all(origins.map((origin) => Path.to(origin)));
  await Promise.all(
    paths.map(async (path, which) => {
      let next = 0;
      const lane = async () => {
        while (next < messages.length && tally.problems.length < ENOUGH) {
          const number = next++;
          const message = messages[number]!;
          const sent = await path.send(message, number, accepted);
          const { answer } = sent;
          const problem = answerProblem(answer) ?? endProblem(message, sent) ?? (await path.followUp(number));
          if (problem)
            tally.problems.push(
              `${path.origin.name}: ${message.what}: ${problem}\nsent: ${JSON.stringify(message.text.slice(0, 2_000))}`,
            );
          if (which === 0 && !message.stays)
            add(tally.answers, /^HTTP\/1\.1 (\d)/.exec(answer)?.[1]?.concat('xx') ?? 'none');
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    }),
  );
  accepted.close();
  for (const path of paths) await path.conclude(messages, tally);
  return tally;
}

/** A target in which there are octets outside ASCII, in a request line that is otherwise one. */
const TARGET_OUTSIDE_ASCII = /(?<= )[^\s]*[\x80-\xff][^\s]*(?= HTTP\/1\.[01]\r\n)/g;

/** Whether it is not HTTP/1.1 at some place, and what is behind that is not known. Where only a target is none, that is known. */
const isUnframed = (text: string): boolean =>
  readRequests(text.replace(TARGET_OUTSIDE_ASCII, '/')).rest === 'invalid';

/** What is unframed is answered as such, and its connection closed, whatever the client does. */
function endProblem({ stays }: Message, { answer, isClosed }: Sent): string | undefined {
  const said = JSON.stringify(answer.slice(-500));
  if (!isClosed) return `its connection was left open behind ${said}`;
  const last = [...answer.matchAll(/HTTP\/1\.1 (\d)/g)].at(-1)?.[1];
  return !stays || last === '4' || last === '5'
    ? undefined
    : `it was not refused: the last answers were ${said}`;
}

/** What the client reads must be responses and nothing else. */
function answerProblem(answer: string): string | undefined {
  const methods = [...answer.matchAll(/^$/gm)].map(() => 'GET');
  for (const method of ['GET', 'HEAD']) {
    if (readResponses(answer, [method, ...methods], true).rest === 'none') return undefined;
  }
  return `the answer is none: ${JSON.stringify(answer.slice(0, 500))}`;
}

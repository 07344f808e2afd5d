/**
 * The readers under fuzzing and what must hold of them whatever they are given: they never throw, accept nothing that the second reading (
 * `tests/differential/reference.ts`) refuses, say the same however the octets come in pieces, and what they accept and write again is read
 * as the same.
 */

import {
  type CheckAnswer,
  readCheckResponse,
} from '../../gateway-runtime/filters/ext-authz/check-response.ts';
import { messagePrefix, onlyMessage } from '../../gateway-runtime/filters/ext-authz/grpc-message.ts';
import { MalformedMessage, readMessage } from '../../gateway-runtime/filters/ext-authz/protobuf-reader.ts';
import { normalizeHost, normalizePath } from '../../gateway-runtime/match/normalize.ts';
import { Head } from '../../gateway-runtime/proxy/engine-http1/head.ts';
import { MORE, readRequest, readResponse } from '../../gateway-runtime/proxy/engine-http1/head-reader.ts';
import { isFieldValue, isToken } from '../../gateway-runtime/proxy/engine-http1/octets.ts';
import { LIMITS } from '../../gateway-runtime/proxy/limits.ts';
import { readTarget } from '../../gateway-runtime/proxy/request-target.ts';
import {
  ClientHelloReader,
  type HelloProgress,
} from '../../gateway-runtime/proxy/tls-routes/client-hello.ts';
import { type ReadMessage, readRequests, readResponses } from '../differential/reference.ts';
import { readChunks } from '../support/chunks.ts';
import { answersEarly, type Conversation, converse, PLAIN, PLAN } from './connection.ts';
import { helloOf } from './hello-reference.ts';

export interface Target {
  /** Throws where something does not hold. `cut` is where the octets are cut in two. */
  readonly check: (octets: Buffer, cut: number) => void;
}

const MOST = 100;

function fail(what: string, ...found: unknown[]): never {
  throw new Error(`${what}: ${found.map((each) => JSON.stringify(each)).join(' and ')}`);
}

const same = (what: string, a: unknown, b: unknown) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) fail(what, a, b);
};

/** What a reader notes of a head. */
const noted = ({
  at,
  count,
  text,
  end,
  minor,
  status,
  hosts,
  length,
  chunked,
  close,
  asksUpgrade,
}: Head) => ({
  places: at.slice(0, count * 5),
  ...{ text, end, minor, status, hosts, length, chunked, close, asksUpgrade },
});

function checkHead(
  read: typeof readRequest,
  octets: Buffer,
  cut: number,
  again: (head: Head) => string,
): Head | undefined {
  const head = new Head();
  const next = read(head, octets, 0, octets.length, MOST);
  const part = new Head();
  const early = read(part, octets, 0, cut, MOST);
  if (early !== MORE) {
    same('a part is judged otherwise', early, next);
    if (next > 0) same('a part is read otherwise', noted(part), noted(head));
  }
  if (next < 0) return undefined;
  const written = Buffer.from(again(head), 'latin1');
  const second = new Head();
  same('what is written is no head', read(second, written, 0, written.length, MOST), written.length);
  same('what is written has other fields', fieldsOf(second), fieldsOf(head));
  same('what is written is written otherwise', second.fields(), head.fields());
  return head;
}

function fieldsOf(head: Head): string[] {
  const lines: string[] = [];
  head.each((name, value) => lines.push(`${name}: ${value}`));
  return lines;
}

const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

function readHello(octets: Buffer, cuts: readonly number[]): HelloProgress {
  const reader = new ClientHelloReader(LIMITS.clientHello);
  let [at, progress]: [number, HelloProgress] = [0, 'more'];
  for (const end of [...cuts, octets.length]) {
    if (end <= at) continue;
    progress = reader.read(octets.subarray(at, end));
    at = end;
  }
  return progress;
}

/** What one reading has a place for and the engine does not: it is refused, and nothing behind it is read. */
const isRefusable = ({ method, fields, trailers }: ReadMessage): boolean =>
  method.length > 32 ||
  fields.length > LIMITS.headFields ||
  trailers.length > MOST ||
  trailers.some(([name]) => name === 'content-length' || name === 'transfer-encoding');

/** Of a head, and what the reader wants to see behind a target before it judges. */
const END = `\r\n\r\n${' '.repeat(10)}`;
const asOctets = (text: string) => Buffer.from(text, 'latin1');

/** Against the second reading of the same octets. */
function compareConversation(text: string, conversation: Conversation): void {
  const { requests, refused, refusedAt, isOver, isHttp2, isWaiting } = conversation;
  const { messages, rest } = readRequests(text);
  for (const [index, request] of requests.entries()) {
    const message = messages[index];
    const isLast = index === requests.length - 1;
    if (!message) {
      if (!isLast || (request.isWhole && request.method !== '')) fail('one more than there are', request);
      if (rest === 'none') fail('begun, though nothing follows', request);
      continue;
    }
    if (request.method === '') {
      if (!isRefusable(message)) fail('not read, though it can be', message.line);
      continue;
    }
    same('method and target', [request.method, request.target], [message.method, message.target]);
    const own = message.fields.map(([name, value]) => `${name}: ${value}`);
    for (const field of request.fields) if (!own.includes(field)) fail('a field', field);
    if (request.body !== undefined && request.isWhole) same('the body', request.body, message.body);
    for (const trailer of request.trailers.split('\r\n').slice(0, -1)) {
      const [name = '', value = ''] = /^([^:]+): (.*)$/s.exec(trailer)?.slice(1) ?? [];
      if (!message.trailers.some(([n, v]) => n === name.toLowerCase() && v === value))
        fail('a trailer', trailer);
    }
    if (message.close && !isOver) fail('goes on, though it was the last one', message.line);
  }
  if (!isOver && !isWaiting) fail('stands still', text);
  if (isHttp2) {
    if (requests.length > 0 || !text.startsWith('PRI * HTTP/2.0')) fail('taken for HTTP/2', text);
    return;
  }
  if (!isOver && requests.length < messages.length) fail('waits, though there is a request', text);
  if (rest === 'invalid' && !isOver) fail('not refused', text);
  if (refused === 0) return;
  // What is refused before its end must be wrong whatever comes.
  const judged = rest === 'partial' ? readRequests(text + END) : { messages, rest };
  const next = judged.messages[refusedAt];
  if (next ? !isRefusable(next) : judged.rest !== 'invalid') fail(`refused with ${refused}`, text);
}

export const TARGETS: Readonly<Record<string, Target>> = {
  request: {
    check(octets, cut) {
      const head = checkHead(readRequest, octets, cut, (read) => {
        const line = read.text.slice(0, read.text.indexOf('\r\n') + 2);
        return `${line}${read.fields()}\r\n`;
      });
      if (!head) return;
      // Which targets there are is for another reader to say.
      const text = `${head.text.slice(0, head.targetStart)}/${head.text.slice(head.targetEnd)}`;
      if (readRequests(text).rest === 'invalid')
        fail('accepted, though it can be read in two ways', head.text);
    },
  },
  response: {
    check(octets, cut) {
      const head = checkHead(readResponse, octets, cut, (read) => {
        const line = read.text.slice(0, read.text.indexOf('\r\n') + 2);
        return `${line}${read.fields()}\r\n`;
      });
      if (!head) return;
      // What becomes of a body is for the request to say as well.
      const { rest } = readResponses(head.text, ['GET'], true);
      const isFramed = head.status >= 200 && head.status !== 204 && head.status !== 304;
      if (isFramed && rest === 'invalid') fail('accepted, though it can be read in two ways', head.text);
    },
  },
  chunks: {
    check(octets, cut) {
      const whole = readChunks(octets, []);
      same('in two pieces', readChunks(octets, [cut]), whole);
      same('octet by octet', readChunks(octets, Array.from(octets.keys())), whole);
      if (whole.problem !== 0) return;
      const { messages, rest } = readRequests(CHUNKED + octets.toString('latin1'));
      if (!whole.done) {
        if (messages.length > 0) fail('waits for more, though it is whole', octets.toString('latin1'));
        return;
      }
      if (messages.length === 0) fail(`accepted, though it is ${rest}`, octets.toString('latin1'));
      same('the content', whole.content, messages[0]!.body);
      for (const line of whole.trailers.split('\r\n').slice(0, -1)) {
        const [name = '', value = ''] = /^([^:]+): (.*)$/s.exec(line)?.slice(1) ?? [];
        if (!messages[0]!.trailers.some(([n, v]) => n === name.toLowerCase() && v === value))
          fail('a trailer', line);
      }
    },
  },
  /** All that comes on a connection, behind a plan of how it comes. */
  connection: {
    check(octets, cut) {
      const plan = Buffer.concat([octets.subarray(0, PLAN), PLAIN.subarray(octets.length)]);
      // Which targets there are is for another reader to say.
      const text = octets
        .toString('latin1', PLAN)
        .replace(/[^ \r\n]+(?= HTTP\/1\.)/g, (target) => target.replace(/[\x80-\xff]/g, 'x'));
      // What is wrong is refused at once in one piece, and in several when there is an end to it.
      const { rest } = readRequests(text);
      const isWhole = rest === 'none' || (rest === 'partial' && !converse(asOctets(text), PLAIN, 0).isOver);
      const judged = isWhole ? text : text + END;
      const plain = converse(asOctets(judged), PLAIN, 0);
      compareConversation(judged, plain);
      const planned = converse(asOctets(judged), plan, cut - PLAN);
      compareConversation(judged, planned);
      if (!answersEarly(plan)) same('in pieces', planned, plain);
    },
  },
  /** What an authorization service says by gRPC. */
  check: {
    check(octets) {
      const framed = Buffer.concat([messagePrefix(octets.length), octets]);
      const message = onlyMessage(framed);
      if (!message || !octets.equals(message)) fail('the message of a frame', octets.toString('hex'));
      if (onlyMessage(framed.subarray(0, -1))) fail('half a frame', octets.toString('hex'));
      let answer: CheckAnswer;
      try {
        answer = readCheckResponse(message);
      } catch (error) {
        if (error instanceof MalformedMessage) return;
        throw error;
      }
      const edits = answer.isAllowed ? [...answer.edits, ...answer.responseEdits] : answer.edits;
      for (const { field } of edits) {
        if (!isToken(field[0]) || !isFieldValue(field[1])) fail('a field', field);
      }
      if (answer.isAllowed) for (const name of answer.removes) if (!isToken(name)) fail('a name', name);
      // A reader that knows no fields finds the same end, so none was read beyond it.
      let fields = 0;
      readMessage(message, () => fields++);
      if (fields === 0) fail('said yes or no by nothing', octets.toString('hex'));
    },
  },
  /** A ClientHello in its records. */
  hello: {
    check(octets, cut) {
      const whole = readHello(octets, []);
      same('in two pieces', readHello(octets, [cut]), whole);
      same('octet by octet', readHello(octets, Array.from(octets.keys())), whole);
      if (typeof whole === 'string') return;
      const second = helloOf(octets);
      if (second === undefined) fail('accepted, though it can be read in two ways', whole);
      same('what it says', whole, second);
      if (whole.serverName !== '' && !/^[\w.-]+$/.test(whole.serverName)) fail('a server name', whole);
    },
  },
  /** A target and a Host field, with a line end between them. */
  target: {
    check(octets) {
      const [url = '', host = 'a'] = octets.toString('latin1').split('\n');
      const read = readTarget(url, host, 1);
      if ('message' in read) return;
      const { path, query, authority } = read;
      same('read again', readTarget(query ? `${path}?${query}` : path, authority, 1), read);
      same('the host', normalizeHost(read.host), read.host);
      same('the path', normalizePath(path), path);
      if (!/^\/[!-~]*$/.test(path) || /[?#\\]/.test(path)) fail('a path', path);
      if (/(?:^|\/)(?:\.|%2e){1,2}(?:$|[/;]|%2f|%5c|%3b)/i.test(path)) fail('a path with dots', path);
      if (authority.replace(/:(?:0|[1-9]\d*)$/, '') !== read.host) fail('an authority', authority);
      if (!/^[!"$-~]*$/.test(query)) fail('a query', query);
      if (!/^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])$/.test(read.host) || read.host.endsWith('.'))
        fail('a host', read.host);
    },
  },
};

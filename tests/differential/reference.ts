/**
 * A second reading of HTTP/1.1, written from the grammar of RFC 9112 with expressions over whole texts, and sharing nothing with the engine.
 * What the grammar has no place for is `invalid`, as is what two readers are known to frame in two ways.
 */

export interface ReadMessage {
  /** `GET /path HTTP/1.1` or `HTTP/1.1 200 OK`. */
  readonly line: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** Nothing follows on this connection. */
  readonly close: boolean;
}

export interface Reading {
  readonly messages: readonly ReadMessage[];
  /** What became of what follows the last message. */
  readonly rest: 'none' | 'partial' | 'invalid';
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([!-~]+) HTTP/1\\.([01])$`);
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t -~\x80-\xff]*)?$/;
const FIELD_LINE = new RegExp(
  `^(${TOKEN}):[\\t ]*((?:[!-~\\x80-\\xff](?:[\\t -~\\x80-\\xff]*[!-~\\x80-\\xff])?)?)[\\t ]*$`,
);
const CHUNK_LINE = /^([0-9A-Fa-f]{1,13})(?:;[\t -~\x80-\xff]*)?$/;

type Fields = [name: string, value: string][];
type Stop = 'partial' | 'invalid';

/** Lines up to the empty one, and where it ends. */
function lines(text: string, from: number): { found: string[]; end: number } | Stop {
  const found: string[] = [];
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    const line = text.slice(at, end < 0 ? undefined : end);
    if (/[\0\n]|\r(?!$)/.test(line)) return 'invalid';
    if (end < 0) return 'partial';
    if (line.includes('\r')) return 'invalid';
    at = end + 2;
    if (line === '') return { found, end: at };
    found.push(line);
  }
}

function fieldsOf(found: readonly string[]): Fields | 'invalid' {
  const fields: Fields = [];
  for (const line of found) {
    const match = FIELD_LINE.exec(line);
    if (!match) return 'invalid';
    fields.push([match[1]!.toLowerCase(), match[2]!]);
  }
  return fields;
}

export const valuesOf = (fields: ReadMessage['fields'], name: string): string[] =>
  fields.filter(([each]) => each === name).map(([, value]) => value);

interface Body {
  readonly body: string;
  readonly trailers: Fields;
  readonly end: number;
}

function chunks(text: string, from: number): Body | Stop {
  let body = '';
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return 'partial';
    const match = CHUNK_LINE.exec(text.slice(at, end));
    if (!match) return 'invalid';
    const size = Number.parseInt(match[1]!, 16);
    at = end + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return 'partial';
    if (text.slice(at + size, at + size + 2) !== '\r\n') return 'invalid';
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const section = lines(text, at);
  if (typeof section === 'string') return section;
  const trailers = fieldsOf(section.found);
  if (trailers === 'invalid') return 'invalid';
  return { body, trailers, end: section.end };
}

function counted(text: string, from: number, length: number): Body | Stop {
  if (text.length < from + length) return 'partial';
  return { body: text.slice(from, from + length), trailers: [], end: from + length };
}

/** Undefined: no field says how long. */
function framed(text: string, from: number, fields: Fields, minor: string): Body | Stop | undefined {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) return 'invalid';
  if (codings.length > 0) {
    return minor === '1' && codings[0]!.toLowerCase() === 'chunked' ? chunks(text, from) : 'invalid';
  }
  if (lengths.length === 0) return undefined;
  return /^(?:0|[1-9]\d{0,14})$/.test(lengths[0]!) ? counted(text, from, Number(lengths[0])) : 'invalid';
}

const closes = (fields: Fields, minor: string): boolean =>
  minor === '0' ||
  valuesOf(fields, 'connection').some((value) =>
    value
      .toLowerCase()
      .split(',')
      .some((each) => each.trim() === 'close'),
  );

function readAll(text: string, one: (from: number) => { message: ReadMessage; end: number } | Stop): Reading {
  const messages: ReadMessage[] = [];
  let at = 0;
  while (at < text.length) {
    const next = one(at);
    if (typeof next === 'string') return { messages, rest: next };
    messages.push(next.message);
    at = next.end;
    if (next.message.close) break;
  }
  return { messages, rest: 'none' };
}

/** Requests on one connection, up to the first that is not one. An empty line before a request is read over (section 2.2). */
export function readRequests(text: string): Reading {
  return readAll(text, (from) => {
    const start = text.startsWith('\r\n', from) ? from + 2 : from;
    const head = lines(text, start);
    if (typeof head === 'string') return head;
    const line = REQUEST_LINE.exec(head.found[0] ?? '');
    const fields = fieldsOf(head.found.slice(1));
    if (!line || fields === 'invalid') return 'invalid';
    const [, method, target, minor] = line as unknown as [string, string, string, string];
    const body = framed(text, head.end, fields, minor) ?? counted(text, head.end, 0);
    if (typeof body === 'string') return body;
    const close = closes(fields, minor);
    return {
      message: { line: head.found[0]!, method, target, status: 0, fields, ...body, close },
      end: body.end,
    };
  });
}

/**
 * Responses on one connection, interim ones left out.
 *
 * @param methods of the requests that they answer, in order
 * @param ended the connection was closed behind them
 */
export function readResponses(text: string, methods: readonly string[], ended: boolean): Reading {
  let answered = 0;
  const all = readAll(text, (from) => {
    const head = lines(text, from);
    if (typeof head === 'string') return head;
    const line = STATUS_LINE.exec(head.found[0] ?? '');
    const fields = fieldsOf(head.found.slice(1));
    if (!line || fields === 'invalid') return 'invalid';
    const [, minor, code] = line as unknown as [string, string, string];
    const status = Number(code);
    const isInterim = status < 200 && status !== 101;
    const method = methods[answered] ?? 'GET';
    const hasNone = isInterim || method === 'HEAD' || status === 204 || status === 304 || status === 101;
    let close = closes(fields, minor);
    let body = hasNone ? counted(text, head.end, 0) : framed(text, head.end, fields, minor);
    if (body === undefined) {
      if (!ended) return 'partial';
      close = true;
      body = counted(text, head.end, text.length - head.end);
    }
    if (typeof body === 'string') return body;
    if (!isInterim) answered++;
    return {
      message: {
        line: head.found[0]!,
        method,
        target: '',
        status,
        fields,
        ...body,
        close: close && !isInterim,
      },
      end: body.end,
    };
  });
  return { ...all, messages: all.messages.filter(({ status }) => status >= 200 || status === 101) };
}

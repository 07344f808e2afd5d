/** The grammar of message heads (RFC 9112 sections 2 to 5): what is one, what is none, and the same however it comes in pieces. */
import { describe, expect, it } from '@jest/globals';
import { Head } from '../../../../gateway-runtime/proxy/engine-http1/head.ts';
import {
  BAD,
  CODING,
  MORE,
  readRequest,
  readResponse,
  TOO_MANY,
  VERSION,
} from '../../../../gateway-runtime/proxy/engine-http1/head-reader.ts';

const MOST = 100;
const octets = (text: string) => Buffer.from(text, 'latin1');

function request(text: string, most = MOST): [result: number, head: Head] {
  const head = new Head();
  return [readRequest(head, octets(text), 0, text.length, most), head];
}

function response(text: string, most = MOST): [result: number, head: Head] {
  const head = new Head();
  return [readResponse(head, octets(text), 0, text.length, most), head];
}

const fieldsOf = (head: Head) =>
  Array.from({ length: head.count }, (_, i) => [head.nameOf(i), head.valueOf(i)] as const);

/** Every octet, as one character. */
const ALL = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
const TCHAR = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;

describe('a request line', () => {
  it('is method, target and version', () => {
    const text = 'POST /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n';
    const [result, head] = request(text);
    expect(result).toBe(text.length);
    expect(head.method).toBe('POST');
    expect(head.text.slice(head.targetStart, head.targetEnd)).toBe('/a?b=c');
    expect(head.minor).toBe(1);
    expect(request('GET / HTTP/1.0\r\n\r\n')[1].minor).toBe(0);
  });

  it('has a token for a method', () => {
    for (const character of ALL) {
      const [result] = request(`G${character}T / HTTP/1.1\r\n\r\n`);
      if (TCHAR.test(character)) expect(result).toBeGreaterThan(0);
      else expect(result).toBe(BAD);
    }
  });

  it('has a target without spaces and control characters', () => {
    for (const character of ALL) {
      const [result] = request(`GET /${character} HTTP/1.1\r\n\r\n`);
      if (/^[\x21-\x7e\x80-\xff]$/.test(character)) expect(result).toBeGreaterThan(0);
      else expect(result).toBe(BAD);
    }
  });

  it.each([
    ['no method', ' / HTTP/1.1\r\n\r\n'],
    ['no target', 'GET  HTTP/1.1\r\n\r\n'],
    ['no version', 'GET /\r\n\r\n'],
    ['two spaces before the target', 'GET  / HTTP/1.1\r\n\r\n'],
    ['two spaces before the version', 'GET /  HTTP/1.1\r\n\r\n'],
    ['a space after the version', 'GET / HTTP/1.1 \r\n\r\n'],
    ['a tab for a space', 'GET\t/ HTTP/1.1\r\n\r\n'],
    ['a bare LF', 'GET / HTTP/1.1\nHost: x\r\n\r\n'],
    ['a bare CR', 'GET / HTTP/1.1\rHost: x\r\n\r\n'],
    ['CR CR LF', 'GET / HTTP/1.1\r\r\nHost: x\r\n\r\n'],
    ['a version in lower case', 'GET / http/1.1\r\n\r\n'],
    ['version 1.2', 'GET / HTTP/1.2\r\n\r\n'],
    ['version 01.1', 'GET / HTTP/01.1\r\n\r\n'],
    ['version 1.10', 'GET / HTTP/1.10\r\n\r\n'],
    ['another protocol', 'GET / ICAP/1.1\r\n\r\n'],
    ['a line end before it', '\r\nGET / HTTP/1.1\r\n\r\n'],
    ['a method beyond measure', `${'G'.repeat(33)} / HTTP/1.1\r\n\r\n`],
  ])('that has %s is none', (_, text) => {
    expect(request(text)[0]).toBe(BAD);
  });

  it.each(['0.9', '2.0', '3.0'])('of version %s is told to be one', (version) => {
    expect(request(`GET / HTTP/${version}\r\n\r\n`)[0]).toBe(VERSION);
  });
});

describe('a status line', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200, '200 OK'],
    ['HTTP/1.1 404 Not \tFound \xe4\xff', 404, '404 Not \tFound \xe4\xff'],
    ['HTTP/1.1 204 ', 204, '204 '],
    ['HTTP/1.0 999 x', 999, '999 x'],
    ['HTTP/1.1 200', 200, '200'],
  ])('%j is one', (line, status, rest) => {
    const [result, head] = response(`${line}\r\n\r\n`);
    expect(result).toBe(line.length + 4);
    expect([head.status, head.text.slice(head.statusStart, head.statusEnd)]).toEqual([status, rest]);
  });

  it.each([
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200-OK',
    'HTTP/1.1 200 O\x00K',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 OK\nX: 1',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK, now',
    '\r\nHTTP/1.1 200 OK',
  ])('%j is none', (line) => {
    expect(response(`${line}\r\n\r\n`)[0]).toBe(BAD);
  });
});

describe('a field', () => {
  const one = (line: string) => request(`GET / HTTP/1.1\r\n${line}\r\n\r\n`);

  it('has a token for a name', () => {
    for (const character of ALL) {
      // A colon ends the name.
      if (character === ':') continue;
      const [result, head] = one(`X${character}Y: 1`);
      if (TCHAR.test(character)) expect(fieldsOf(head)).toEqual([[`X${character}Y`, '1']]);
      else expect(result).toBe(BAD);
    }
  });

  it('has a value of visible characters, obs-text, spaces and tabs', () => {
    for (const character of ALL) {
      const [result, head] = one(`X: a${character}b`);
      if (/^[\t\x20-\x7e\x80-\xff]$/.test(character))
        expect(fieldsOf(head)).toEqual([['X', `a${character}b`]]);
      else expect(result).toBe(BAD);
    }
  });

  it.each([
    ['X:1', '1'],
    ['X: 1', '1'],
    ['X: \t 1 \t ', '1'],
    ['X:', ''],
    ['X: \t ', ''],
    ['X: a:b', 'a:b'],
    ['X: a \t b', 'a \t b'],
  ])('%j has the value %j', (line, value) => {
    expect(fieldsOf(one(line)[1])).toEqual([['X', value]]);
  });

  it.each([
    'X',
    ': 1',
    'X : 1',
    'X\t: 1',
    ' X: 1',
    'X: 1\r\n 2',
    'X: 1\r\n\t2',
    'X: 1\nY: 2',
    'X: 1\rY: 2',
    'X: 1\r\r',
    'X: 1\n',
  ])('%j is none', (line) => {
    expect(one(line)[0]).toBe(BAD);
  });

  it('is one of at most so many', () => {
    const text = `GET / HTTP/1.1\r\n${'X: 1\r\n'.repeat(5)}\r\n`;
    expect(request(text, 5)[0]).toBe(text.length);
    expect(request(text, 4)[0]).toBe(TOO_MANY);
  });

  it('of one hop is not passed on, whatever its case', () => {
    const [, head] = one(
      'cOnnection: close\r\nKeep-alive: 1\r\nTE: trailers\r\nUPGRADE: a\r\nProxy-Connection: b\r\n' +
        'Proxy-Authenticate: c\r\nProxy-Authorization: d\r\nTransfer-Encoding: chunked\r\nConnections: e\r\nX: 1',
    );
    expect(head.fields()).toBe('Connections: e\r\nX: 1\r\n');
  });
});

describe('framing', () => {
  const post = (fields: string, version = '1.1') => request(`POST / HTTP/${version}\r\n${fields}\r\n\r\n`);

  it.each([
    ['0', 0],
    ['1', 1],
    ['999999999999999', 999_999_999_999_999],
    [' 5 \t', 5],
  ])('by the length %j', (value, length) => {
    expect(post(`Content-Length:${value}`)[1].length).toBe(length);
  });

  it.each([
    '',
    '+5',
    '-5',
    '5.0',
    '0x5',
    '5e0',
    '5,5',
    '5, 5',
    '5 5',
    '1_000',
    '1000000000000000',
    '99999999999999999999',
    '\xb2',
    // Some readers take a number that begins with 0 for an octal one.
    '00',
    '010',
  ])('by the length %j is refused', (value) => {
    expect(post(`Content-Length: ${value}`)[0]).toBe(BAD);
    expect(response(`HTTP/1.1 200 OK\r\nContent-Length: ${value}\r\n\r\n`)[0]).toBe(BAD);
  });

  it.each([
    'Content-Length: 5\r\nContent-Length: 5',
    'Content-Length: 5\r\ncontent-length: 6',
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 0',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked;a=b',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding: chunked,',
    'Transfer-Encoding:',
  ])('by %j is refused', (fields) => {
    expect(post(fields)[0]).toBe(BAD);
    expect(response(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`)[0]).toBe(BAD);
  });

  it('by a coding, whatever its case', () => {
    for (const coding of ['chunked', 'Chunked', 'CHUNKED', '\tchunked ']) {
      expect(post(`Transfer-Encoding:${coding}`)[1].chunked).toBe(true);
    }
  });

  it('by another coding below chunks is told apart', () => {
    expect(post('Transfer-Encoding: gzip, chunked')[0]).toBe(CODING);
  });

  it('by a coding is nothing for HTTP/1.0, either way', () => {
    expect(post('Transfer-Encoding: chunked', '1.0')[0]).toBe(BAD);
    expect(response('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')[0]).toBe(BAD);
  });
});

describe('Connection', () => {
  const connection = (...values: string[]) =>
    request(`GET / HTTP/1.1\r\n${values.map((value) => `Connection: ${value}\r\n`).join('')}\r\n`)[1];
  const options = ({ close, asksUpgrade, listsFields }: Head) => [close, asksUpgrade, listsFields];

  it.each([
    [['close'], [true, false, false]],
    [['Keep-Alive'], [false, false, false]],
    [['keep-alive, Upgrade'], [false, true, false]],
    [
      ['upgrade', 'CLOSE'],
      [true, true, false],
    ],
    [['X-A,close'], [true, false, true]],
    [[',, ,'], [false, false, false]],
    [['closed'], [false, false, true]],
    [['"close"'], [false, false, true]],
  ])('%j', (values, expected) => {
    expect(options(connection(...values))).toEqual(expected);
  });
});

describe('a head that comes in pieces', () => {
  const complete = [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: \t1 \r\nConnection: close, x\r\n\r\n',
    'PUT / HTTP/1.0\r\n\r\n',
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n',
  ];
  it.each(complete)('%j is not whole before its last octet', (text) => {
    for (let end = 0; end < text.length; end++) {
      expect([end, request(text.slice(0, end))[0]]).toEqual([end, MORE]);
    }
  });

  it.each(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX:\r\n\r\n', 'HTTP/1.0 204\r\n\r\n'])(
    '%j is not whole before its last octet',
    (text) => {
      for (let end = 0; end < text.length; end++) {
        expect([end, response(text.slice(0, end))[0]]).toEqual([end, MORE]);
      }
    },
  );

  it('is never called whole, and once bad never anything else, where it is bad', () => {
    const bad = [
      'GET / HTTP/1.1\r\nX : 1\r\n\r\n',
      'GET / HTTP/1.1\r\nX: 1\n\r\n\r\n',
      'GET / HTTP/1.1\r\nX: 1\r2\r\n\r\n',
      'GET / HTTP/1.1\r\n Y: 1\r\n\r\n',
      'GET / HTTP/1.1\n\r\n\r\n',
      `${'G'.repeat(40)} / HTTP/1.1\r\n\r\n`,
      'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    ];
    for (const text of bad) {
      let isBad = false;
      for (let end = 0; end <= text.length; end++) {
        const [result] = request(text.slice(0, end));
        expect(result).toBe(isBad || result === BAD ? BAD : MORE);
        isBad = result === BAD;
      }
      expect(isBad).toBe(true);
    }
  });

  it('does not depend on where in the octets it stands', () => {
    const text = complete[1]!;
    const [, plain] = request(text);
    const head = new Head();
    const moved = octets(`garbage${text}more`);
    expect(readRequest(head, moved, 7, moved.length, MOST)).toBe(7 + text.length);
    expect([head.text, fieldsOf(head), head.method]).toEqual([plain.text, fieldsOf(plain), plain.method]);
  });

  it('leaves nothing of the one before', () => {
    const head = new Head();
    const first = octets(complete[1]!);
    readRequest(head, first, 0, first.length, MOST);
    head.add('x-added', '1');
    const second = octets('GET / HTTP/1.1\r\n\r\n');
    readRequest(head, second, 0, second.length, MOST);
    expect(head).toMatchObject({ count: 0, length: -1, contentLength: -1, close: false, listsFields: false });
    expect(head.fields()).toBe('');
  });
});

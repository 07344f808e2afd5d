/** Hostile messages by what they try, and the statuses that each connection gets: what is 200 was forwarded, and nothing else. */

export interface Message {
  /** Latin1. */
  readonly text: string;
  readonly statuses: readonly number[];
}

const HOST = 'Host: a.example.com\r\n';
const LAST = 'Connection: close\r\n';
export const get = (fields: string, target = '/', host = HOST) =>
  `GET ${target} HTTP/1.1\r\n${host}${fields}\r\n`;
export const post = (fields: string, body: string) => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

const all = (status: number, ...texts: string[]): Message[] =>
  texts.map((text) => ({ text, statuses: [status] }));
const targets = (status: number, ...found: string[]) =>
  all(status, ...found.map((target) => get(LAST, target)));
const hosts = (status: number, ...found: string[]) =>
  all(status, ...found.map((host) => get(LAST, '/', `Host: ${host}\r\n`)));

const SMUGGLED = get('', '/smuggled');

export const MESSAGES: Readonly<Record<string, readonly Message[]>> = {
  'two framings': [
    ...all(
      400,
      post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
      post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${SMUGGLED}`),
      post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
      post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
      post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
      post('Transfer-Encoding: chunked\r\n', `ffffffffffffffff0\r\n${SMUGGLED}`),
      get(' folded\r\n'),
      get('X: a\rb\r\n'),
      get('X: a\nY: b\r\n'),
    ),
  ],
  'CONNECT, Upgrade': [
    ...all(405, `CONNECT a.example.com:443 HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`),
    ...all(400, `${get('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n')}GET /`),
    ...all(200, get('Connection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n')),
  ],
  'large heads': [
    ...all(
      431,
      get(`X: ${'a'.repeat(70_000)}\r\n`),
      get('X: a\r\n'.repeat(200)),
      get('', `/${'a'.repeat(70_000)}`),
    ),
    ...all(
      200,
      get(`__proto__: a\r\nconstructor: b\r\nhasOwnProperty: c\r\n${LAST}`),
      get(`${Array.from({ length: 97 }, (_, i) => `x-${i}-${'a'.repeat(100)}: b\r\n`).join('')}${LAST}`),
    ),
  ],
  'paths in other spellings': [
    ...targets(400, '/a%2f..%2fadmin', '/..;/admin', '/a\\..\\admin', '/%zz', '/%00', '*', '/a%5c..%5cadmin'),
    ...targets(200, '/a/../admin', '/a/%2e%2e/admin', '/./admin', '/%61dmin', `/${'./'.repeat(30_000)}admin`),
  ],
  'hosts in other spellings': [
    ...hosts(200, 'A.EXAMPLE.COM', 'a.example.com.', 'a.example.com:80', 'A.example.COM.:8080'),
    ...hosts(
      400,
      'a.example.com, b.example.com',
      'a.example.com/',
      'b.example.com@a.example.com',
      'a..example.com',
    ),
    ...all(400, get(HOST + LAST), `GET / HTTP/1.1\r\n${LAST}\r\n`, get(LAST, 'a.example.com:80')),
    ...all(200, get(LAST, 'http://a.example.com/', 'Host: b.example.com\r\n')),
  ],
  'X-Forwarded fields': all(
    200,
    get(`${'X-Forwarded-For: 10.9.9.9\r\n'.repeat(40)}${LAST}`),
    get(
      `${'X_Forwarded_Proto: evil\r\nx-forwarded_host: evil\r\nX.Real.Ip: 10.9.9.9\r\n'.repeat(20)}${LAST}`,
    ),
    get(
      'X-Forwarded-Prefix: /evil\r\nForwarded: for=10.9.9.9\r\nConnection: close, X-Forwarded-For, X-Real-Ip\r\n',
    ),
    get(`X-Forwarded-For: ${'10.9.9.9, '.repeat(6_000)}\r\n${LAST}`),
  ),
  expressions: all(
    404,
    ...['a'.repeat(30_000), 'x'.repeat(30_000)].map((path) =>
      get(LAST, `/regex/${path}!`, 'Host: b.example.com\r\n'),
    ),
  ),
};

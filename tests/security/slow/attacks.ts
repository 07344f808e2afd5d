/** What attackers do, as data: `attacker.ts` does it, or slowhttptest. */
import { spawnSync } from 'node:child_process';

export interface Attack {
  readonly name: string;
  /** Over TLS, as the client that is measured then is. */
  readonly tls?: boolean;
  /** Connections that are kept open; those that are closed come again. */
  readonly hold?: Held;
  /** Messages, each on a connection of its own, so many a second. */
  readonly send?: { readonly messages: readonly string[]; readonly perSecond: number };
  /** Arguments of slowhttptest. */
  readonly tool?: { readonly path: string; readonly options: readonly string[] };
  /** The gateway has room for fewer connections than there are. */
  readonly overfull?: boolean;
}

export interface Held {
  /** Said once, latin1. */
  readonly begin: string;
  /** Said once a second by each. */
  readonly move: string;
  /** False: what comes is not read. */
  readonly reads: boolean;
  /** Seconds until one that was closed comes again. Default: 2. */
  readonly again?: number;
  /** Each from an address of its own. */
  readonly scattered?: boolean;
  /** Nothing is encrypted where TLS is spoken: the handshake does not end. */
  readonly bare?: boolean;
}

const HOST = 'Host: a.example.com\r\n';
const get = (fields: string, target = '/') => `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, body: string) => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const hold = (name: string, begin: string, move = '', rest: Partial<Held & Attack> = {}): Attack => {
  const { tls, overfull, ...held } = rest;
  const where = { ...(tls ? { tls } : {}), ...(overfull ? { overfull } : {}) };
  return { name, hold: { begin, move, reads: true, ...held }, ...where };
};
const send = (name: string, ...messages: string[]): Attack => ({ name, send: { messages, perSecond: 500 } });

/** The beginning of a ClientHello. */
const HALF_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';

const HELD: readonly Attack[] = [
  hold('idle', get('')),
  hold('nothing said', ''),
  hold('nothing said, scattered', '', '', { scattered: true }),
  hold('nothing said, no room', '', '', { overfull: true }),
  hold('nothing said, scattered, no room', '', '', { overfull: true, scattered: true }),
  hold('slow head', `GET / HTTP/1.1\r\n${HOST}`, 'X: a\r\n'),
  hold('slow head, no room', `GET / HTTP/1.1\r\n${HOST}`, 'X: a\r\n', { overfull: true }),
  hold('slow body', post('Content-Length: 100000\r\n', ''), 'a'),
  hold('slow chunks', post('Transfer-Encoding: chunked\r\n', ''), '1\r\na\r\n'),
  hold('slow read', get('', '/large'), '\r\n', { reads: false, again: 10 }),
  hold('many ranges', get(`Range: bytes=0-${',5-0'.repeat(1_300)}\r\n`), get('')),
  hold('idle', get(''), '', { tls: true }),
  hold('handshakes begun', HALF_HELLO, '', { tls: true, bare: true }),
  hold('slow head', `GET / HTTP/1.1\r\n${HOST}`, 'X: a\r\n', { tls: true }),
];

const SENT: readonly Attack[] = [
  send('whole requests', get('Connection: close\r\n')),
  send(
    'two framings',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nG'),
    post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
    post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    post('Transfer-Encoding: chunked\r\n', 'ffffffffffffffffff\r\n'),
    get(' folded\r\n'),
    get('X: a\rb\r\n'),
  ),
  send(
    'CONNECT, Upgrade',
    `CONNECT a.example.com:443 HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n\r\n`,
    get('Connection: Upgrade\r\nUpgrade: websocket\r\n') + get(''),
    post('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 50\r\n', 'GET /'),
  ),
  send(
    'large heads',
    get(`X: ${'a'.repeat(70_000)}\r\n`),
    get('X: a\r\n'.repeat(200)),
    get('__proto__: a\r\nconstructor: b\r\nConnection: close\r\n'),
    `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n${HOST}\r\n`,
    get(`${Array.from({ length: 98 }, (_, i) => `x-${i}-${'a'.repeat(600)}: b\r\n`).join('')}`),
  ),
  send(
    'paths and hosts in other spellings',
    ...['/a%2f..%2fb', '/..;/a', '//a//b', '/%2e%2e/a', '/a\\b', `/${'./'.repeat(30_000)}`, '/%zz'].map(
      (target) => get('Connection: close\r\n', target),
    ),
    `GET http://b.example.com/ HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    'GET / HTTP/1.1\r\nHost: A.EXAMPLE.COM.:80\r\nConnection: close\r\n\r\n',
    `GET / HTTP/1.1\r\n${HOST}Host: b.example.com\r\n\r\n`,
  ),
  send(
    'X-Forwarded fields',
    get(
      `${'X-Forwarded-For: 10.0.0.1\r\n'.repeat(40)}${'X_Forwarded_Proto: https\r\n'.repeat(40)}Connection: close, X-Forwarded-For\r\n`,
    ),
    get(`X-Forwarded-For: ${'10.0.0.1, '.repeat(6_000)}\r\nConnection: close\r\n`),
  ),
  send('expressions', get('Connection: close\r\n', `/regex/${'a'.repeat(30_000)}!`)),
];

const tool = (name: string, path: string, tls: boolean, ...options: string[]): Attack => ({
  name: `slowhttptest ${name}`,
  tool: { path, options },
  ...(tls ? { tls } : {}),
});

const TOOL = [false, true].flatMap((tls) => [
  tool('-H', '/', tls, '-H'),
  tool('-B', '/', tls, '-B', '-s', '100000'),
  tool('-R', '/', tls, '-R'),
  tool('-X', '/large', tls, '-X', '-w', '1', '-y', '5', '-n', '5'),
]);

export const hasTool = spawnSync('which', ['slowhttptest']).status === 0;

export const ATTACKS: readonly Attack[] = [...HELD, ...SENT, ...(hasTool ? TOOL : [])];

/** What an attack is called in arguments and tables. */
export const titleOf = ({ name, tls }: Attack): string => (tls ? `${name}, TLS` : name);

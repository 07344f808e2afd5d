/** Answers of a backend picked by hand, each named after what is odd about it. */
import { CHUNKED, LAST, length, type Named } from './messages.ts';

const ok = (fields: string, body: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';

export const PICKED_RESPONSES: readonly Named[] = [
  ['length', ok(length('5'), 'hello')],
  ['chunks', ok(CHUNKED, `5\r\nhello\r\n${LAST}`)],
  ['until the end', ok('', 'hello')],
  ['another behind', ok(length('5'), `hello${POISON}`)],
  ['another behind chunks', ok(CHUNKED, `${LAST}${POISON}`)],
  ['both framings', ok(length('5') + CHUNKED, `${LAST}${POISON}`)],
  ...['+5', '-5', '0x5', '5,5', '5, 6', '05', '', '5 5', '99999999999999999999'].map(
    (value): Named => [`length ${JSON.stringify(value)}`, ok(length(value), `hello${POISON}`)],
  ),
  ['two lengths', ok(length('5') + length('6'), `hello${POISON}`)],
  ['two lengths, the same', ok(length('5') + length('5'), `hello${POISON}`)],
  ...[
    'chunked, chunked',
    'gzip, chunked',
    'identity',
    'xchunked',
    'chunked ',
    '\x0bchunked',
    'chunked, gzip',
    '',
  ].map(
    (value): Named => [
      `coding ${JSON.stringify(value)}`,
      ok(`Transfer-Encoding: ${value}\r\n`, `${LAST}${POISON}`),
    ],
  ),
  ...['5;a\nb', '5 ', '+5', '0x5', 'FFFFFFFFFFFFFFFF', '', '5;a="\r\n"'].map(
    (size): Named => [
      `chunk size ${JSON.stringify(size)}`,
      ok(CHUNKED, `${size}\r\nhello\r\n${LAST}${POISON}`),
    ],
  ),
  ['chunks cut', ok(CHUNKED, '5\r\nhel')],
  ['length cut', ok(length('50'), 'hello')],
  ['204 with a body', `HTTP/1.1 204 No Content\r\n${length('5')}\r\nhello${POISON}`],
  ['204 in chunks', `HTTP/1.1 204 No Content\r\n${CHUNKED}\r\n${LAST}${POISON}`],
  ['304 with a body', `HTTP/1.1 304 Not Modified\r\n${length('5')}\r\nhello${POISON}`],
  ['interim with a body', `HTTP/1.1 103 Early Hints\r\n${length('5')}\r\nhello${ok(length('2'), 'ok')}`],
  ['interim, then final', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok(length('2'), 'ok')}`],
  [
    'switch that nobody asked for',
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${POISON}`,
  ],
  ['HTTP/0.9', 'hello'],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
  ['folded field', ok(`X: a\r\n b\r\n${length('5')}`, 'hello')],
  ['folded length', ok('Content-Length:\r\n 5\r\n', `hello${POISON}`)],
  ['LF only', `HTTP/1.1 200 OK\nContent-Length: 5\n\nhello${POISON}`],
  ['NUL in a value', ok(`X: a\x00b\r\n${length('5')}`, 'hello')],
  ['CR in a value', ok(`X: a\rb\r\n${length('5')}`, 'hello')],
  ['LF in a value', ok(`X: a\nSet-Cookie: b\r\n${length('5')}`, 'hello')],
  ['space before the colon', ok('Content-Length : 5\r\n', `hello${POISON}`)],
  ['status 099', 'HTTP/1.1 099 x\r\n\r\n'],
  ['status 1000', `HTTP/1.1 1000 x\r\n${length('0')}\r\n`],
  ['80 KB of field', ok(`X: ${'x'.repeat(80_000)}\r\n${length('0')}`, '')],
  ['trailers', ok(`${CHUNKED}Trailer: X\r\n`, `5\r\nhello\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n`)],
  ['Connection takes the length away', ok(`Connection: Content-Length\r\n${length('5')}`, `hello${POISON}`)],
  ['nothing', ''],
].map(([what, text]) => [what!, Buffer.from(text!, 'latin1').toString('latin1')]);

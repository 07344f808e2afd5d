/** Messages of HTTP/1.1 as attackers and broken programs write them: put together from pieces that are right, odd or wrong. */
import fc from 'fast-check';

export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example.com\r\n\r\n';

const often = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const EOL = fc.oneof(
  { weight: 60, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', '\r\n ', '\x0b\r\n', '\x00\r\n') },
);

const METHOD = often(
  'POST',
  'GET',
  'HEAD',
  'PUT',
  'OPTIONS',
  'DELETE',
  'TRACE',
  'BREW',
  'get',
  'CONNECT',
  'G\x00T',
  '',
);
const TARGET = often(
  '/',
  '/a?b=c',
  '//a',
  '/a/../b',
  '/%2e%2e/a',
  '/a%2fb',
  '/..;/a',
  '/a b',
  '/a#b',
  '/\x7f',
  '/\xe9',
  '/\x00',
  '/a\\b',
  'http://a.example.com/x',
  'http://b.example.com:81/x?y',
  'HTTP://A.example.com',
  'http://u@a.example.com/',
  '*',
  'a',
  '?a',
);
const VERSION = often(
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/11',
  'HTTP/1.1 ',
  '',
);
const HOST = often(
  'Host: a.example.com',
  'Host: A.Example.Com.:80',
  'host:a.example.com\t',
  'Host: a.example.com\r\nHost: a.example.com',
  'Host: a.example.com\r\nHost: b.example.com',
  'Host:',
  'Host: a b',
  'Host: u@a.example.com',
  'Host: a.example.com:99999',
  'Host : a.example.com',
  'X-None: 1',
);
const LENGTHS = [
  '0',
  '5',
  '6',
  '44',
  '05',
  '+5',
  '-5',
  '0x5',
  '5,5',
  '5, 6',
  '5 5',
  '5.0',
  '',
  '99999999999999999999',
  '\t5 ',
];
const CODINGS = [
  'chunked',
  'Chunked',
  'chunked ',
  ' \tchunked',
  'xchunked',
  'chunked, chunked',
  'identity',
  'identity, chunked',
  'gzip, chunked',
  'chunked, gzip',
  '"chunked"',
  'chunked;q=1',
  'chunked,',
  ',chunked',
  'chun\x00ked',
  '\x0bchunked',
  'chunke\xe4',
  '',
];
const FRAMING_NAMES = [
  'Content-Length',
  'content-length',
  'Content-Length ',
  'Content_Length',
  ' Content-Length',
];
const CODING_NAMES = [
  'Transfer-Encoding',
  'transfer-encoding',
  'Transfer-Encoding ',
  'Transfer_Encoding',
  ' Transfer-Encoding',
];
const field = (names: readonly string[], values: readonly string[]) =>
  fc
    .tuple(often(names[0]!, ...names), often(values[0]!, ...values), often(': ', ':', ':\t', ' : '))
    .map(([name, value, colon]) => `${name}${colon}${value}`);
const LENGTH = field(FRAMING_NAMES, ['5', ...LENGTHS]);
const CODING = field(CODING_NAMES, CODINGS);
const FRAMING = fc.oneof(
  { weight: 2, arbitrary: fc.constant<string[]>([]) },
  { weight: 3, arbitrary: LENGTH.map((line) => [line]) },
  { weight: 3, arbitrary: CODING.map((line) => [line]) },
  { weight: 2, arbitrary: fc.array(fc.oneof(LENGTH, CODING), { minLength: 2, maxLength: 3 }) },
);
const FIELD = fc.constantFrom(
  'X-A: 1',
  'X-A:',
  'x-a: \xe9\xff',
  'X-A: 1\r\n 2',
  'X-A: 1\r\n\t2',
  'X-A: a\x00b',
  'X-A: a\rb',
  'X-A: a\nb',
  'X-A\x00: 1',
  'X A: 1',
  'X-A',
  ': 1',
  'X-A : 1',
  '__proto__: 1',
  'constructor: 1',
  `X-Long: ${'x'.repeat(3_000)}`,
  'Connection: close',
  'Connection: keep-alive, X-A',
  'Connection: host, content-length, transfer-encoding',
  'Connection: upgrade\r\nUpgrade: h2c',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: close',
  'Expect: 100-continue',
  'Expect: more',
  'TE: trailers',
  'Trailer: X-T',
  'X-Forwarded-For: 10.0.0.1',
  'X_Forwarded_For: 10.0.0.1',
  'Cookie: a=b\r\nCookie: c=d',
);
const SIZE = often(
  '5',
  '05',
  '00000005',
  '0x5',
  '5 ',
  ' 5',
  '+5',
  '5;a=b',
  '5;a="\r\n"',
  '5;a\nb',
  '5\r',
  'FFFFFFFFFFFFFFFF',
  '1FFFFFFFFFFFFF',
  '',
  '5g',
  '6',
);
const LAST = often('0', '00', '0;a', '0x0', '-0', '');
const TRAILERS = often(
  '',
  'X-T: 1\r\n',
  'Host: b\r\n',
  'Content-Length: 5\r\n',
  'X-T : 1\r\n',
  'X-T: 1\n',
  ' X-T: 1\r\n',
  'X-T: \x00\r\n',
);
/** A body in chunks. */
export const CHUNKS = fc
  .tuple(SIZE, EOL, EOL, LAST, EOL, TRAILERS, EOL)
  .map(([size, a, b, last, c, trailers, d]) => `${size}${a}hello${b}${last}${c}${trailers}${d}`);
const BODY = fc.oneof(fc.constantFrom('', 'hello', '0\r\n\r\n', 'hello5'), CHUNKS);
const BEHIND = often('', SMUGGLED, `\r\n${SMUGGLED}`, '\x00', 'X');

/** One octet more, less or other. */
const EDIT = fc.record({ at: fc.nat(), kind: fc.nat(2), octet: fc.nat(255) });

function edited(text: string, { at, kind, octet }: { at: number; kind: number; octet: number }): string {
  const place = at % (text.length + 1);
  const put = kind === 1 ? '' : String.fromCharCode(octet);
  return text.slice(0, place) + put + text.slice(place + (kind === 2 ? 0 : 1));
}

const withEdits = (message: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 4, arbitrary: message },
    { weight: 1, arbitrary: fc.tuple(message, EDIT).map(([text, edit]) => edited(text, edit)) },
  );

const joined = (lines: readonly string[], ends: readonly string[]) =>
  lines.map((line, i) => line + ends[i % ends.length]!).join('');

export const REQUEST: fc.Arbitrary<string> = withEdits(
  fc
    .record({
      line: fc.tuple(METHOD, often(' ', '  ', '\t'), TARGET, often(' ', '  '), VERSION),
      host: HOST,
      framing: FRAMING,
      fields: fc.array(FIELD, { maxLength: 2 }),
      hostLast: fc.boolean(),
      ends: fc.array(EOL, { minLength: 8, maxLength: 8 }),
      body: BODY,
      behind: BEHIND,
    })
    .map(({ line, host, framing, fields, hostLast, ends, body, behind }) => {
      const rest = hostLast ? [...framing, ...fields, host] : [host, ...fields, ...framing];
      return joined([line.join(''), ...rest, ''], ends) + body + behind;
    }),
);

const STATUS = often(
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 404 \xe9',
  'HTTP/1.1 999 x',
  'HTTP/1.1 099 x',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.0 200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/2.0 200 OK',
  'http/1.1 200 OK',
  'HTTP/1.1 101 Switching Protocols',
  'ICY 200 OK',
  '',
);
const INTERIM = often(
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n',
  'HTTP/1.1 102 x\r\nContent-Length: 3\r\n\r\n',
);

export const RESPONSE: fc.Arbitrary<string> = withEdits(
  fc
    .record({
      interim: INTERIM,
      status: STATUS,
      framing: FRAMING,
      fields: fc.array(FIELD, { maxLength: 2 }),
      ends: fc.array(EOL, { minLength: 8, maxLength: 8 }),
      body: BODY,
      behind: often('', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'),
    })
    .map(
      ({ interim, status, framing, fields, ends, body, behind }) =>
        interim + joined([status, ...fields, ...framing, ''], ends) + body + behind,
    ),
);

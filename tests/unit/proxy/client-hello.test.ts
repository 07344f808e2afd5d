/** The reader of ClientHellos: what sound clients send, in whatever pieces, and nothing else. */
import { describe, expect, it } from '@jest/globals';
import {
  ClientHelloReader,
  type HelloProgress,
} from '../../../gateway-runtime/proxy/tls-routes/client-hello.ts';
import {
  extension,
  helloMessage,
  inRecords,
  realHello,
  serverNameExtension,
} from '../../support/client-hello.ts';

const MOST = 16 * 1024;

const read = (octets: Uint8Array, most = MOST): HelloProgress => new ClientHelloReader(most).read(octets);

function readInPieces(octets: Uint8Array, size: number): HelloProgress {
  const reader = new ClientHelloReader(MOST);
  let progress: HelloProgress = 'more';
  for (let at = 0; at < octets.length; at += size) {
    // Behind the end nothing is read any more.
    if (progress !== 'more') return progress;
    progress = reader.read(octets.subarray(at, at + size));
  }
  return progress;
}

const NAMELESS = { serverName: '', offersTls13: false };
const SOUND = { serverName: 'a.example', offersTls13: false };

const versions = (...octets: number[]) => extension(43, [octets.length, ...octets]);

describe('what clients of OpenSSL send', () => {
  it.each([
    ['TLS 1.3', {}, true],
    ['TLS 1.3 alone', { minVersion: 'TLSv1.3' }, true],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, false],
    ['protocols', { ALPNProtocols: ['h2', 'http/1.1'] }, true],
  ] as const)('with %s', async (_, options, offersTls13) => {
    const hello = await realHello({ servername: 'Shop.example.com', ...options, ALPNProtocols: undefined });
    expect(read(hello)).toEqual({ serverName: 'Shop.example.com', offersTls13 });
  });

  it('without a server name', async () => {
    expect(read(await realHello({ servername: '' }))).toEqual({ serverName: '', offersTls13: true });
  });

  it('in pieces of any size, and in records of any size', async () => {
    const hello = await realHello({ servername: 'shop.example.com' });
    const message = hello.subarray(5);
    const found = { serverName: 'shop.example.com', offersTls13: true };
    for (const size of [1, 2, 3, 5, 7, 64, 500]) {
      expect(readInPieces(hello, size)).toEqual(found);
      expect(readInPieces(inRecords(message, size), size)).toEqual(found);
      expect(read(inRecords(message, size))).toEqual(found);
    }
  });

  it('needs every octet', async () => {
    const hello = await realHello({ servername: 'shop.example.com' });
    for (let end = 0; end < hello.length; end++) expect(read(hello.subarray(0, end))).toBe('more');
  });
});

describe('what may be there', () => {
  it.each([
    ['a session id of 32 octets', { sessionId: Array.from({ length: 32 }, () => 1) }],
    [
      'extensions that nobody knows',
      { extensions: [extension(0x0a0a, []), serverNameExtension('a.example')] },
    ],
    [
      'an encrypted inner ClientHello, whose outer name counts',
      {
        extensions: [extension(0xfe0d, [0, 0, 1, 0, 1, 5]), serverNameExtension('a.example')],
      },
    ],
  ] as const)('%s', (_, parts) => {
    expect(read(inRecords(helloMessage(parts)))).toEqual(SOUND);
  });

  it('no extensions at all, as before TLS 1.3', () => {
    const message = helloMessage({ extensions: [] });
    const bare = Buffer.from(message.subarray(0, -2));
    bare.writeUIntBE(bare.length - 4, 1, 3);
    expect(read(inRecords(bare))).toEqual(NAMELESS);
  });

  it.each([
    ['before TLS 1.3', [3, 3, 3, 2], false],
    ['and TLS 1.3 last, behind one that nobody knows', [0x1a, 0x1a, 3, 3, 3, 4], true],
    ['whose octets look like TLS 1.3 across two', [3, 3, 4, 3], false],
  ] as const)('versions %s', (_, octets, offersTls13) => {
    const extensions = [versions(...octets), serverNameExtension('a.example')];
    expect(read(inRecords(helloMessage({ extensions })))).toEqual({ serverName: 'a.example', offersTls13 });
  });

  it('records behind it, such as early data', () => {
    expect(read(Buffer.concat([inRecords(helloMessage()), Buffer.from([23, 3, 3, 0, 1, 0])]))).toEqual(SOUND);
  });
});

describe('what no sound client sends is malformed', () => {
  const withName = (name: string, type = 0) =>
    inRecords(helloMessage({ extensions: [serverNameExtension(name, type)] }));
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a ClientHello of SSL 2', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['another major version', Buffer.from([22, 2])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['another handshake message', inRecords(Buffer.from([2, 0, 0, 50]))],
    ['a message that is too short', inRecords(Buffer.from([1, 0, 0, 10]))],
    ['a message that is too long', inRecords(Buffer.from([1, 1, 0, 0]))],
    ['octets behind the message in its record', inRecords(Buffer.concat([helloMessage(), Buffer.from([0])]))],
    ['another version of TLS in the message', inRecords(helloMessage({ version: [2, 0] }))],
    [
      'a session id that is too long',
      inRecords(helloMessage({ sessionId: Array.from({ length: 33 }, () => 1) })),
    ],
    ['no cipher suite', inRecords(helloMessage({ suites: [] }))],
    ['half a cipher suite', inRecords(helloMessage({ suites: [1, 2, 3] }))],
    ['no compression method', inRecords(helloMessage({ compressions: [] }))],
    ['an extension twice', inRecords(helloMessage({ extensions: [extension(5, []), extension(5, [])] }))],
    ['an extension that goes on', inRecords(helloMessage({ extensions: [[0, 0, 0, 9, 0]] }))],
    ['half an extension', inRecords(helloMessage({ extensions: [[0, 5, 0]] }))],
    ['an empty list of server names', inRecords(helloMessage({ extensions: [extension(0, [0, 0])] }))],
    ['an empty server name', withName('')],
    ['a server name of another type', withName('a.example', 1)],
    [
      'two server names',
      inRecords(
        helloMessage({
          extensions: [extension(0, [0, 8, 0, 0, 1, 97, 0, 0, 1, 98])],
        }),
      ),
    ],
    [
      'a server name that is longer than its list',
      inRecords(helloMessage({ extensions: [extension(0, [0, 4, 0, 0, 9, 97])] })),
    ],
    ['no version', inRecords(helloMessage({ extensions: [versions()] }))],
    ['half a version', inRecords(helloMessage({ extensions: [versions(3, 4, 3)] }))],
    ['versions that go on', inRecords(helloMessage({ extensions: [extension(43, [4, 3, 4])] }))],
    ['versions without a length', inRecords(helloMessage({ extensions: [extension(43, [])] }))],
    ['NUL in a server name', withName('a.example\0.evil')],
    ['a port in a server name', withName('a.example:443')],
    ['other than ASCII in a server name', withName('b\xfccher.example')],
    ['a space in a server name', withName('a example')],
  ])('%s', (_, octets) => {
    expect(read(octets)).toBe('malformed');
    expect(readInPieces(octets, 1)).toBe('malformed');
  });

  it('and stays so', () => {
    const reader = new ClientHelloReader(MOST);
    expect(reader.read(Buffer.from('G'))).toBe('malformed');
    expect(reader.read(inRecords(helloMessage()))).toBe('malformed');
  });
});

describe('its bound', () => {
  const hello = inRecords(
    helloMessage({
      extensions: [
        extension(
          21,
          Array.from({ length: 4000 }, () => 0),
        ),
      ],
    }),
  );

  it('is for the whole, headers of records with it', () => {
    expect(read(hello, hello.length)).toEqual(NAMELESS);
    expect(read(hello, hello.length - 1)).toBe('malformed');
    const inSmall = inRecords(hello.subarray(5), 2);
    expect(read(inSmall, hello.length)).toBe('malformed');
    expect(read(inSmall, inSmall.length)).toEqual(NAMELESS);
  });

  it('is not for what comes behind', () => {
    expect(read(Buffer.concat([hello, Buffer.alloc(100_000, 23)]), hello.length)).toEqual(NAMELESS);
  });
});

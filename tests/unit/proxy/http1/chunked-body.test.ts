/** Chunked bodies (RFC 9112 section 7.1): the same content however they come in pieces, nothing read beyond them, and every bound. */
import { describe, expect, it } from '@jest/globals';
import {
  EXTENSIONS_TOO_LARGE,
  MALFORMED_BODY,
  TRAILERS_TOO_LARGE,
} from '../../../../gateway-runtime/proxy/engine-http1/chunked-body.ts';
import { readText } from '../../../support/chunks.ts';

describe('a chunked body', () => {
  const bodies: [text: string, content: string, trailers: string][] = [
    ['0\r\n\r\n', '', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello', ''],
    ['3\r\nhel\r\n2\r\nlo\r\n000\r\n\r\n', 'hello', ''],
    ['A\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n', '\r\n0\r\n\r\n0\r\n', ''],
    ['a;x\r\n0123456789\r\n0\r\n\r\n', '0123456789', ''],
    ['1;a=b;c="d\te"\r\nx\r\n0;last\r\n\r\n', 'x', ''],
    ['1\r\nx\r\n0\r\nX-A: 1\r\nx-b:\r\n\r\n', 'x', 'X-A: 1\r\nx-b: \r\n'],
    ['0\r\nX-A: 1\r\nHost: b\r\nAuthorization: c\r\nX_Forwarded_For: 1\r\n\r\n', '', 'X-A: 1\r\n'],
  ];
  it.each(bodies)('%j', (text, content, trailers) => {
    const behind = 'GET / HTTP/1.1\r\n\r\n';
    for (let size = 1; size <= text.length; size++) {
      expect(readText(text + behind, size)).toEqual({
        problem: 0,
        content,
        trailers,
        done: true,
        at: text.length,
      });
    }
  });

  it.each(bodies)('%j is not whole before its last octet', (text) => {
    for (let end = 1; end < text.length; end++) {
      expect([end, readText(text.slice(0, end))]).toEqual([
        end,
        expect.objectContaining({ problem: 0, at: end, done: false }),
      ]);
    }
  });

  it.each([
    '\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    '5\t\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '5g\r\nhello\r\n0\r\n\r\n',
    '5\nhello\r\n0\r\n\r\n',
    '5\rhello\r\n0\r\n\r\n',
    '5\r\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhello!\r\n0\r\n\r\n',
    '4\r\nhello\r\n0\r\n\r\n',
    '5;a\nhello\r\n0\r\n\r\n',
    '5;a\rb\r\nhello\r\n0\r\n\r\n',
    '5;a\x00\r\nhello\r\n0\r\n\r\n',
    '10000000000000\r\n',
    '00000000000000\r\n\r\n',
    '0\r\n\n',
    '0\n\r\n',
    '0\r\nX: 1\n\r\n',
    '0\r\nX: 1\r\r\n\r\n',
    '0\r\nX : 1\r\n\r\n',
    '0\r\n X: 1\r\n\r\n',
    '0\r\nX\r\n\r\n',
    '0\r\nX: \x00\r\n\r\n',
    '0\r\nContent-Length: 0\r\n\r\n',
    '0\r\ntransfer-encoding: chunked\r\n\r\n',
  ])('%j is none, in one piece and octet by octet', (text) => {
    expect(readText(text).problem).toBe(MALFORMED_BODY);
    expect(readText(text, 1).problem).toBe(MALFORMED_BODY);
  });

  it('has only so much of extensions, of all chunks together', () => {
    const chunk = (extension: number) => `1;${'e'.repeat(extension)}\r\nx\r\n`;
    expect(readText(`${chunk(8_000).repeat(2)}0\r\n\r\n`)).toMatchObject({ content: 'xx', done: true });
    expect(readText(`${chunk(8_000).repeat(3)}0\r\n\r\n`).problem).toBe(EXTENSIONS_TOO_LARGE);
  });

  it('has only so much of trailers, and so many', () => {
    expect(readText(`0\r\nX: ${'x'.repeat(60_000)}\r\n\r\n`).done).toBe(true);
    expect(readText(`0\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`).problem).toBe(TRAILERS_TOO_LARGE);
    expect(readText(`0\r\n${'X: 1\r\n'.repeat(100)}\r\n`).done).toBe(true);
    expect(readText(`0\r\n${'X: 1\r\n'.repeat(101)}\r\n`).problem).toBe(TRAILERS_TOO_LARGE);
  });
});

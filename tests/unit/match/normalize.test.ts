import { describe, expect, it } from '@jest/globals';
import {
  hostPort,
  normalizeAuthority,
  normalizeHost,
  normalizePath,
  normalizePathPattern,
} from '../../../gateway-runtime/match/normalize.ts';

const REFUSED = { problem: expect.any(String) };

describe('normalizeHost', () => {
  it.each([
    ['shop.example.com', 'shop.example.com'],
    ['Shop.EXAMPLE.com', 'shop.example.com'],
    ['shop.example.com.', 'shop.example.com'],
    ['shop.example.com:8443', 'shop.example.com'],
    ['SHOP.example.com.:80', 'shop.example.com'],
    ['shop.example.com:', 'shop.example.com'],
    ['my_service.example.com', 'my_service.example.com'],
    ['192.0.2.7:80', '192.0.2.7'],
    ['[2001:DB8::1]:80', '[2001:db8::1]'],
    ['[::ffff:192.0.2.7]', '[::ffff:192.0.2.7]'],
    ['[::]', '[::]'],
    ['a'.repeat(253), 'a'.repeat(253)],
    [`${'a'.repeat(253)}.:65535`, 'a'.repeat(253)],
  ])('makes %j %j', (raw, host) => {
    expect(normalizeHost(raw)).toBe(host);
  });

  it.each([
    '',
    ':80',
    '.',
    '..',
    'a..',
    '.example.com',
    'a..example.com',
    'a b',
    ' a',
    'a\t',
    'a\0',
    'user@example.com',
    'user:pass@example.com',
    'example.com/path',
    'example.com?x',
    'example.com#x',
    'example%2ecom',
    'a,b',
    '*.example.com',
    'exämple.com',
    'a:80:81',
    'a:-1',
    'a:65536',
    'a:000080',
    'a: 80',
    '[::1',
    '[::1]x',
    '[::1]:x',
    '[1::2::3]',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[::1.2.3]',
    '[::1.2.3.256]',
    '[1.2.3.4::]',
    '[fe80::1%eth0]',
    '[v1.x]',
    '::1',
    'a'.repeat(254),
  ])('refuses %j', (raw) => {
    expect(normalizeHost(raw)).toEqual(REFUSED);
  });

  it('reads the port beside the host', () => {
    expect(hostPort('a.example.com:8443')).toBe(8443);
    expect(hostPort('[::1]:80')).toBe(80);
    expect(hostPort('[::1]')).toBeUndefined();
    expect(hostPort('a.example.com')).toBeUndefined();
    expect(hostPort('a.example.com:')).toBeUndefined();
    expect(hostPort('a.example.com:99999')).toBeUndefined();
  });
});

describe('normalizeAuthority', () => {
  it.each([
    ['shop.example.com', 'shop.example.com'],
    ['shop.example.com:8443', 'shop.example.com:8443'],
    ['SHOP.example.com.', 'shop.example.com'],
    ['Shop.example.com.:8443', 'shop.example.com:8443'],
    ['shop.example.com:', 'shop.example.com'],
    ['shop.example.com:080', 'shop.example.com:80'],
    ['shop.example.com:0', 'shop.example.com:0'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['[2001:DB8::1]:8080', '[2001:db8::1]:8080'],
    ['[::1]:', '[::1]'],
    ['[::1]:00', '[::1]:0'],
  ])('makes %j %j', (raw, authority) => {
    expect(normalizeAuthority(raw, normalizeHost(raw) as string)).toBe(authority);
  });
});

describe('normalizePath', () => {
  it.each([
    '/',
    '/cart/items',
    '/cart/',
    '//',
    '/a//b',
    '/.well-known/acme',
    '/...',
    '/a.b/..c/.d./e..',
    "/a-._~!$&'()*+,;=:@",
    '/a;v=1',
    '/a;..',
  ])('leaves %j', (path) => {
    expect(normalizePath(path)).toBe(path);
  });

  it.each([
    ['/%61%7a%2D%2e%5F%7E', '/az-._~'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/@scope%2fname', '/@scope%2Fname'],
    ['/a%3ab', '/a%3Ab'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/..', '/'],
    ['/../../a', '/a'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a//../b', '/a/b'],
    ['/a|b', '/a%7Cb'],
    ['/a[0]{x}"<>^`', '/a%5B0%5D%7Bx%7D%22%3C%3E%5E%60'],
    ['/a%253Ab', '/a%253Ab'],
    ['/%2e.a', '/..a'],
  ])('makes %j %j', (raw, path) => {
    expect(normalizePath(raw)).toBe(path);
  });

  it.each([
    '',
    '*',
    'a',
    'http://example.com/',
    '/a#b',
    '/a?b',
    '/a b',
    '/a\tb',
    '/a\r\nb',
    '/a\0',
    '/a\x7f',
    '/caf\u00e9',
    '/\u2025/',
    '/a\\..\\b',
    '/a%5cb',
    '/a%5Cb',
    '/a%00',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%+1',
    '/a/..;/b',
    '/a/.;x/b',
    '/a/..;',
    '/a/..%3b/b',
    '/a/..%2fb',
    '/a/..%2F',
    '/a%2f..',
    '/a%2F..%2Fb',
    '/a%2f%2e%2e/b',
    '/a%2f.%2fb',
    '/%2f..',
    '/a/%252e%252e/b',
    '/a/..%252fb',
    '/a/%25252e./b',
    '/a%255c..',
    '/b/../a/..;x',
  ])('refuses %j', (raw) => {
    expect(normalizePath(raw)).toEqual(REFUSED);
  });

  it('gives the same again when applied again', () => {
    for (const raw of ['/%61/../%c3%a9', '/a|b/./c%2f', '/a%2Fb/..']) {
      const once = normalizePath(raw) as string;
      expect(normalizePath(once)).toBe(once);
    }
  });
});

describe('normalizePathPattern', () => {
  it('drops the trailing slash of a prefix, but for "/"', () => {
    expect(normalizePathPattern('PathPrefix', '/')).toBe('/');
    expect(normalizePathPattern('PathPrefix', '/foo/')).toBe('/foo');
    expect(normalizePathPattern('PathPrefix', '/foo')).toBe('/foo');
    expect(normalizePathPattern('Exact', '/foo/')).toBe('/foo/');
  });

  it('writes escapes as the paths of requests have them', () => {
    expect(normalizePathPattern('Exact', '/%7ecaf%c3%a9')).toBe('/~caf%C3%A9');
  });

  it('leaves an expression alone and refuses what no path can be', () => {
    expect(normalizePathPattern('RegularExpression', '/a/[0-9]+/?')).toBe('/a/[0-9]+/?');
    expect(normalizePathPattern('Exact', '/a/..;/b')).toEqual(REFUSED);
  });
});

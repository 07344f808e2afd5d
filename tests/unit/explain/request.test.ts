import { describe, expect, it } from '@jest/globals';
import { parseRequest } from '../../../gateway-runtime/explain/request.ts';

const parsed = (line: string, headers?: string[]) => {
  const asked = parseRequest(line, headers);
  if ('problem' in asked) throw new Error(asked.problem);
  return asked;
};

describe('parseRequest', () => {
  it('takes a method, a URL and headers', () => {
    const { port, tls, request } = parsed('POST https://shop.example.com/cart?item=1&x#top', [
      'X-Tier: gold',
      'accept:text/html',
      'x-tier:  silver ',
    ]);
    expect({ port, tls }).toEqual({ port: 443, tls: true });
    expect(request).toMatchObject({
      method: 'POST',
      host: 'shop.example.com',
      path: '/cart',
      query: 'item=1&x',
    });
    expect(request.header('x-tier')).toBe('gold, silver');
    expect(request.header('accept')).toBe('text/html');
    expect(request.header('cookie')).toBeUndefined();
  });

  it.each([
    [
      'http://a.example.com',
      { port: 80, tls: false, method: 'GET', host: 'a.example.com', path: '/', query: '' },
    ],
    [
      'HEAD HTTPS://A.example.com:8443?q',
      { port: 8443, tls: true, method: 'HEAD', host: 'A.example.com:8443', path: '/', query: 'q' },
    ],
    [
      'GET http://[::1]:8080/a/../b',
      { port: 8080, tls: false, method: 'GET', host: '[::1]:8080', path: '/a/../b', query: '' },
    ],
  ])('reads %s', (line, expected) => {
    const { port, tls, request } = parsed(line);
    const { method, host, path, query } = request;
    expect({ port, tls, method, host, path, query }).toEqual(expected);
  });

  it('takes a Host header in place of the host of the URL, as curl does, and keeps the server name', () => {
    const asked = parsed('https://a.example.com/', ['Host: b.example.com']);
    expect(asked.request.host).toBe('b.example.com');
    expect(asked.serverName).toBe('a.example.com');
    expect(parsed('http://a.example.com/', ['host: b']).serverName).toBeUndefined();
    expect(parsed('https://192.0.2.1/', ['host: b']).serverName).toBe('');
  });

  it.each([
    ['', [], 'expected a method and a URL, such as GET https://shop.example.com/cart'],
    ['shop.example.com/cart', [], 'found "shop.example.com/cart", expected a method and a URL'],
    ['GET http://a /b', [], 'expected a method and a URL'],
    ['G(T http://a/', [], 'found the method "G(T", expected a name such as GET'],
    ['GET http:///cart', [], 'expected a host in it: the host is empty'],
    ['GET http://a:99999/', [], 'the port of the host is not a number up to 65535'],
    ['GET http://user@a/', [], 'found the URL http://user@a/, expected a host in it'],
    ['GET http://a/?é', [], 'found the query "é", expected other characters escaped'],
    ['GET http://a/', ['x-tier'], 'found the header "x-tier", expected a name, a colon and a value'],
    ['GET http://a/', [': x'], 'found the header ": x"'],
    ['GET http://a/', ['a b: x'], 'found the header "a b: x"'],
    ['GET http://a/', ['a: x\r\nb: y'], 'found the header'],
  ])('refuses %j with %j', (line, headers, problem) => {
    expect(parseRequest(line, headers)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

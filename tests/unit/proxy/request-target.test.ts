import { describe, expect, it } from '@jest/globals';
import { readTarget } from '../../../gateway-runtime/proxy/request-target.ts';

const read = (url: string, ...hosts: string[]) => readTarget(url, hosts[0] ?? '', hosts.length);

describe('the target of a request', () => {
  it('is a path with the host of its Host field', () => {
    expect(read('/a/./b?c=%zz&d', 'Shop.Example.com.:8080')).toEqual({
      authority: 'shop.example.com:8080',
      host: 'shop.example.com',
      path: '/a/b',
      query: 'c=%zz&d',
    });
    expect(read('/?', 'a')).toMatchObject({ path: '/', query: '' });
    expect(read('//a//b', 'a')).toMatchObject({ host: 'a', path: '//a//b' });
  });

  it('or a URL, whose host counts', () => {
    expect(read('http://b.example.com:81/x?y', 'a')).toEqual({
      authority: 'b.example.com:81',
      host: 'b.example.com',
      path: '/x',
      query: 'y',
    });
    expect(read('HTTPS://b', 'a')).toMatchObject({ host: 'b', path: '/' });
    expect(read('http://b?q', 'a')).toMatchObject({ path: '/', query: 'q' });
  });

  it.each([
    ['/', []],
    ['/', ['a', 'a']],
    ['/', ['']],
    ['/', ['a b']],
    ['/', ['a,b']],
    ['/', ['a:http']],
    ['*', ['a']],
    ['a.example.com:443', ['a']],
    ['ftp://a/', ['a']],
    ['http://a@b/', ['a']],
    ['http:///', ['a']],
    ['http://a#b', ['a']],
    ['/a#b', ['a']],
    ['/a?b#c', ['a']],
    ['/a?b c', ['a']],
    ['/a?\xe9', ['a']],
    ['/\x7f', ['a']],
  ])('is refused as %s with %j', (url, hosts) => {
    const problem = read(url, ...hosts);
    expect(problem).toMatchObject({ status: 400, message: expect.any(String) });
  });
});

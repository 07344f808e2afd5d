import { describe, expect, it } from '@jest/globals';
import {
  compareHostnames,
  hostnameMatches,
  intersectHostnames,
} from '../../../gateway-runtime/match/hostname.ts';

describe('hostnameMatches', () => {
  it.each([
    ['*', 'anything', true],
    ['*', '', true],
    ['test.example.com', 'test.example.com', true],
    ['test.example.com', 'foo.test.example.com', false],
    ['*.example.com', 'test.example.com', true],
    ['*.example.com', 'foo.test.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'test.example.net', false],
  ])('%s takes %s: %s', (pattern, host, matches) => {
    expect(hostnameMatches(pattern, host)).toBe(matches);
  });
});

describe('intersectHostnames', () => {
  it.each([
    [undefined, [], ['*']],
    [undefined, ['a.example.com', '*.b.com'], ['a.example.com', '*.b.com']],
    ['test.example.com', [], ['test.example.com']],
    ['test.example.com', ['test.example.com'], ['test.example.com']],
    ['test.example.com', ['*.example.com'], ['test.example.com']],
    ['test.example.com', ['*.example.com', 'test.example.com'], ['test.example.com']],
    ['*.example.com', ['*.example.com'], ['*.example.com']],
    ['*.example.com', ['foo.test.example.com'], ['foo.test.example.com']],
    ['*.example.com', ['*.test.example.com'], ['*.test.example.com']],
    ['*.test.example.com', ['*.example.com'], ['*.test.example.com']],
    ['*.example.com', ['test.example.com', 'test.example.net'], ['test.example.com']],
    ['*.example.com', ['example.com'], []],
    ['example.com', ['*.example.com'], []],
  ] as [string | undefined, string[], string[]][])('%s and %j agree in %j', (listener, route, agreed) => {
    expect(intersectHostnames(listener, route)).toEqual(agreed);
  });
});

it('sorts hostnames that match one host from the most specific', () => {
  const hostnames = ['*', '*.com', '*.example.com', 'shop.example.com', '*.shop.example.com'];
  expect(hostnames.sort(compareHostnames)).toEqual([
    'shop.example.com',
    '*.shop.example.com',
    '*.example.com',
    '*.com',
    '*',
  ]);
});

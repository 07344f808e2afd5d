/** Requests that show what a message says: what they look like, and what they leave out. */
import { expect, it } from '@jest/globals';
import { exampleRequest } from '../../../gateway-runtime/match/example.ts';
import { type ExampleRequest, formatExample } from '../../../gateway-runtime/snapshot/diagnostic.ts';
import type { HttpMatch } from '../../../gateway-runtime/snapshot/snapshot.ts';

const value = (name: string, text: string) => ({ name, type: 'Exact' as const, value: text });
const match = (more: Partial<HttpMatch> = {}): HttpMatch => ({
  path: { type: 'PathPrefix', value: '/cart' },
  headers: [],
  queryParams: [],
  ...more,
});

it.each<[string, ExampleRequest, string]>([
  [
    'a wildcard and a port of its own',
    exampleRequest({ protocol: 'HTTPS', port: 8443, hostname: '*.example.com' }, match({ method: 'POST' })),
    'POST https://www.example.com:8443/cart',
  ],
  [
    'no hostname and no match',
    exampleRequest({ protocol: 'HTTP', port: 80, hostname: '*' }),
    'GET http://any.example/',
  ],
  [
    'an expression',
    exampleRequest(
      { protocol: 'HTTP', port: 80, hostname: 'a.com' },
      match({ headers: [{ name: 'x-tier', type: 'RegularExpression', value: 'gold|silver' }] }),
    ),
    "GET http://a.com/cart -H 'x-tier: <gold|silver>'",
  ],
  [
    'a quote, which a shell would take',
    exampleRequest(
      { protocol: 'HTTP', port: 80, hostname: 'a.com' },
      match({ headers: [value('x-name', "o'neil")] }),
    ),
    "GET http://a.com/cart -H 'x-name: o'\\''neil'",
  ],
  [
    'credentials, which are not shown',
    exampleRequest(
      { protocol: 'HTTP', port: 80, hostname: 'a.com' },
      match({
        headers: [value('authorization', 's3cret')],
        queryParams: [value('access_token', 's3cret'), value('page', '1')],
      }),
    ),
    "GET http://a.com/cart?access_token=[redacted]&page=1 -H 'authorization: [redacted]'",
  ],
])('a request to show %s', (_, example, text) => {
  expect(formatExample(example)).toBe(text);
});

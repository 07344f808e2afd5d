import { expect, it } from '@jest/globals';
import { explain } from '../../../gateway-runtime/explain/explain.ts';
import { parseRequest } from '../../../gateway-runtime/explain/request.ts';
import { explanationText } from '../../../gateway-runtime/explain/text.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { exact, listener, prefix, rule, snapshot } from '../match/snapshots.ts';

const shop = { hostnames: ['shop.example.com'], on: ['shop'] };
const gateway = snapshot(
  listener('any', { port: 443, protocol: 'HTTPS', certificates: ['infra/c'] }),
  listener('shop', { port: 443, protocol: 'HTTPS', certificates: ['infra/c'], hostname: 'shop.example.com' }),
  rule({
    ...shop,
    matches: [{ path: prefix('/cart'), headers: { 'x-tier': 'gold' } }],
    rest: {
      filters: [{ type: 'URLRewrite', config: { path: { type: 'prefix', path: '/basket' } } }],
      backends: [
        { name: 'Service shop/whoami:80', weight: 3, backend: 'backend/shop/whoami/80', filters: [] },
        {
          name: 'Service shop/nginx:80',
          weight: 1,
          unresolved: {
            reason: 'BackendNotFound',
            message: 'there is no Service nginx in the namespace shop',
          },
          filters: [],
        },
      ],
    },
  }),
  rule({ ...shop, index: 1, matches: [{ path: prefix('/cart') }] }),
  rule({ ...shop, route: 'shop/home', matches: [{ path: exact('/') }] }),
);

const text = (line: string, headers: string[] = [], of = gateway) => {
  const asked = parseRequest(line, headers);
  if ('problem' in asked) throw new Error(asked.problem);
  return explanationText(explain(of, asked, asked.request, re2));
};

it('reads well', () => {
  expect(text('https://shop.example.com/cart/./1?a=b', ['x-tier: gold'])).toBe(
    `
GET https://shop.example.com/cart/1?a=b
Given as    host shop.example.com, path /cart/./1

Answer      Served by HTTPRoute shop/cart spec.rules[0].
Listener    shop (HTTPS, shop.example.com)
            its hostname shop.example.com is the most specific that matches
Not         any (HTTPS, any host): shop.example.com is more specific than any
              host
Rule        HTTPRoute shop/cart spec.rules[0]
            PathPrefix /cart, header x-tier: gold
            for shop.example.com
            goes before HTTPRoute shop/cart spec.rules[1]: the match with the
              most headers goes first
Filters     1. rewrites to /basket in place of the matched prefix
Forwarded   as /basket/1
Backends       75 %  Service shop/whoami:80
               25 %  Service shop/nginx:80, answered 500: BackendNotFound, there
                 is no Service nginx in the namespace shop
Others      HTTPRoute shop/cart spec.rules[1]: PathPrefix /cart
              matches, but another goes first: the match with the most headers
                goes first
            HTTPRoute shop/home spec.rules[0]: Exact /
              its path is Exact /, not /cart/1
`.trim(),
  );
});

it('shows what came near first, and counts the rest', () => {
  const far = Array.from({ length: 10 }, (_, i) =>
    rule({ ...shop, route: `far/r${i}`, matches: [{ path: exact(`/${i}`) }] }),
  );
  const near = rule({
    ...shop,
    route: 'near/r',
    matches: [{ path: prefix('/'), headers: { 'x-tier': 'gold' } }],
  });
  const lines = text('https://shop.example.com/x', [], snapshot(...gateway.resources, ...far, near)).split(
    '\n',
  );
  const others = lines.slice(lines.findIndex((line) => line.startsWith('Others')));
  expect(others[0]).toBe('Others      HTTPRoute near/r spec.rules[0]: PathPrefix /, header x-tier: gold');
  expect(others[1]).toBe('              its header x-tier must be gold, and the request has none');
  expect(others.at(-1)).toBe('            and 6 more that are further off');
  expect(others).toHaveLength(17);
});

it('stays within 80 columns but for words that are longer', () => {
  const lines = [
    text(`https://shop.example.com/${'a/'.repeat(60)}`),
    text('https://shop.example.com/cart', ['x-tier: gold']),
    text('https://other.example.com/', ['host: shop.example.com']),
  ].flatMap((each) => each.split('\n'));
  expect(
    lines.filter(
      (line) =>
        line.length > 80 &&
        line
          .trim()
          .split(' ')
          .every((word) => word.length < 60),
    ),
  ).toEqual([]);
});

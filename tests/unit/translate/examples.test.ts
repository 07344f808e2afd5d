/** The request that shows what is said of a route. */
import { expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { formatExample } from '../../../gateway-runtime/snapshot/diagnostic.ts';
import { gateway, http, https, route, service, tlsSecret, to, translated } from './build.ts';

const edge = gateway('infra/edge', [
  http('web', 80, { hostname: '*.example.com' }),
  http('alt', 8080),
  https('secure', 'cert', { hostname: '*.example.com' }),
  http('inner', 8081, { allowedRoutes: { namespaces: { from: 'Same' } } }),
]);
const objects = [edge, tlsSecret('infra/cert'), service('shop/cart', 80)];
const at = (more: object = {}) => ({ name: 'edge', namespace: 'infra', ...more });
const gold = { matches: [{ path: { value: '/cart' }, headers: [{ name: 'x-tier', value: 'gold' }] }] };
const shop = { hostnames: ['shop.example.com'] };

it.each<[string, RawObject, string[]]>([
  [
    'a backend that is not there, where the route is attached',
    route('shop/r', at({ sectionName: 'secure' }), [to('cart:80'), { ...gold, ...to('none:80') }], shop),
    ["route/backend-not-found GET https://shop.example.com/cart -H 'x-tier: gold'"],
  ],
  [
    'a missing ReferenceGrant',
    route('shop/r', at({ port: 8080 }), [to('media/player:80')], shop),
    ['route/ref-not-permitted GET http://shop.example.com:8080/'],
  ],
  [
    'a rule without backends, under the hostname of the listener',
    route('shop/r', at({ sectionName: 'web' }), [{}]),
    ['route/no-backends GET http://www.example.com/'],
  ],
  [
    'a field that is not served',
    route('shop/r', at({ sectionName: 'alt' }), [
      { sessionPersistence: { absoluteTimeout: '0s' }, ...to('cart:80') },
    ]),
    ['route/unsupported-value GET http://any.example:8080/'],
  ],
  [
    'a namespace that is not allowed, at the listener that was meant',
    route('shop/r', at({ sectionName: 'inner' }), [{ ...gold, ...to('cart:80') }], shop),
    ["route/not-allowed-by-listeners GET http://shop.example.com:8081/cart -H 'x-tier: gold'"],
  ],
  [
    'a hostname that does not fit',
    route('shop/r', at({ sectionName: 'secure' }), [to('cart:80')], { hostnames: ['shop.example.org'] }),
    ['route/no-matching-listener-hostname GET https://shop.example.org/'],
  ],
  [
    'a section that is not there',
    route('shop/r', at({ sectionName: 'none' }), [to('cart:80')], shop),
    ['route/no-matching-parent GET http://shop.example.com/'],
  ],
  [
    'a parent that is not there',
    route('shop/r', { name: 'none', port: 8080 }, [to('cart:80')], shop),
    ['route/parent-not-found GET http://shop.example.com:8080/'],
  ],
  [
    'no parent, and an expression',
    {
      ...route(
        'shop/r',
        [],
        [{ matches: [{ path: { type: 'RegularExpression', value: '/a+' } }], ...to('cart:80') }],
        shop,
      ),
    },
    ['route/no-parent-refs GET http://shop.example.com</a+>'],
  ],
])('shows %s', (_, object, expected) => {
  const { diagnostics } = translated([...objects, object]);
  expect(
    diagnostics.map(({ code, example }) => `${code} ${example ? formatExample(example) : 'without'}`),
  ).toEqual(expected);
});

it('holds no credentials', () => {
  const secret = { matches: [{ headers: [{ name: 'authorization', value: 's3cret' }] }], ...to('none:80') };
  const { diagnostics } = translated([...objects, route('shop/r', at(), [secret], shop)]);
  expect(diagnostics).toHaveLength(1);
  expect(JSON.stringify(diagnostics)).not.toContain('s3cret');
  expect(diagnostics[0]!.example!.headers).toEqual([{ name: 'authorization', value: '[redacted]' }]);
});

it('shows listeners that can not be served, but of other protocols', () => {
  const { diagnostics } = translated([
    gateway('infra/edge', [
      http('web'),
      https('secure', 'none', { hostname: '*.example.com' }),
      http('raw', 9000, { protocol: 'TCP' }),
    ]),
  ]);
  const shown = diagnostics
    .filter(({ code }) => code.startsWith('listener/'))
    .map(({ code, example }) => `${code} ${example ? formatExample(example) : 'without'}`);
  expect(shown).toEqual([
    'listener/invalid-certificate-ref GET https://www.example.com/',
    'listener/unsupported-protocol without',
  ]);
});

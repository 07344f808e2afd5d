/** Routes that a 404 leaves out: which are told, and how. */
import { describe, expect, it } from '@jest/globals';
import { explain } from '../../../gateway-runtime/explain/explain.ts';
import { explained, isAnswered } from '../../../gateway-runtime/explain/explained.ts';
import type { RefusedRoute } from '../../../gateway-runtime/explain/explanation.ts';
import {
  REFUSED_AT_SYNTH,
  type RouteReport,
  refusedRoutes,
} from '../../../gateway-runtime/explain/refused.ts';
import { parseRequest } from '../../../gateway-runtime/explain/request.ts';
import { explainedText } from '../../../gateway-runtime/explain/text.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { Diagnostic } from '../../../gateway-runtime/snapshot/diagnostic.ts';
import { listener, rule, snapshot } from '../match/snapshots.ts';

const ref = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop', name: 'cart' };
const said = (code: string, more: Partial<Diagnostic> = {}): Diagnostic => ({
  severity: 'error',
  code,
  object: ref,
  message: 'it is so',
  ...more,
});
const parentSaid = said('route/no-matching-parent', { field: 'spec.parentRefs[0]', fix: 'do this' });
const report = (more: Partial<RouteReport> = {}): RouteReport => ({
  ref,
  hostnames: ['shop.example.com'],
  diagnostics: [parentSaid],
  judged: true,
  ...more,
});

describe('refused routes', () => {
  it.each<[string, RouteReport, string[]]>([
    ['what is said of a parent', report(), ['NoMatchingParent']],
    [
      'what is said of default Gateways',
      report({ diagnostics: [said('route/parent-not-found', { field: 'spec.useDefaultGateways' })] }),
      ['ParentNotFound'],
    ],
    ['nothing for another host', report({ hostnames: ['media.example.com'] }), []],
    ['a route for any host', report({ hostnames: [] }), ['NoMatchingParent']],
    ['a route under a wildcard', report({ hostnames: ['*.example.com'] }), ['NoMatchingParent']],
    [
      'nothing of a rule, which explains itself',
      report({ diagnostics: [said('route/backend-not-found', { field: 'spec.rules[0]' })] }),
      [],
    ],
    [
      'a route that was refused for its fields, whatever its hosts',
      report({ hostnames: undefined, diagnostics: [said('object/invalid-field')] }),
      ['InvalidField'],
    ],
    [
      'what the checks of an app say',
      report({ diagnostics: [said(REFUSED_AT_SYNTH)], judged: false }),
      ['RefusedAtSynth'],
    ],
    ['a route whose parents are nobody here', report({ diagnostics: [], judged: false }), ['NoParent']],
    ['nothing of an attached one', report({ diagnostics: [] }), []],
  ])('are: %s', (_, each, reasons) => {
    expect(refusedRoutes([each], 'SHOP.example.com:8080').map(({ reason }) => reason)).toEqual(reasons);
  });
});

const gateways = [
  snapshot(listener('web'), rule({ hostnames: ['other.example.com'] })),
  {
    ...snapshot(listener('web'), rule({ hostnames: ['shop.example.com'] })),
    gateway: { namespace: 'infra', name: 'second' },
  },
];
const ask = (url: string, of = gateways, refused: readonly RefusedRoute[] = []) => {
  const asked = parseRequest(url);
  if ('problem' in asked) throw new Error(asked.problem);
  const [first, ...others] = of.map((each) => explain(each, asked, asked.request, re2));
  return explained([first!, ...others], () => refused);
};

describe('an answer', () => {
  const refused: RefusedRoute[] = [
    {
      route: 'HTTPRoute/shop/cart',
      reason: 'RefusedAtSynth',
      message:
        'hostname shop.example.org is outside grant platform/shared-gw/shop (granted: shop.example.com, *.shop.example.com)',
      origin: 'app.ts shop/cart',
      example: { method: 'GET', url: 'http://shop.example.org/', headers: [] },
    },
  ];

  it('says right under what is answered which routes are refused', () => {
    const lines = explainedText(
      ask('http://shop.example.org/', gateways.slice(0, 1), refused),
      () => '',
    ).split('\n');
    expect(lines.slice(2, 10).join('\n')).toMatchInlineSnapshot(`
"Answer      Answered 404: no rule at the listener web matches.
Refused     HTTPRoute/shop/cart (RefusedAtSynth)
              hostname shop.example.org is outside grant platform/shared-gw/shop
                (granted: shop.example.com, *.shop.example.com).
              Example: GET http://shop.example.org/
              In app.ts shop/cart.
Listener    web (HTTP, any host)
            it takes any host"
`);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('is of the Gateway that serves it first, and then has no refused routes', () => {
    const answer = ask('http://shop.example.com/', gateways, refused);
    expect(answer).toMatchObject({ gateway: 'infra/second', others: [{ gateway: 'infra/gw' }], refused: [] });
    const text = explainedText(answer, (gateway) => `Gateway ${gateway}`);
    expect(text).toMatch(/^Gateway infra\/second\nGET /);
    expect(text).toMatch(/\n\nGateway infra\/gw: answered 404: .*\.$/);
  });

  it('shows all Gateways where none serves it', () => {
    const text = explainedText(ask('http://none.example.com/'), (gateway) => `Gateway ${gateway}`);
    expect(text.match(/^Gateway .*$/gm)).toEqual(['Gateway infra/gw', 'Gateway infra/second']);
  });

  it('is of the Gateway whose listener takes the host, before one without', () => {
    const narrow = { ...gateways[1]!, resources: [listener('web', { hostname: 'a.example.com' })] };
    const answer = ask('http://none.example.com/', [narrow, gateways[0]!]);
    expect([answer, ...answer.others].map(({ gateway }) => gateway)).toEqual(['infra/gw', 'infra/second']);
  });

  it('counts as answered only where every request gets what was meant', () => {
    expect(isAnswered(ask('http://none.example.com/'))).toBe(false);
    const broken = snapshot(
      listener('web'),
      rule({
        rest: {
          backends: [
            { name: 'Service shop/a:80', weight: 1, backend: 'backend/shop/a/80', filters: [] },
            {
              name: 'Service shop/b:80',
              weight: 1,
              unresolved: { reason: 'BackendNotFound', message: 'gone' },
              filters: [],
            },
          ],
        },
      }),
    );
    expect(isAnswered(ask('http://a.example.com/', [broken]))).toBe(false);
    expect(
      isAnswered(
        ask('http://a.example.com/', [
          snapshot(
            listener('web'),
            rule({
              rest: {
                backends: [
                  { name: 'Service shop/a:80', weight: 1, backend: 'backend/shop/a/80', filters: [] },
                ],
              },
            }),
          ),
        ]),
      ),
    ).toBe(true);
  });
});

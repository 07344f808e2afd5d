/** Matches that no request reaches: which are found, which are not, and the request that shows it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evaluate } from '../../../gateway-runtime/match/reference.ts';
import { exampleOf, type Shadow, shadows } from '../../../gateway-runtime/match/shadowing.ts';
import { formatExample } from '../../../gateway-runtime/snapshot/diagnostic.ts';
import type { Listener } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { gatewayCase, requestCase, requestOf, snapshotOfCase } from '../../property/generators-match.ts';
import { regex as engine } from '../../property/regex-once.ts';
import { exact, listener, prefix, type RuleFields, regex, rule, snapshot } from './snapshots.ts';

const text = ({ lost, by, byListener, identical }: Shadow) =>
  `${lost.rule.source.name}#${lost.match} by ${by ? `${by.rule.source.name}#${by.match}` : byListener!.source.listener}${identical ? ', identical' : ''}`;

/** Shadows among rules of the routes `a` and `b`, at the listener `web`. */
const between = (a: RuleFields, b: RuleFields) =>
  shadows(snapshot(listener('web'), rule({ ...a, route: 'shop/a' }), rule({ ...b, route: 'shop/b' }))).map(
    text,
  );

describe('what is never reached', () => {
  it('is the later of two identical matches: by age, by name, by order', () => {
    expect(between({ created: '2026-01-02T00:00:00Z' }, { created: '2026-01-01T00:00:00Z' })).toEqual([
      'a#0 by b#0, identical',
    ]);
    expect(between({}, {})).toEqual(['b#0 by a#0, identical']);
    const twice = [{ path: exact('/a') }, { path: exact('/a') }];
    expect(shadows(snapshot(listener('web'), rule({ route: 'shop/a', matches: twice }))).map(text)).toEqual([
      'a#1 by a#0, identical',
    ]);
    const [shadow] = shadows(snapshot(listener('web'), rule({ index: 0 }), rule({ index: 1 })));
    expect(shadow!.line!.id).toBe('rule-order');
  });

  it('is a match that repeats conditions in another order', () => {
    const one = { path: prefix('/a'), headers: { x: '1', y: '2' }, query: { q: '1' }, method: 'GET' };
    const other = { ...one, headers: { y: '2', x: '1' } };
    expect(between({ matches: [one] }, { matches: [other] })).toEqual(['b#0 by a#0, identical']);
  });

  it('is a prefix under an expression that takes every path, but no exact path', () => {
    const every = { matches: [{ path: regex('/.*') }] };
    expect(between(every, { matches: [{ path: prefix('/a'), headers: { x: '1' } }] })).toEqual([
      'b#0 by a#0',
    ]);
    expect(between(every, { matches: [{ path: exact('/a') }] })).toEqual([]);
    expect(between({ matches: [{ path: regex('/a.*') }] }, { matches: [{ path: prefix('/a') }] })).toEqual(
      [],
    );
    expect(
      between({ matches: [{ path: regex('/.*'), method: 'GET' }] }, { matches: [{ path: prefix('/a') }] }),
    ).toEqual([]);
  });

  it('is a hostname that a more specific listener takes', () => {
    const listeners = [
      listener('wide', { hostname: '*.example.com' }),
      listener('narrow', { hostname: 'a.example.com' }),
    ];
    const onWide = rule({ route: 'shop/a', on: ['wide'], hostnames: ['a.example.com', 'b.example.com'] });
    const [shadow, ...others] = shadows(snapshot(...listeners, onWide));
    expect(others).toEqual([]);
    expect(text(shadow!)).toBe('a#0 by narrow');
    expect(shadow!.lost.hostname).toBe('a.example.com');
    const onBoth = rule({ route: 'shop/a', on: ['wide', 'narrow'], hostnames: ['a.example.com'] });
    expect(shadows(snapshot(...listeners, onBoth))).toEqual([]);
    const otherPort = listener('narrow', { hostname: 'a.example.com', port: 81 });
    expect(shadows(snapshot(listeners[0]!, otherPort, onWide))).toEqual([]);
  });

  it.each<[string, RuleFields, RuleFields]>([
    ['more headers', {}, { matches: [{ headers: { x: '1' } }] }],
    ['a method', {}, { matches: [{ method: 'GET' }] }],
    ['a query parameter', {}, { matches: [{ query: { q: '1' } }] }],
    ['a longer path', {}, { matches: [{ path: prefix('/a') }] }],
    ['an exact path', { matches: [{ path: prefix('/a') }] }, { matches: [{ path: exact('/a') }] }],
    ['another value', { matches: [{ headers: { x: '1' } }] }, { matches: [{ headers: { x: '2' } }] }],
    ['a more specific hostname', { hostnames: ['*.example.com'] }, { hostnames: ['a.example.com'] }],
    ['a hostname beside', { hostnames: ['a.example.com'] }, { hostnames: ['b.example.com'] }],
    [
      'as many headers, others',
      { matches: [{ headers: { x: '1' } }] },
      { matches: [{ headers: { y: '1' } }] },
    ],
  ])('is not a match with %s', (_, a, b) => {
    expect(between(a, b)).toEqual([]);
  });

  it('is shown by a request', () => {
    const secure = listener('secure', { protocol: 'HTTPS', port: 443, hostname: '*.example.com' });
    const odd = listener('odd', { port: 8080 });
    const gold = rule({
      on: ['secure'],
      hostnames: ['*.example.com'],
      matches: [
        { path: exact('/cart'), method: 'POST', headers: { 'x-tier': 'gold' }, query: { a: '1', b: '2' } },
      ],
    });
    const any = rule({ on: ['odd'], matches: [{ path: regex('/[0-9]+') }] });
    const shadowOf = (at: Listener, lost: Shadow['lost']) =>
      formatExample(exampleOf({ listener: at, lost, identical: false }));
    expect(shadowOf(secure, { rule: gold, match: 0, hostname: '*.example.com' })).toBe(
      "POST https://www.example.com/cart?a=1&b=2 -H 'x-tier: gold'",
    );
    expect(shadowOf(odd, { rule: any, match: 0, hostname: '*' })).toBe(
      'GET http://any.example:8080</[0-9]+>',
    );
  });
});

it('property: no request reaches what is said to be never reached', () => {
  let found = 0;
  fc.assert(
    fc.property(gatewayCase, fc.array(requestCase, { minLength: 20, maxLength: 30 }), (gateway, requests) => {
      const snapshot = snapshotOfCase(gateway);
      const lost = new Set(shadows(snapshot).map((each) => keyOf(each.listener.key, each.lost)));
      found += lost.size;
      for (const request of requests) {
        const { winner, listener: at } = evaluate(
          snapshot,
          { port: request.port },
          requestOf(request),
          engine,
        );
        if (winner) expect(lost).not.toContain(keyOf(at!.key, winner));
      }
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(100);
});

const keyOf = (at: string, { rule: { key }, match, hostname }: Shadow['lost']) =>
  `${at} ${key} ${match} ${hostname}`;

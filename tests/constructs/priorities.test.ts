/** Priorities of rules: an order where the API leaves one to the route, and an error where it does not. */
import { describe, expect, it } from '@jest/globals';
import { exact, prefix, type RuleProps, regex, service, TeamRoute } from 'gatewright';
import { storefront } from './storefront.ts';
import { errors, named } from './synth.ts';

const cart = service('cart', 8080);

/** Two routes of one team on one host, with a rule each. */
function two(first: RuleProps, second: RuleProps, hostnames?: readonly string[]) {
  const { app, chart, shopEdge } = storefront();
  const make = (name: string, hosts: readonly string[], props: RuleProps) =>
    new TeamRoute(chart, name, { on: shopEdge, hostnames: hosts.map((host) => shopEdge.hostname(host)) })
      .rule(props)
      .to(cart);
  make('a', [hostnames ? 'x.shop.example.com' : 'shop.example.com'], first);
  make('b', hostnames ?? ['shop.example.com'], second);
  return errors(app);
}

describe('within one route', () => {
  it('a priority is the order of rules that tie, and others stay as they were written', () => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'r', { on: shopEdge });
    for (const [name, priority] of [
      ['low', -1],
      ['first', undefined],
      ['second', 0],
      ['high', 5],
    ] as const)
      route
        .rule({ name, headers: { [`x-${name}`]: '1' }, ...(priority === undefined ? {} : { priority }) })
        .to(cart);
    const rules: { name: string }[] = named(app, 'HTTPRoute', 'r').spec.rules;
    expect(rules.map(({ name }) => name)).toEqual(['high', 'first', 'second', 'low']);
    expect(JSON.stringify(rules)).not.toContain('priority');
  });

  it('it is refused where the API has another order', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'r', { on: shopEdge })
      .rule({ path: prefix('/a'), priority: 5 })
      .to(cart)
      .rule({ path: prefix('/a/b') })
      .to(cart);
    expect(errors(app)).toEqual([
      '[shop/r] spec.rules[0] (prefix /a): priority 5 puts it before spec.rules[1] (prefix /a/b) of shop/r, and on every gateway the longest PathPrefix goes first. Fix: match less there or more here, or leave the priority out',
    ]);
  });

  it('it is a whole number', () => {
    const { app, chart, shopEdge } = storefront();
    new TeamRoute(chart, 'r', { on: shopEdge }).rule({ priority: 1.5 }).to(cart);
    expect(errors(app)).toEqual([
      '[shop/r] spec.rules[0] (prefix /): rule() takes a whole number as priority, this is 1.5',
    ]);
  });
});

describe('across routes', () => {
  const TAKEN: Record<string, [RuleProps, RuleProps, string[]?]> = {
    'the longer path': [{ path: prefix('/a/b'), priority: 1 }, { path: prefix('/a') }],
    'the exact path': [{ path: exact('/a'), priority: 1 }, { path: prefix('/') }],
    'a method': [{ method: 'GET', priority: 1 }, {}],
    'more headers': [{ headers: { a: '1' }, priority: 1 }, {}],
    'more of the query': [{ query: { a: '1' }, priority: 1 }, {}],
    'the more specific hostname': [{ priority: 1 }, { headers: { a: '1' } }, ['*.shop.example.com']],
    'rules that never meet by path': [{ path: prefix('/a'), priority: 1 }, { path: prefix('/abc') }],
    'rules that never meet by method': [{ method: 'GET', priority: 1 }, { method: 'POST' }],
    'rules that never meet by header': [
      { headers: { a: '1' }, priority: 1 },
      { headers: { a: '2', b: '1' } },
    ],
    'the same priority': [
      { headers: { a: '1' }, priority: 1 },
      { headers: { b: '1' }, priority: 1 },
    ],
  };

  it.each(Object.entries(TAKEN))('takes what the API says too: %s', (_, [first, second, hostnames]) => {
    expect(two(first, second, hostnames)).toEqual([]);
  });

  const REFUSED: Record<string, [RuleProps, RuleProps, string]> = {
    'another order of the API': [
      { path: prefix('/'), priority: 1 },
      { path: exact('/a') },
      'puts it before spec.rules[0] (/a) of shop/b, and on every gateway an Exact path goes before every other',
    ],
    'a low priority of what the API puts first': [
      { method: 'GET', priority: -1 },
      {},
      'puts it after spec.rules[0] (prefix /) of shop/b, and on every gateway a match with a method goes first',
    ],
    'what is left to gateways': [
      { path: prefix('/a'), priority: 1 },
      { path: regex('/a.*') },
      'and which of an expression and another path goes first is left to gateways',
    ],
    'what ties': [
      { headers: { a: '1' }, priority: 1 },
      { headers: { b: '1' } },
      'they tie, and between routes the oldest goes first, which nobody wrote down. Fix: write both rules in one route, where priority is their order',
    ],
  };

  it.each(Object.entries(REFUSED))('refuses %s', (_, [first, second, words]) => {
    const [error, ...others] = two(first, second);
    expect(others).toEqual([]);
    expect(error).toContain(`[shop/a] spec.rules[0]`);
    expect(error).toContain(words);
  });

  it('says it once where both have a priority, and nothing of routes at other listeners', () => {
    const { app, chart, shopEdge } = storefront();
    const make = (name: string, listener: 'web' | 'secure', priority: number) =>
      new TeamRoute(chart, name, { on: shopEdge, listeners: [listener] }).rule({ priority }).to(cart);
    make('a', 'web', 1);
    make('b', 'secure', 2);
    expect(errors(app)).toEqual([]);
    make('c', 'web', 3);
    expect(errors(app).filter((each) => each.includes('priority'))).toEqual([
      expect.stringMatching(
        /^\[shop\/c\] .*priority 3 puts it before spec\.rules\[0\] \(prefix \/\) of shop\/a: they tie/,
      ),
    ]);
  });
});

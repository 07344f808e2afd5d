import { describe, expect, it } from '@jest/globals';
import { Router } from '../../../gateway-runtime/match/router.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import type { Resource, Snapshot } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { exact, listener, prefix, regex, request, rule, snapshot } from './snapshots.ts';

const empty = () => Router.empty({ regex: re2, compile: (each) => each.key });
const routerOf = (...resources: Resource[]) => empty().with(difference(undefined, snapshot(...resources)));
const rulesOn = (router: Router<string>, line: string, headers?: Record<string, string>, port = 80) => {
  const asked = request(line, headers);
  return router.listener(port, asked.host)?.find(asked)?.payload;
};
const key = (route: string, index = 0) => `http-rule/${route}/${index}`;

describe('paths', () => {
  const router = routerOf(
    listener('web'),
    rule({ route: 'a/exact', matches: [{ path: exact('/abc') }] }),
    rule({ route: 'a/prefix', matches: [{ path: prefix('/abc') }] }),
    rule({ route: 'a/longer', matches: [{ path: prefix('/abc/def') }] }),
    rule({ route: 'a/slash', matches: [{ path: exact('/abc/') }] }),
    rule({ route: 'a/regex', matches: [{ path: regex('/r/[0-9]+') }] }),
    rule({ route: 'a/root', matches: [{ path: prefix('/') }] }),
  );

  it.each([
    ['/abc', 'a/exact'],
    ['/abc/', 'a/slash'],
    ['/abc//', 'a/prefix'],
    ['/abc/d', 'a/prefix'],
    ['/abc/def', 'a/longer'],
    ['/abc/def/', 'a/longer'],
    ['/abc/def/g', 'a/longer'],
    ['/abc/defg', 'a/prefix'],
    ['/abcd', 'a/root'],
    ['/ab', 'a/root'],
    ['/Abc', 'a/root'],
    ['/', 'a/root'],
    ['/r/17', 'a/regex'],
    ['/r/17/', 'a/root'],
    ['/x/r/17', 'a/root'],
  ])('%s goes to %s', (path, route) => {
    expect(rulesOn(router, `GET x${path}`)).toBe(key(route));
  });
});

it('compares methods with case (RFC 9110 section 9.1)', () => {
  const router = routerOf(listener('web'), rule({ route: 'a/get', matches: [{ method: 'GET' }] }));
  expect(rulesOn(router, 'GET x/')).toBe(key('a/get'));
  for (const method of ['get', 'Get', 'HEAD']) expect(rulesOn(router, `${method} x/`)).toBeUndefined();
});

describe('hostnames', () => {
  it('falls back to a less specific hostname where no rule of the more specific one matches', () => {
    const router = routerOf(
      listener('web'),
      rule({ route: 'a/host', hostnames: ['a.b.com'], matches: [{ path: prefix('/x') }] }),
      rule({ route: 'a/wild', hostnames: ['*.b.com'], matches: [{ path: prefix('/y') }] }),
      rule({ route: 'a/short', hostnames: ['*.com'], matches: [{ path: prefix('/x/y/z') }] }),
      rule({ route: 'a/any', hostnames: ['*'] }),
    );
    expect(rulesOn(router, 'GET a.b.com/x/y/z')).toBe(key('a/host'));
    expect(rulesOn(router, 'GET a.b.com/y')).toBe(key('a/wild'));
    expect(rulesOn(router, 'GET a.b.com/z')).toBe(key('a/any'));
    expect(rulesOn(router, 'GET q.a.b.com/x/y/z')).toBe(key('a/short'));
    expect(rulesOn(router, 'GET b.com/y')).toBe(key('a/any'));
    expect(rulesOn(router, 'GET ab.com/y')).toBe(key('a/any'));
  });

  it('serves only what is attached to the most specific listener of the port', () => {
    const router = routerOf(
      listener('any'),
      listener('wild', { hostname: '*.example.com' }),
      listener('host', { hostname: 'foo.example.com' }),
      listener('other', { hostname: 'foo.example.com', port: 8080 }),
      rule({ route: 'a/any', on: ['any'] }),
      rule({ route: 'a/wild', on: ['wild'], hostnames: ['*.example.com'] }),
      rule({ route: 'a/host', on: ['host'], matches: [{ path: exact('/x') }] }),
    );
    expect(rulesOn(router, 'GET foo.example.com/x')).toBe(key('a/host'));
    expect(rulesOn(router, 'GET foo.example.com/y')).toBeUndefined();
    expect(rulesOn(router, 'GET bar.example.com/y')).toBe(key('a/wild'));
    expect(rulesOn(router, 'GET example.com/y')).toBe(key('a/any'));
    expect(rulesOn(router, 'GET foo.example.com/x', {}, 8080)).toBeUndefined();
    expect(router.listener(8080, 'bar.example.com')).toBeUndefined();
    expect(router.listener(443, 'foo.example.com')).toBeUndefined();
    expect(router.listener(80, '')?.listener.source.listener).toBe('any');
  });
});

describe('conditions', () => {
  it('asks method, headers and query parameters, and prefers more of them', () => {
    const router = routerOf(
      listener('web'),
      rule({ route: 'a/plain' }),
      rule({ route: 'a/method', matches: [{ method: 'POST' }] }),
      rule({ route: 'a/headers', matches: [{ headers: { a: '1', b: '2' }, query: { q: '1' } }] }),
      rule({ route: 'a/header', matches: [{ headers: { a: '1' }, query: { q: '1', r: '2' } }] }),
      rule({ route: 'a/query', matches: [{ query: { q: '1' } }] }),
      rule({
        route: 'a/regex',
        matches: [{ headers: [{ name: 'v', type: 'RegularExpression', value: 'v[0-9]' }] }],
      }),
    );
    expect(rulesOn(router, 'GET x/')).toBe(key('a/plain'));
    expect(rulesOn(router, 'POST x/?q=1', { a: '1', b: '2' })).toBe(key('a/method'));
    expect(rulesOn(router, 'post x/')).toBe(key('a/plain'));
    expect(rulesOn(router, 'GET x/?r=2&q=1', { a: '1', b: '2' })).toBe(key('a/headers'));
    expect(rulesOn(router, 'GET x/?r=2&q=1', { a: '1' })).toBe(key('a/header'));
    expect(rulesOn(router, 'GET x/?q=1&q=2')).toBe(key('a/query'));
    expect(rulesOn(router, 'GET x/?q=2&q=1')).toBe(key('a/plain'));
    expect(rulesOn(router, 'GET x/', { v: 'v2' })).toBe(key('a/regex'));
    expect(rulesOn(router, 'GET x/', { v: 'v22' })).toBe(key('a/plain'));
  });

  it('takes the first condition of a name only, for matching and for precedence', () => {
    const twice = (value: string) => ({ name: 'a', type: 'Exact' as const, value });
    const router = routerOf(
      listener('web'),
      rule({ route: 'a/twice', matches: [{ headers: [twice('1'), twice('2')] }] }),
      rule({ route: 'a/once', matches: [{ headers: { a: '1' } }], created: '2025-01-01T00:00:00Z' }),
    );
    expect(rulesOn(router, 'GET x/', { a: '1' })).toBe(key('a/once'));
    expect(rulesOn(router.with(removal('a/once')), 'GET x/', { a: '1' })).toBe(key('a/twice'));
  });
});

describe('ties', () => {
  it('go to the oldest route, then to the first by name, then to the first rule', () => {
    const router = routerOf(
      listener('web'),
      rule({ route: 'a/new', created: '2026-01-02T00:00:00Z', matches: [{ path: prefix('/age') }] }),
      rule({ route: 'b/old', created: '2026-01-01T00:00:00Z', matches: [{ path: prefix('/age') }] }),
      rule({ route: 'a/none', created: '', matches: [{ path: prefix('/age') }] }),
      rule({ route: 'a/none', created: '', matches: [{ path: prefix('/none') }] }),
      rule({ route: 'a/a-b', matches: [{ path: prefix('/name') }] }),
      rule({ route: 'a/a', matches: [{ path: prefix('/name') }] }),
      rule({ route: 'a-b/a', index: 10, matches: [{ path: prefix('/rule') }] }),
      rule({ route: 'a-b/a', index: 9, matches: [{ path: prefix('/rule') }] }),
      rule({ route: 'a/a', index: 2, matches: [{ path: prefix('/rule') }] }),
    );
    expect(rulesOn(router, 'GET x/age')).toBe(key('b/old'));
    expect(rulesOn(router, 'GET x/name')).toBe(key('a/a'));
    expect(rulesOn(router, 'GET x/rule')).toBe(key('a-b/a', 9));
  });
});

const removal = (route: string) => ({
  gateway: { namespace: 'infra', name: 'gw' },
  from: '',
  to: '',
  put: [],
  remove: [key(route)],
});

describe('with', () => {
  const base = snapshot(
    listener('web'),
    rule({ route: 'a/one', hostnames: ['one.com', '*.one.com'], matches: [{ path: exact('/') }, {}] }),
    rule({ route: 'a/two', hostnames: ['two.com'] }),
  );
  const step = (router: Router<string>, from: Snapshot | undefined, ...resources: Resource[]) => {
    const to = snapshot(...resources);
    return [router.with(difference(from, to)), to] as const;
  };

  it('leaves the router it came from as it was', () => {
    const before = empty().with(difference(undefined, base));
    const [after] = step(before, base, listener('web'), rule({ route: 'a/two', hostnames: ['one.com'] }));
    expect(rulesOn(before, 'GET one.com/')).toBe(key('a/one'));
    expect(rulesOn(before, 'GET two.com/')).toBe(key('a/two'));
    expect(rulesOn(after, 'GET one.com/')).toBe(key('a/two'));
    expect(rulesOn(after, 'GET sub.one.com/')).toBeUndefined();
    expect(rulesOn(after, 'GET two.com/')).toBeUndefined();
  });

  it('takes rules before their listener, and moves a listener with its rules', () => {
    const [rulesOnly, first] = step(
      empty(),
      undefined,
      ...base.resources.filter((r) => r.type !== 'listener'),
    );
    expect(rulesOnly.listener(80, 'two.com')).toBeUndefined();
    const [served, second] = step(rulesOnly, first, ...base.resources);
    expect(rulesOn(served, 'GET two.com/')).toBe(key('a/two'));
    const others = base.resources.filter((r) => r.type !== 'listener');
    const [moved, third] = step(
      served,
      second,
      listener('web', { port: 8080, hostname: 'two.com' }),
      ...others,
    );
    expect(moved.listener(80, 'two.com')).toBeUndefined();
    expect(moved.listener(8080, 'one.com')).toBeUndefined();
    expect(rulesOn(moved, 'GET two.com/', {}, 8080)).toBe(key('a/two'));
    const [gone] = step(moved, third, ...others);
    expect(gone.listener(8080, 'two.com')).toBeUndefined();
  });

  it('compiles a match once, whatever the number of hostnames, and not again where the hash is the same', () => {
    const compiled: string[] = [];
    const router = Router.empty({ regex: re2, compile: (each) => compiled.push(each.key) });
    const full = router.with(difference(undefined, base));
    expect(compiled.sort()).toEqual([key('a/one'), key('a/one'), key('a/two')]);
    full.with(difference(undefined, base)).with(difference(undefined, base));
    expect(compiled).toHaveLength(3);
  });

  it('drops what a delta without a start no longer has', () => {
    const router = empty().with(difference(undefined, base));
    const next = router.with(difference(undefined, snapshot(listener('web'), rule({ route: 'a/three' }))));
    expect(rulesOn(next, 'GET two.com/')).toBe(key('a/three'));
    expect(router.with(difference(undefined, snapshot())).listener(80, 'two.com')).toBeUndefined();
  });
});

it('keeps a rule that fails to compile as an entry without payload, and reports it until it is gone', () => {
  const router = Router.empty<string>({
    regex: re2,
    compile: (each) => {
      if (each.source.name === 'broken') throw new Error('no such backend');
      return each.key;
    },
  }).with(
    difference(
      undefined,
      snapshot(
        listener('web'),
        rule({ route: 'a/fine' }),
        rule({ route: 'a/broken', matches: [{ path: prefix('/broken') }] }),
        rule({ route: 'a/regex', matches: [{ path: regex('/(') }, { path: prefix('/regex') }] }),
      ),
    ),
  );
  const broken = router.listener(80, 'x')?.find(request('GET x/broken'));
  expect(broken).toMatchObject({ rule: { key: key('a/broken') }, payload: undefined });
  expect(rulesOn(router, 'GET x/')).toBe(key('a/fine'));
  expect(rulesOn(router, 'GET x/regex')).toBe(key('a/regex'));
  expect(router.problems).toEqual([
    expect.objectContaining({
      code: 'rule/not-compiled',
      object: { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'a', name: 'broken' },
      field: 'spec.rules[0].matches[0]',
      message: "it can't be served: no such backend",
    }),
    expect.objectContaining({
      field: 'spec.rules[0].matches[0]',
      message: expect.stringContaining('does not compile'),
    }),
  ]);
  expect(router.with(removal('a/broken')).problems).toHaveLength(1);
});

/** What a replay says of single requests: what changes, and what the log does not tell. */
import { describe, expect, it } from '@jest/globals';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { FORMATS } from '../../../gateway-runtime/replay/formats/index.ts';
import { Replay, type ReplayOptions } from '../../../gateway-runtime/replay/replay.ts';
import type { HttpRule, Resource, Snapshot } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { to, toNothing } from '../../support/gateway.ts';
import { exact, listener, type MatchFields, prefix, rule, snapshot } from '../match/snapshots.ts';

const formatNamed = (name: string) => FORMATS.find((each) => each.name === name)!;
const gateway = (...resources: Resource[]): ReadonlyMap<string, Snapshot> =>
  new Map([['infra/gw', snapshot(...resources)]]);

const all = (name: string, match: MatchFields = {}, rest: Partial<HttpRule> = {}, index = 0) =>
  rule({ route: `shop/${name}`, index, matches: [match], rest: { backends: [to(name)], ...rest } });

const web = listener('web');
const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/edge'] });

function replay(lines: readonly string[], options: Partial<ReplayOptions> & Pick<ReplayOptions, 'against'>) {
  const replayed = new Replay({ format: formatNamed('nginx-vhost'), regex: re2, ...options });
  for (const line of lines) replayed.line(line);
  return replayed.result;
}

const nginx = (path: string, { status = 200, host = 'shop.example.com' } = {}) =>
  `${host} 192.0.2.1 - - [15/Apr/2026:20:17:00 +0000] "GET ${path} HTTP/1.1" ${status} 612 "-" "curl/8.5"`;

const own = (fields: object) =>
  JSON.stringify({
    gateway: 'infra/gw',
    port: 80,
    scheme: 'http',
    method: 'GET',
    host: 'shop.example.com',
    path: '/',
    status: 200,
    ...fields,
  });

describe('between two configurations', () => {
  const from = gateway(web, all('a', { path: prefix('/a') }), all('b', { path: prefix('/b') }));

  it.each<[string, ReadonlyMap<string, Snapshot>, object]>([
    ['unchanged', from, { unchanged: 1, newly404: 0 }],
    ['lost', gateway(web, all('b', { path: prefix('/b') })), { lost: 1, newly404: 1 }],
    [
      'lost, with another status',
      gateway(web, all('a', { path: prefix('/a') }, { backends: [toNothing()] })),
      { lost: 1, newly404: 0 },
    ],
    [
      'lost, for a share',
      gateway(web, all('a', { path: prefix('/a') }, { backends: [to('a'), toNothing()] })),
      { lost: 1 },
    ],
    ['moved', gateway(web, all('b', { path: prefix('/') })), { moved: 1 }],
    [
      'altered',
      gateway(web, all('a', { path: prefix('/a') }, { timeouts: { request: 1_000 } })),
      { altered: 1 },
    ],
  ])('%s', (_, against, expected) => {
    const totals = replay([nginx('/a/1')], { from, against });
    expect(totals).toMatchObject({ requests: 1, undecided: 0, ...expected });
    expect(totals.unchanged + totals.lost + totals.moved + totals.altered + totals.new).toBe(1);
  });

  it('new', () => {
    const against = gateway(web, all('c', { path: prefix('/c') }));
    expect(replay([nginx('/c', { status: 404 })], { from, against })).toMatchObject({ new: 1 });
  });

  it('altered from one error of the gateway to another, and unchanged where it is the same', () => {
    const failing = (name: string) =>
      gateway(web, all(name, { path: prefix('/c') }, { backends: [toNothing()] }));
    const lines = [nginx('/c', { status: 404 })];
    expect(replay(lines, { from, against: failing('c') })).toMatchObject({ altered: 1 });
    expect(replay(lines, { from: failing('c'), against: failing('d') })).toMatchObject({ unchanged: 1 });
  });

  it('tells each change once, with its first request, its sides and how many there are, by team', () => {
    const against = gateway(web, all('c', { path: prefix('/a') }));
    const totals = replay([nginx('/a/1?token=s3cret'), nginx('/a/2'), nginx('/b')], { from, against });
    expect(totals.changes).toEqual([
      {
        severity: 'lost',
        team: 'shop',
        requests: 1,
        before: { outcome: 'shop/b:80', rule: 'HTTPRoute shop/b spec.rules[0]' },
        after: { outcome: '404: no rule matches' },
        example: 'GET http://shop.example.com/b',
      },
      {
        severity: 'moved',
        team: 'shop',
        requests: 2,
        before: { outcome: 'shop/a:80', rule: 'HTTPRoute shop/a spec.rules[0]' },
        after: { outcome: 'shop/c:80', rule: 'HTTPRoute shop/c spec.rules[0]' },
        example: 'GET http://shop.example.com/a/1',
      },
    ]);
    expect(totals.teams).toEqual([
      { team: 'shop', requests: 3, lost: 1, moved: 2, altered: 0, new: 0, undecided: 0 },
    ]);
  });
});

describe('what the log does not have', () => {
  const gold = (value: string, name: string) => all(name, { headers: { 'x-tier': value } });
  const from = gateway(web, gold('gold', 'gold'), all('other'));
  const missing = ({ undecidedFor }: ReturnType<typeof replay>) => undecidedFor.map((each) => each.missing);

  it('matters not where nothing changes', () => {
    expect(replay([nginx('/')], { from, against: from })).toMatchObject({ unchanged: 1, undecided: 0 });
  });

  it('nor where it changes in the same way whatever it was', () => {
    const against = gateway(web);
    expect(replay([nginx('/')], { from, against })).toMatchObject({ lost: 1, undecided: 0 });
  });

  it('is what a request is undecided for where the answer depends on it', () => {
    const against = gateway(web, gold('gold', 'silver'), all('other'));
    const totals = replay([nginx('/'), nginx('/')], { from, against });
    expect(totals).toMatchObject({ requests: 2, undecided: 2, unchanged: 0 });
    expect(missing(totals)).toEqual(['header x-tier']);
  });

  it('is known of a log that has it, or that says that there was none', () => {
    const against = gateway(web, gold('gold', 'silver'), all('other'));
    const lines = [
      own({ matched: { headers: { 'x-tier': 'gold' } } }),
      own({ matched: { headers: { 'x-tier': null } } }),
      own({ matched: { headers: { 'x-tier': true } } }),
    ];
    const totals = replay(lines, { format: formatNamed('gatewright'), from, against });
    expect(totals).toMatchObject({ moved: 1, unchanged: 1, undecided: 1 });
  });

  it('has one value for all that is asked of it', () => {
    const ages = (...names: string[]) =>
      gateway(web, ...names.map((name, index) => all(name, { headers: { 'x-a': `${index}` } })));
    // Two rules that are never asked of one request, in the other order: nothing depends on which comes first.
    const one = gateway(
      web,
      all('a', { headers: [{ name: 'x-a', type: 'Exact', value: '1' }] }, {}, 0),
      all('b', { headers: [{ name: 'x-a', type: 'RegularExpression', value: '[0-9]' }] }, {}, 1),
    );
    expect(replay([nginx('/')], { from: one, against: one }).unchanged).toBe(1);
    expect(replay([nginx('/')], { from: ages('a', 'b'), against: ages('b', 'a') }).undecided).toBe(1);
  });

  it('can be a query parameter, where the log has no query', () => {
    const asking = gateway(web, all('page', { query: { page: '1' } }), all('other'));
    const against = gateway(web, all('next', { query: { page: '1' } }), all('other'));
    const format = formatNamed('gatewright');
    const lines = [
      own({}),
      own({ matched: { query: { page: '1' } } }),
      own({ matched: { query: { page: null } } }),
    ];
    const totals = replay(lines, { format, from: asking, against });
    expect(totals).toMatchObject({ undecided: 1, moved: 1, unchanged: 1 });
    expect(missing(totals)).toEqual(['query parameter page']);
    expect(replay([nginx('/?page=1'), nginx('/')], { from: asking, against })).toMatchObject({
      moved: 1,
      unchanged: 1,
    });
  });

  it('can be the port, unless it is given or makes no difference', () => {
    const only = (on: string, name: string) =>
      rule({ route: `shop/${name}`, on: [on], rest: { backends: [to(name)] } });
    const two = gateway(web, secure, only('web', 'a'), only('secure', 'b'));
    const against = gateway(web, secure, only('web', 'c'), only('secure', 'b'));
    expect(missing(replay([nginx('/')], { from: two, against }))).toEqual([
      'the listener port, or the Gateway',
    ]);
    expect(replay([nginx('/')], { from: two, against, port: 443 })).toMatchObject({ unchanged: 1 });
    expect(replay([nginx('/', { host: 'shop.example.com:80' })], { from: two, against }).moved).toBe(1);
    expect(replay([nginx('/')], { from: two, against: gateway(web, secure) }).lost).toBe(1);
  });

  it('can be what TLSRoutes decide about, which are no matter of requests', () => {
    const passed = listener('passed', { port: 443, protocol: 'TLS', tlsMode: 'Passthrough' });
    const totals = replay([nginx('/')], { against: gateway(passed) });
    expect(missing(totals)).toEqual(['connections that TLSRoutes decide about']);
  });

  it('can be the Gateway itself', () => {
    const totals = replay([own({ gateway: 'infra/none' })], {
      format: formatNamed('gatewright'),
      from,
      against: from,
    });
    expect(missing(totals)).toEqual(['the Gateway infra/none']);
  });
});

describe('without a configuration before', () => {
  const against = gateway(web, all('a', { path: exact('/a') }), all('b', { path: exact('/b') }));

  it('a log of others shows only what is lost', () => {
    const lines = [
      nginx('/a'),
      nginx('/none'),
      nginx('/none', { status: 404 }),
      nginx('/a', { status: 502 }),
    ];
    expect(replay(lines, { against })).toMatchObject({ lost: 1, newly404: 1, unchanged: 3 });
  });

  it.each<[string, object, object]>([
    ['the same backend', { path: '/a', route: 'old', backend: 'shop/a/80' }, { unchanged: 1 }],
    ['another', { path: '/b', route: 'old', backend: 'shop/a/80' }, { moved: 1 }],
    ['none any more', { path: '/none', route: 'old', backend: 'shop/a/80' }, { lost: 1, newly404: 1 }],
    ['one that was not served', { path: '/a', status: 404 }, { new: 1 }],
    ['none as before', { path: '/none', status: 404 }, { unchanged: 1 }],
    ['a redirect before', { path: '/a', route: 'old', status: 301 }, { moved: 1 }],
    ['an answer of the same rule itself', { path: '/a', route: 'a', status: 403 }, { unchanged: 1 }],
    ['an answer of another one', { path: '/a', route: 'old', status: 403 }, { undecided: 1 }],
  ])('our own shows %s', (_, fields, expected) => {
    const lines = [own({ namespace: 'shop', rule: 0, team: 'shop', ...fields })];
    expect(replay(lines, { format: formatNamed('gatewright'), against })).toMatchObject(expected);
  });
});

it('counts lines that are none, and shows the first of them without what a terminal obeys', () => {
  const lines = ['torn \u001b[2J', nginx('/'), '', 'torn', 'torn', 'torn'];
  const totals = replay(lines, { against: gateway(web, all('a')) });
  expect(totals).toMatchObject({ lines: 5, requests: 1, unread: { count: 4 } });
  expect(totals.unread.first).toEqual([
    { line: 1, problem: expect.any(String), text: 'torn ?[2J' },
    { line: 3, problem: expect.any(String), text: 'torn' },
    { line: 4, problem: expect.any(String), text: 'torn' },
  ]);
});

it('refuses a host that has a space, which is no host', () => {
  const format = formatNamed('gatewright');
  const totals = replay([own({ host: 'a b' })], { format, against: gateway(web, all('a')) });
  expect(totals.unread.first[0]!.problem).toBe('found the host "a b", expected no space in it');
});

it('takes --host for those that have none, and says so where there is none', () => {
  const line = nginx('/').replace('shop.example.com ', '');
  const format = formatNamed('nginx');
  const against = gateway(web, all('a'));
  expect(replay([line], { format, against, host: 'shop.example.com' })).toMatchObject({ unchanged: 1 });
  expect(replay([line], { format, against }).unread.first[0]!.problem).toBe(
    'it has no host, so name one with --host',
  );
});

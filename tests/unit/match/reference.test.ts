import { describe, expect, it } from '@jest/globals';
import { evaluate } from '../../../gateway-runtime/match/reference.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { exact, listener, prefix, regex, request, rule, snapshot } from './snapshots.ts';

const base = snapshot(
  listener('web'),
  listener('shop', { hostname: 'shop.example.com' }),
  listener('secure', { port: 443, protocol: 'HTTPS', hostname: '*.example.com' }),
  listener('secure-shop', { port: 443, protocol: 'HTTPS', hostname: 'shop.example.com' }),
  rule({ route: 'a/elsewhere', on: ['web'] }),
  rule({ route: 'a/other-host', on: ['shop'], hostnames: ['www.example.com'] }),
  rule({
    route: 'a/rule',
    on: ['shop', 'secure', 'secure-shop'],
    hostnames: ['shop.example.com', '*.example.com'],
    matches: [
      { path: exact('/x') },
      { path: regex('/x.*') },
      { path: prefix('/'), method: 'POST' },
      { path: prefix('/'), headers: { 'x-tier': 'gold' } },
      { path: prefix('/'), query: [{ name: 'q', type: 'RegularExpression', value: '[0-9]+' }] },
      { path: prefix('/') },
      { path: prefix('/a') },
    ],
  }),
);
const losses = (line: string, headers?: Record<string, string>) =>
  evaluate(base, { port: 80 }, request(line, headers), re2).matches.map(
    ({ rule: { source }, match, loss }) =>
      `${source.name} ${match}: ${loss ? `${loss.on}, ${loss.reason}` : 'serves'}`,
  );

it('says of each match why it did not serve', () => {
  expect(losses('GET shop.example.com/a/b?q=x', { 'x-tier': 'silver' })).toEqual([
    'rule 6: serves',
    'rule 5: precedence, another goes first: the longest PathPrefix goes first',
    'elsewhere 0: listener, its route is not attached to the listener that serves this host',
    'other-host 0: hostname, it is for www.example.com, not shop.example.com',
    'rule 0: path, its path is Exact /x, not /a/b',
    'rule 1: path, its path is RegularExpression /x.*, not /a/b',
    'rule 2: method, its method is POST, not GET',
    'rule 3: header, its header x-tier must be gold, and the request has silver',
    'rule 4: query, its query parameter q must be a match of [0-9]+, and the request has x',
  ]);
  expect(losses('GET shop.example.com/')).toEqual(
    expect.arrayContaining(['rule 3: header, its header x-tier must be gold, and the request has none']),
  );
});

it('names the listeners of the port, the one that serves first', () => {
  const { listeners } = evaluate(base, { port: 80 }, request('GET shop.example.com/'), re2);
  expect(
    listeners.map(({ listener: { source }, serves, reason }) => [source.listener, serves, reason]),
  ).toEqual([
    ['shop', true, 'its hostname shop.example.com is the most specific that matches'],
    ['web', false, 'shop.example.com is more specific than any host'],
  ]);
  expect(evaluate(base, { port: 443 }, request('GET example.com/'), re2).listeners[0]).toMatchObject({
    serves: false,
    reason: 'its hostname *.example.com does not match example.com',
  });
});

describe('without a rule that serves', () => {
  it.each([
    [80, undefined, 'GET www.example.com/', undefined],
    [80, undefined, 'GET shop.example.com/', undefined],
    [443, 'shop.example.com', 'GET shop.example.com/', undefined],
    [443, 'a.example.com', 'GET b.example.com/', undefined],
    [443, 'a.example.com', 'GET shop.example.com/', 421],
    [443, 'shop.example.com', 'GET a.example.com/', 421],
    [443, 'shop.example.com', 'GET example.com/', 404],
    [443, '', 'GET shop.example.com/', 421],
    [8080, undefined, 'GET shop.example.com/', 404],
  ])('at port %s, server name %s, %s is answered %s', (port, serverName, line, status) => {
    const at = serverName === undefined ? { port } : { port, serverName };
    const { status: found, winner } = evaluate(base, at, request(line), re2);
    expect(found).toBe(status);
    expect(winner === undefined).toBe(status !== undefined);
  });
});

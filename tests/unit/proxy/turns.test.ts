/** Who is let through first of those that wait. */
import { describe, expect, it } from '@jest/globals';
import {
  ALL,
  type Allowance,
  allowanceOf,
  COMMON,
  NEARLY_ALL,
} from '../../../gateway-runtime/proxy/allowance.ts';
import type { ClientHolder, Exchange } from '../../../gateway-runtime/proxy/exchange.ts';
import { Turns } from '../../../gateway-runtime/proxy/pipeline/turns.ts';

const clients = new Map<string, ClientHolder>();
const names = new Map<Exchange, string>();

/** What an endpoint may have under way. */
const MOST = 32;

/** `a1`: the request 1 of client a; `a1+`: with a body; `A1`: of a client that is slow; `k1`, and up to z: of one that was served before. */
function request(name: string): Exchange {
  const client = name[0]!;
  if (!clients.has(client))
    clients.set(client, {
      places: 1,
      underWay: 0,
      slowUntil: /[A-Z]/.test(client) ? Number.POSITIVE_INFINITY : 0,
      wasServed: /[k-z]/.test(client),
    });
  const made = { hasBody: name.endsWith('+'), connection: { holder: clients.get(client) } };
  names.set(made as Exchange, name);
  return made as Exchange;
}

function waiting(text: string) {
  const turns = new Turns<Exchange, string>((exchange) => allowanceOf(exchange, MOST));
  for (const name of text.split(' ')) turns.add(request(name), name);
  return turns;
}

function order(turns: Turns<Exchange, string>): string {
  const found: string[] = [];
  for (let first = turns.first(); first; first = turns.first()) {
    found.push(turns.get(first)!);
    turns.passed(first);
  }
  expect(turns.size).toBe(0);
  return found.join(' ');
}

it.each([
  ['a1 a2 a3', 'a1 a2 a3'],
  ['a1 a2 a3 b1 c1 b2', 'a1 b1 c1 a2 b2 a3'],
  ['a1+ a2+ b1', 'b1 a1+ a2+'],
  ['a1+ b1+ c1+ d1 d2 d3 d4 d5 d6 d7 d8 d9', 'd1 d2 d3 d4 d5 d6 d7 a1+ d8 d9 b1+ c1+'],
  ['A1 A2 B1 c1+ d1', 'd1 c1+ A1 B1 A2'],
  ['A1+ A2+ A3 c1+ d1', 'd1 c1+ A3 A1+ A2+'],
  ['A1 B1 c1 c2 c3 c4 c5 c6 c7 c8 c9', 'c1 c2 c3 c4 c5 c6 c7 A1 c8 c9 B1'],
  ['A1+ b1+ b2+ b3+ b4+ b5+ b6+ b7+ b8+', 'b1+ b2+ b3+ b4+ b5+ b6+ b7+ A1+ b8+'],
  ['A1 a1+ a2 k1+ k2 l1', 'k2 l1 k1+ a2 a1+ A1'],
  ['a1 b1 k1 k2 k3 k4 k5 k6 k7 k8 k9', 'k1 k2 k3 k4 k5 k6 k7 a1 k8 k9 b1'],
])('%s have their turns as %s', (text, expected) => {
  expect(order(waiting(text))).toBe(expected);
});

it('of what is kept, bodies, slow clients and those with much under way have no part, and clients that nobody knows no more than half', () => {
  const turns = waiting('E1 a1+ k1+ b1 c1 l1 m1');
  const first = (allowance?: Allowance) => names.get(turns.first(allowance)!);
  expect([first(), first(COMMON), first(NEARLY_ALL), first(ALL)]).toEqual(['l1', 'l1', 'l1', 'l1']);
  // An eighth of what an endpoint may have under way.
  for (const client of ['b', 'l']) clients.get(client)!.underWay = MOST / 8;
  expect([first(COMMON), first(NEARLY_ALL), first(ALL)]).toEqual(['l1', 'm1', 'm1']);
  clients.get('m')!.underWay = MOST / 8;
  expect([first(NEARLY_ALL), first(ALL)]).toEqual(['c1', undefined]);
  clients.get('c')!.underWay = MOST / 8;
  expect(first(NEARLY_ALL)).toBeUndefined();
  clients.clear();
});

it.each([
  ['a1 b1 c1', 3],
  ['a1+ b1+ c1+ d1', 2],
  ['a1+ b1+ c1+ d1 e1', 3],
  ['a1 b1 c1+ d1+', 4],
  ['A1 B1 c1+ d1', 2],
  ['A1 b1 C1', 3],
])('of %s, %i are let through until the last one is', (text, expected) => {
  const turns = waiting(text);
  expect(turns.before(request(text.split(' ').at(-1)!))).toBe(expected);
});

it('a client that becomes a slow one has its turn as of when it came', () => {
  const turns = waiting('a1 b1+');
  clients.get('a')!.slowUntil = Number.POSITIVE_INFINITY;
  turns.add(request('a2'), 'a2');
  expect(turns).toMatchObject({ clients: 2, slowClients: 1 });
  expect(order(turns)).toBe('a1 b1+ a2');
  clients.clear();
});

it.each([
  ['a1', 'a1+', true],
  ['a1+', 'a2', false],
  ['a1', 'k1+', false],
  ['k1', 'k2+', true],
  ['k1', 'a1', true],
  ['k1', 'a1+', true],
  ['k1+', 'a1', false],
  ['a1', 'A1', true],
  ['a1+', 'A1', false],
  ['A1', 'B1+', false],
])('where %s waits, whether it is whole and before %s: %s', (text, passing, expected) => {
  const turns = waiting(`${text} ${passing}`);
  const exchange = [...names].findLast(([, name]) => name === passing)![0];
  expect(turns.hasWholeBefore(exchange)).toBe(expected);
});

it('one that goes leaves no gap', () => {
  const turns = waiting('a1');
  const [b, c] = [request('b1'), request('c1+')];
  turns.add(b, 'b1');
  turns.add(c, 'c1+');
  turns.delete(b);
  turns.delete(b);
  turns.delete(c);
  expect(turns.get(b)).toBeUndefined();
  expect(turns).toMatchObject({ size: 1, clients: 1 });
  expect(order(turns)).toBe('a1');
});

it.each([
  ['k1 a1', 'a1', true],
  ['k1 a1+', 'a1+', true],
  ['k1 k2+', 'k2+', true],
  ['k1 A1', 'A1', false],
  ['a1 b1', 'b1', false],
  ['a1 k1', 'k1', false],
])('of %s, whether others give way to %s: %s', (text, name, expected) => {
  const turns = waiting(text);
  expect(turns.isGivenWay([...names].findLast(([, each]) => each === name)![0])).toBe(expected);
});

it('slow clients have room of their own', () => {
  const turns = waiting('a1 b1+ k1 A1 A2+ B1');
  const besides = (name: string) => turns.besides(request(name));
  expect([besides('c1'), besides('k2+'), besides('C1'), besides('A3+')]).toEqual([3, 3, 3, 3]);
  turns.delete([...names].findLast(([, name]) => name === 'B1')![0]);
  expect([besides('c1'), besides('C1')]).toEqual([3, 2]);
});

describe('where there is room for no more', () => {
  it.each([
    ['a1 a2 a3', 'b1', 'a3'],
    ['a1 b1 b2 b3', 'a2', 'b3'],
    ['a1 b1 b2', 'a2', undefined],
    ['a1 b1 c1', 'd1', undefined],
    ['a1+ b1+ c1+', 'd1', 'c1+'],
    ['a1+ b1+ b2+', 'a1', 'b2+'],
    ['a1 a2 a3', 'b1+', 'a3'],
    ['A1 B1 B2 C1+', 'd1', undefined],
    ['a1 a2 a3 B1 B2', 'C1', 'B2'],
    ['a1 a2 a3', 'B1', undefined],
    ['A1 B1', 'C1', undefined],
    ['A1 B1', 'C1+', undefined],
    ['A1+ B1+', 'C1', 'B1+'],
    ['a1+ a2+ a3+', 'a4+', undefined],
    ['a1 b1 c1', 'k1', 'c1'],
    ['k1 l1', 'a1', undefined],
    ['k1 l1 l2', 'a1', 'l2'],
  ])('with %s waiting, %s is taken for %s', (text, newcomer, expected) => {
    const displaced = waiting(text).displacedBy(request(newcomer));
    expect(displaced && names.get(displaced)).toBe(expected);
  });
});

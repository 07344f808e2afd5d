/** Who is let through first of those that wait. */
import { describe, expect, it } from '@jest/globals';
import type { ClientHolder, Exchange } from '../../../gateway-runtime/proxy/exchange.ts';
import { isSlow, Turns } from '../../../gateway-runtime/proxy/pipeline/turns.ts';

const clients = new Map<string, ClientHolder>();
const names = new Map<Exchange, string>();

/** `a1`: the request 1 of client a; `a1+`: with a body; `A1`: of a client that is slow. */
function request(name: string): Exchange {
  const client = name[0]!;
  if (!clients.has(client))
    clients.set(client, {
      places: 1,
      underWay: 0,
      slowUntil: /[A-Z]/.test(client) ? Number.POSITIVE_INFINITY : 0,
    });
  const made = { hasBody: name.endsWith('+'), connection: { holder: clients.get(client) } };
  names.set(made as Exchange, name);
  return made as Exchange;
}

function waiting(text: string) {
  const turns = new Turns<Exchange, string>();
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
])('%s have their turns as %s', (text, expected) => {
  expect(order(waiting(text))).toBe(expected);
});

it('where there is room for few alone, those with much under way, and bodies, are passed over', () => {
  const turns = waiting('E1 a1+ b1 c1 d1');
  clients.get('b')!.underWay = 5;
  clients.get('c')!.underWay = 3;
  const first = (below?: number) => names.get(turns.first(below)!);
  expect([first(), first(5), first(3), first(0)]).toEqual(['b1', 'c1', 'd1', undefined]);
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
  expect(turns).toMatchObject({ whole: 1, clients: 2, slowClients: 1 });
  expect(order(turns)).toBe('a1 b1+ a2');
  clients.clear();
});

it('a client is a slow one only for its time', () => {
  request('a1');
  const holder = clients.get('a')!;
  holder.slowUntil = performance.now() - 1;
  expect(isSlow(request('a1'))).toBe(false);
  expect(holder.slowUntil).toBe(0);
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
  expect(turns).toMatchObject({ size: 1, whole: 1, clients: 1 });
  expect(order(turns)).toBe('a1');
});

describe('where there is room for no more', () => {
  it.each([
    ['a1 a2 a3', 'b1', 'a3'],
    ['a1 b1 b2 b3', 'a2', 'b3'],
    ['a1 b1 b2', 'a2', undefined],
    ['a1 b1 c1', 'd1', undefined],
    ['a1+ b1+ c1+', 'd1', 'a1+'],
    ['a1+ b1+ b2+', 'a1', 'b2+'],
    ['a1 a2 a3', 'b1+', 'a3'],
    ['A1 B1 B2 C1+', 'd1', 'B2'],
    ['a1 a2 a3', 'B1', 'a3'],
    ['a1+ a2+ a3+', 'a4+', undefined],
  ])('with %s waiting, %s is taken for %s', (text, newcomer, expected) => {
    const displaced = waiting(text).displacedBy(request(newcomer));
    expect(displaced && names.get(displaced)).toBe(expected);
  });
});

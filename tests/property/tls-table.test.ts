/** The table of TLS rules and the reference agree, from scratch and brought up to date. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Router } from '../../gateway-runtime/match/router.ts';
import { evaluateTls } from '../../gateway-runtime/match/tls-reference.ts';
import { TlsTable } from '../../gateway-runtime/match/tls-table.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import type { Resource, Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { listener, snapshot, tlsRule } from '../unit/match/snapshots.ts';

const hostname = fc.constantFrom(
  '*',
  '*.com',
  '*.example.com',
  '*.a.example.com',
  'a.example.com',
  'b.com',
  'example.com',
);
const serverName = fc.constantFrom(
  '',
  'com',
  'a.example.com',
  'x.a.example.com',
  'b.com',
  'example.com',
  'x.example.com',
  'aexample.com',
);

const listeners = fc.uniqueArray(hostname, { minLength: 1, maxLength: 4 }).map((names) =>
  names.map((each, index) =>
    listener(`l${index}`, {
      port: 443,
      protocol: 'TLS',
      tlsMode: 'Passthrough',
      ...(each === '*' ? {} : { hostname: each }),
    }),
  ),
);
const rules = fc.uniqueArray(
  fc.record({
    route: fc.constantFrom('shop/a', 'shop/b', 'media/a', 'media/c', 'infra/d'),
    created: fc.constantFrom('', '2024-01-01T00:00:00Z', '2024-06-01T00:00:00Z'),
    on: fc.subarray(['l0', 'l1', 'l2', 'l3'], { minLength: 1 }),
    hostnames: fc.uniqueArray(hostname, { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 5, selector: ({ route }) => route },
);

const resources: fc.Arbitrary<Resource[]> = fc
  .tuple(listeners, rules)
  .map(([some, others]) => [...some, ...others.map(tlsRule)]);

const whole = (of: Snapshot) => difference(undefined, of);

function chosen(router: Router<true>, table: TlsTable<true>, name: string): string {
  const found = router.listener(443, name)?.listener;
  return found ? `${found.key} ${table.find(found.key, name)?.rule.key}` : 'none';
}

function expected(of: Snapshot, name: string): string {
  const { listener: found, winner } = evaluateTls(of, 443, name);
  return found ? `${found.key} ${winner?.key}` : 'none';
}

it('finds the rule that the reference finds, and so after any edit', () => {
  let served = 0;
  fc.assert(
    fc.property(
      fc.array(resources, { minLength: 1, maxLength: 4 }),
      fc.array(serverName, { minLength: 3 }),
      (steps, names) => {
        let router = Router.empty<true>({ regex: re2, compile: () => true });
        let table = TlsTable.empty<true>(() => true);
        let before: Snapshot | undefined;
        for (const step of steps) {
          const now = snapshot(...step);
          const delta = before ? difference(before, now) : whole(now);
          [router, table] = [router.with(delta), table.with(delta)];
          before = now;
          for (const name of names) {
            const found = chosen(router, table, name);
            expect(found).toBe(expected(now, name));
            if (found.includes('tls-rule')) served++;
          }
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(served).toBeGreaterThan(100);
});

it('compiles a rule once, and shares what a delta does not touch', () => {
  let compiled = 0;
  const now = snapshot(
    listener('tls', { port: 443, protocol: 'TLS' }),
    tlsRule({ hostnames: ['a.example.com'] }),
    tlsRule({ route: 'shop/other', hostnames: ['b.example.com'] }),
  );
  const table = TlsTable.empty(() => ++compiled).with(whole(now));
  expect(compiled).toBe(2);
  expect(table.with(whole(now))).toBe(table);
  const changed = snapshot(
    ...now.resources.slice(0, 2),
    tlsRule({ route: 'shop/other', hostnames: ['c.example.com'] }),
  );
  const next = table.with(difference(now, changed));
  expect(compiled).toBe(3);
  expect(next.find('listener/Gateway/infra/gw/tls', 'c.example.com')?.payload).toBe(3);
  expect(next.find('listener/Gateway/infra/gw/tls', 'b.example.com')).toBeUndefined();
  expect(table.find('listener/Gateway/infra/gw/tls', 'b.example.com')?.payload).toBe(2);
});

/**
 * What a comparison costs: `node --conditions=gatewright-source tests/bench/diff.ts [routes]`. Milliseconds for snapshots of 5,000 routes in several
 * shapes: where one route changed, where all did, and where a rule changed that all others go before.
 */
import { diff } from '../../gateway-runtime/diff/diff.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { HttpRule, Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { to } from '../support/gateway.ts';
import { exact, listener, prefix, type RuleFields, regex, rule, snapshot } from '../unit/match/snapshots.ts';

const ROUTES = Number(process.argv[2] ?? 5000);
const ROUNDS = 3;
const name = (index: number) => `team-${index % 50}/route-${index}`;

const SHAPES: readonly { readonly name: string; readonly rule: (index: number) => RuleFields }[] = [
  {
    name: 'a host each',
    rule: (i) => ({ hostnames: [`app-${i}.example.com`], matches: [{ path: prefix('/app') }] }),
  },
  {
    name: 'one host, a prefix each',
    rule: (i) => ({
      hostnames: ['shop.example.com'],
      matches: [{ path: prefix(`/team-${i % 50}/app-${i}`) }],
    }),
  },
  {
    name: 'one host, 4 by header',
    rule: (i) => ({
      hostnames: ['shop.example.com'],
      matches: [
        { path: exact(`/app-${i >> 2}`), ...(i % 4 ? { headers: { 'x-tier': `tier-${i % 4}` } } : {}) },
      ],
    }),
  },
  {
    name: 'one host and path, a header each',
    rule: (i) => ({ hostnames: ['shop.example.com'], matches: [{ headers: { 'x-tenant': `tenant-${i}` } }] }),
  },
  {
    name: 'a host each, 1 of 10 an expression',
    rule: (i) => ({
      hostnames: [`app-${i >> 3}.example.com`],
      matches: [{ path: i % 10 ? prefix(`/v${i % 8}`) : regex(`/v[0-9]+/${i}/.*`) }],
    }),
  },
];

/** Under every host and path, so that all others go first. */
const fallback = (backend: string): HttpRule =>
  rule({ route: 'platform/fallback', hostnames: ['*'], rest: { backends: [to(backend)] } });

function snapshotWith(
  shape: (index: number) => RuleFields,
  backendOf: (index: number) => string,
  last = 'all',
): Snapshot {
  const rules = Array.from({ length: ROUTES }, (_, i) =>
    rule({ route: name(i), ...shape(i), rest: { backends: [to(backendOf(i))] } }),
  );
  return snapshot(listener('web'), fallback(last), ...rules);
}

const mapOf = (made: Snapshot) => new Map([['infra/gw', made]]);

for (const shape of SHAPES) {
  const before = snapshotWith(shape.rule, () => 'one');
  const changes = {
    'one route': snapshotWith(shape.rule, (i) => (i === 17 ? 'two' : 'one')),
    'every route': snapshotWith(shape.rule, () => 'two'),
    'the fallback': snapshotWith(shape.rule, () => 'one', 'other'),
  };
  const cells = Object.entries(changes).map(([what, after]) => {
    const times: number[] = [];
    let regions = 0;
    let witnesses = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      const found = diff(mapOf(before), mapOf(after), { regex: re2 });
      times.push(performance.now() - started);
      regions = found.length;
      witnesses = found.filter(({ witness }) => witness).length;
    }
    const best = Math.min(...times).toFixed(0);
    return `${what} ${best} ms (${regions} regions, ${witnesses} with a witness)`;
  });
  console.log(`${shape.name.padEnd(36)} ${cells.join('; ')}`);
}

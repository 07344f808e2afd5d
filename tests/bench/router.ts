/**
 * What the router costs: `node --conditions=gatewright-source tests/bench/router.ts`. Nanoseconds per look-up at 100 and 5,000 routes in three shapes,
 * and milliseconds to build and to apply one change. A look-up is listener and find, with a new host and path string each, as an engine has them.
 */
import type { MatchRequest } from '../../gateway-runtime/match/request.ts';
import { Router } from '../../gateway-runtime/match/router.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import type { HttpRule, SnapshotDelta } from '../../gateway-runtime/snapshot/snapshot.ts';
import { exact, listener, prefix, rule, snapshot } from '../unit/match/snapshots.ts';

interface Shape {
  readonly name: string;
  readonly rule: (index: number) => HttpRule;
  readonly host: (index: number) => string;
  readonly path: (index: number) => string;
}

const name = (index: number) => `team-${index % 50}/route-${index}`;

const SHAPES: readonly Shape[] = [
  {
    name: 'a host each, prefix /',
    rule: (i) => rule({ route: name(i), hostnames: [`app-${i}.team-${i % 50}.example.com`] }),
    host: (i) => `app-${i}.team-${i % 50}.example.com`,
    path: (i) => `/orders/${i}/items`,
  },
  {
    name: 'one host, a prefix each',
    rule: (i) =>
      rule({
        route: name(i),
        hostnames: ['shop.example.com'],
        matches: [{ path: prefix(`/team-${i % 50}/app-${i}`) }],
      }),
    host: () => 'shop.example.com',
    path: (i) => `/team-${i % 50}/app-${i}/items/17`,
  },
  {
    name: 'wildcards, exact, 4 by header',
    rule: (i) =>
      rule({
        route: name(i),
        hostnames: [`*.team-${(i >> 2) % 50}.example.com`],
        matches: [
          { path: exact(`/v1/app-${i >> 2}`), ...(i % 4 ? { headers: { 'x-tier': `tier-${i % 4}` } } : {}) },
        ],
      }),
    host: (i) => `www.team-${(i >> 2) % 50}.example.com`,
    path: (i) => `/v1/app-${i >> 2}`,
  },
];

const LOOKUPS = 1 << 20;
const ROUNDS = 5;
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const header = (field: string) => (field === 'x-tier' ? 'tier-3' : undefined);

function measure(shape: Shape, routes: number) {
  const listeners = [listener('web'), listener('wild', { hostname: '*.other.com' })];
  const rules = Array.from({ length: routes }, (_, i) => shape.rule(i));
  const all = difference(undefined, snapshot(...listeners, ...rules));
  const empty = Router.empty({ regex: re2, compile: (each) => each.key });

  const builds: number[] = [];
  let router = empty;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    router = empty.with(all);
    builds.push(performance.now() - start);
  }

  const changes: number[] = [];
  for (let round = 0; round < 200; round++) {
    const before = rules[(round * 37) % routes]!;
    const changed = { ...before, hash: `${round}` };
    const delta: SnapshotDelta = { gateway: all.gateway, from: '', to: '', put: [changed], remove: [] };
    const start = performance.now();
    router = router.with(delta);
    changes.push(performance.now() - start);
  }

  // Strings out of a buffer, so that each is flat and has no hash yet, as those of a parser.
  const targets = Array.from({ length: 4096 }, (_, i) =>
    Buffer.from(`${shape.host((i * 7919) % routes)} ${shape.path((i * 7919) % routes)}`),
  );
  const requests = () =>
    targets.map((bytes): MatchRequest => {
      const space = bytes.indexOf(32);
      return {
        method: 'GET',
        host: bytes.toString('latin1', 0, space),
        path: bytes.toString('latin1', space + 1),
        query: '',
        header,
      };
    });
  const lookups: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let elapsed = 0;
    let found = 0;
    for (let done = 0; done < LOOKUPS; done += targets.length) {
      const fresh = requests();
      const start = performance.now();
      for (const request of fresh) if (router.listener(80, request.host)?.find(request)) found++;
      elapsed += performance.now() - start;
    }
    if (found !== LOOKUPS) throw new Error(`${shape.name}: ${found} of ${LOOKUPS} found`);
    lookups.push((elapsed * 1e6) / LOOKUPS);
  }
  return {
    shape: shape.name,
    routes,
    'look-up ns': Math.round(Math.min(...lookups)),
    'one change ms': Number(median(changes).toFixed(3)),
    'build ms': Number(median(builds).toFixed(1)),
  };
}

console.table(SHAPES.flatMap((shape) => [100, 5000].map((routes) => measure(shape, routes))));

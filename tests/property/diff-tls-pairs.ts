/** Two configurations of TLS connections, and what their comparison must hold to: server names are in a region where what becomes of them differs, and nowhere else. */
import fc from 'fast-check';
import type { Region } from '../../gateway-runtime/diff/region.ts';
import { ANY_HOST, compareHostnames, hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import { evaluateTls } from '../../gateway-runtime/match/tls-reference.ts';
import type { BackendShare, Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { listener, snapshot, tlsRule } from '../unit/match/snapshots.ts';
import { type Pair, regionsOf, shown } from './diff-pairs.ts';

const hostname = fc.constantFrom('*', '*.com', '*.example.com', 'a.example.com', 'b.com');
const NAMES = ['', 'com', 'a.example.com', 'x.example.com', 'x.y.example.com', 'b.com', 'c.com', 'org'];
const PORTS = [443, 8443];

const to = (name: string, weight = 1): BackendShare => ({
  weight,
  name: `Service shop/${name}:80`,
  backend: `backend/shop/${name}/80`,
});
const gone = {
  weight: 1,
  name: 'Service shop/gone:80',
  unresolved: { reason: 'BackendNotFound', message: '' },
};
/** Some of them the same, written in another way. */
const BACKENDS: readonly (readonly BackendShare[])[] = [
  [to('one')],
  [to('one', 7)],
  [to('two'), to('one')],
  [to('one', 5), to('two', 5)],
  [to('two')],
  [to('one'), gone],
  [gone],
  [to('one', 0)],
];

const listeners = fc.uniqueArray(
  fc.record({
    hostname,
    port: fc.constantFrom(...PORTS),
    how: fc.constantFrom('through', 'through', 'here', 'without certificate', 'HTTPS'),
  }),
  { maxLength: 4, selector: (each) => `${each.port} ${each.hostname}` },
);
const rules = fc.uniqueArray(
  fc.record({
    route: fc.constantFrom('shop/a', 'shop/b', 'media/a'),
    created: fc.constantFrom('', '2024-01-01T00:00:00Z'),
    on: fc.subarray(['l0', 'l1', 'l2', 'l3'], { minLength: 1 }),
    hostnames: fc.uniqueArray(hostname, { minLength: 1, maxLength: 2 }),
    backends: fc.constantFrom(...BACKENDS).map((each) => [...each]),
  }),
  { maxLength: 3, selector: ({ route }) => route },
);
type Listeners = typeof listeners extends fc.Arbitrary<infer T> ? T : never;
type Rules = typeof rules extends fc.Arbitrary<infer T> ? T : never;

const made = (some: Listeners, others: Rules): Snapshot =>
  snapshot(
    ...some.map(({ hostname: name, port, how }, index) =>
      listener(`l${index}`, {
        port,
        protocol: how === 'HTTPS' ? 'HTTPS' : 'TLS',
        certificates: how === 'here' || how === 'HTTPS' ? ['infra/edge'] : [],
        ...(how === 'HTTPS' ? {} : { tlsMode: how === 'through' ? 'Passthrough' : 'Terminate' }),
        ...(name === ANY_HOST ? {} : { hostname: name }),
      }),
    ),
    ...others.map(tlsRule),
  );

/** Two that have little in common, the same listeners, or the same routes. */
export const tlsPairCase = fc
  .tuple(listeners, rules, listeners, rules, fc.constantFrom('nothing', 'listeners', 'rules'))
  .map(
    ([some, others, more, rest, kept]): Pair => ({
      before: made(some, others),
      after: made(kept === 'listeners' ? some : more, kept === 'rules' ? others : rest),
    }),
  );

/** What becomes of connections, in the words of the reference. */
function outcome(of: Snapshot, port: number, name: string): string {
  const { listener: at, winner } = evaluateTls(of, port, name);
  if (at?.protocol !== 'TLS' || !winner) return 'closed';
  if (at.tlsMode === 'Terminate' && at.certificates.length === 0) return 'closed';
  const total = winner.backends.reduce((sum, { weight }) => sum + weight, 0);
  const shares = winner.backends
    .filter(({ weight }) => weight > 0)
    .map(({ weight, backend }) => `${backend ?? 'closed'} ${weight / total}`);
  if (shares.length === 0 || shares.every((each) => each.startsWith('closed'))) return 'closed';
  return `${at.tlsMode} ${shares.sort().join()}`;
}

function classOf(name: string, port: number, sides: readonly Snapshot[]): string {
  const known = sides.flatMap(({ resources }) => {
    const at = resources.filter((each) => each.type === 'listener').filter((each) => each.port === port);
    const keys = new Set(at.filter(({ protocol }) => protocol === 'TLS').map(({ key }) => key));
    const rules = resources.filter((each) => each.type === 'tls-rule').flatMap(({ parents }) => parents);
    return [
      ...at.map((each) => each.hostname ?? ANY_HOST),
      ...rules.filter((each) => keys.has(each.listener)).flatMap(({ hostnames }) => hostnames),
    ];
  });
  return [ANY_HOST, ...known].filter((each) => hostnameMatches(each, name)).sort(compareHostnames)[0]!;
}

/** Server names that are asked for, each at each port. */
export const ASKED = PORTS.length * NAMES.length;

export const tlsRegionsOf = (pair: Pair): Region[] => regionsOf(pair).filter((each) => each.isOfConnections);

/** Undefined where nothing is wrong. */
export function wrongTls({ before, after }: Pair, regions: readonly Region[]): string | undefined {
  for (const port of PORTS) {
    for (const name of NAMES) {
      const [was, is] = [before, after].map((each) => outcome(each, port, name));
      const at = classOf(name, port, [before, after]);
      const found = regions.filter(({ extents }) =>
        extents.some((each) => each.listener.port === port && each.hosts.includes(at)),
      );
      if (found.length !== (was === is ? 0 : 1))
        return `${name} at port ${port} was ${was}, is ${is}, and is in ${found.length} regions`;
    }
  }
  for (const region of regions) {
    const { witness } = region;
    const [was, is] = [before, after].map((each) => outcome(each, witness!.port, witness!.host));
    if (was === is) return `the witness is answered alike, ${was}: ${shown(region)}`;
  }
  return undefined;
}

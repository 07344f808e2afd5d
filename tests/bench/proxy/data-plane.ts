/**
 * A data plane of Gatewright to be measured: `node data-plane.ts '{"engine": ..., "folder": ..., "backendPort": ..., "routes": ..., "ports": ...}'`. Every
 * route has a host of its own and two weighted backends, as those of the peers have; access log and metrics are on. What it is told to do on
 * stdin, a word a line, it does and answers with a line of JSON.
 */
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { getHeapSpaceStatistics } from 'node:v8';
import { Agent } from '../../../gateway-runtime/proxy/agent.ts';
import type { EngineName } from '../../../gateway-runtime/proxy/engines.ts';
import { LogFile } from '../../../gateway-runtime/proxy/telemetry/log-file.ts';
import { Metrics } from '../../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { contentHash } from '../../../gateway-runtime/snapshot/canonical.ts';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import type { HttpRule, Snapshot, SnapshotDelta } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { backend, backendKey, endpoints, GATEWAY, to } from '../../support/gateway.ts';
import { listener, prefix, regex, rule, snapshot } from '../../unit/match/snapshots.ts';
import type { Variant } from './added.ts';
import type { Setting } from './contender.ts';

const {
  engine,
  folder,
  backendPort,
  routes: count,
  ports,
  variant,
}: Setting & { engine: EngineName; variant?: Variant } = JSON.parse(process.argv[2]!);
const log = new LogFile(openSync(join(folder, `${engine}-access.log`), 'a'));
const agent = new Agent({
  gateway: GATEWAY,
  regex: re2,
  engine,
  bindPort: (port) => (port === 443 ? ports.tls : ports.plain),
  metrics: new Metrics({ process: true }),
  ...(variant === 'no log' ? {} : { accessLog: (line: string) => log.write(line) }),
});
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const content = { certificate: read('certificate.pem'), privateKey: read('key.pem') };
const certificate = { id: 'infra/bench', hash: contentHash(content), ...content };

/** Ten, half of them on each head. */
const edits = (): HttpRule['filters'] =>
  ['RequestHeaderModifier', 'ResponseHeaderModifier'].map((type) => ({
    type,
    config: {
      set: [1, 2, 3].map((n) => [`x-set-${n}`, 'value']),
      add: [['x-add', 'value']],
      remove: ['accept-language'],
    },
  }));

const filters: Partial<Record<Variant, HttpRule['filters']>> = {
  'ten header edits': edits(),
  'a mirror': [
    { type: 'RequestMirror', config: { name: 'mirror', backend: backendKey('one'), share: [1, 1] } },
  ],
};

/** `weight` of the first route's first backend, of 100. As it comes from a control plane: read from JSON. */
const configuration = (routes: number, weight = 90): Snapshot =>
  JSON.parse(JSON.stringify(configured(routes, weight)));

const configured = (routes: number, weight: number) =>
  snapshot(
    listener('web'),
    listener('secure', { port: 443, protocol: 'HTTPS', certificates: [certificate.id] }),
    backend('one'),
    backend('two'),
    ...Array.from({ length: routes }, (_, i) =>
      rule({
        on: ['web', 'secure'],
        route: `team-${i % 50}/route-${i}`,
        hostnames: [`h${i}.example.com`],
        matches: [
          { path: variant === 'a regular expression' ? regex(`/api/v${i}/[a-z]+`) : prefix(`/api/v${i}`) },
        ],
        rest: {
          filters: (variant && filters[variant]) ?? [],
          backends: [to('one', i === 0 ? weight : 90), to('two', i === 0 ? 100 - weight : 10)],
        },
      }),
    ),
  );

/** Milliseconds for which the event loop was kept, at most, while this was applied. */
async function apply(delta: SnapshotDelta): Promise<number> {
  const endpoint = { address: '127.0.0.1', port: backendPort };
  let last = performance.now();
  let longest = 0;
  let goesOn = true;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (goesOn) setImmediate(look);
  };
  setImmediate(look);
  const { accepted, diagnostics } = await agent.apply({
    delta,
    endpoints: endpoints({ one: [endpoint], two: [endpoint] }),
    certificates: new Map([[certificate.id, certificate]]),
  });
  if (!accepted || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  await new Promise((resolve) => setImmediate(resolve));
  goesOn = false;
  return longest;
}

/** Octets: what lives, the part of it that is code and what goes with it, what V8 has of the system for the heap, and Linux's RSS. */
export interface Memory {
  readonly heap: number;
  readonly code: number;
  readonly committed: number;
  readonly rss: number;
}

const memory = (): Memory => {
  globalThis.gc?.();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  const code = getHeapSpaceStatistics()
    .filter(({ space_name }) => /^(?:code|trusted)_/.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
  return { heap: heapUsed, code, committed: heapTotal, rss };
};

const COMMANDS: Record<string, () => unknown> = {
  memory,
  /** The same once V8 has given up all that it can do without: compiled code, and pages that it keeps for what comes. */
  least: () => {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    return memory();
  },
  /** All routes but one go and come again, ten times. */
  churn: async () => {
    const all = configuration(count);
    const one = configuration(1);
    for (let i = 0; i < 10; i++) {
      await apply(difference(agent.snapshot, one));
      await apply(difference(agent.snapshot, all));
    }
    return memory();
  },
  /** One route changes its weight, and back, a hundred times. */
  swap: async () => {
    const times: number[] = [];
    const [changed, first] = [configuration(count, 80), configuration(count)];
    // As control planes send them: what is different is not for the data plane to find.
    const [there, back] = [difference(first, changed), difference(changed, first)];
    // Of finding it garbage is left, which threads beside this one go on to sweep.
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (let i = 0; i < 50; i++) times.push(await apply(there), await apply(back));
    return times.sort((a, b) => a - b);
  },
};

await apply(difference(undefined, configuration(count)));
process.stdout.write('ready\n');
// A profile is written at an orderly exit only.
process.once('SIGINT', () => process.exit());
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await COMMANDS[line]!())}\n`);
}

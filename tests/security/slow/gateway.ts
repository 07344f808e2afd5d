/**
 * The data plane under attack: `node gateway.ts BACKEND_PORT [LIMITS]`, limits as JSON. Says its ports, in the clear and of TLS; for each line of its
 * input how many sockets it has, how late its event loop was since the last one and how long requests of the client that is measured took within it
 * (p99, milliseconds), the CPU time that it has taken (microseconds), and what it holds, where Node's `--expose-gc` is set.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { Agent } from '../../../gateway-runtime/proxy/agent.ts';
import type { Limits } from '../../../gateway-runtime/proxy/limits.ts';
import { Metrics } from '../../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import { issue } from '../../support/certificates.ts';
import { endpoints, GATEWAY, to } from '../../support/gateway.ts';
import { listener, prefix, rule, snapshot } from '../../unit/match/snapshots.ts';
import { served } from './served.ts';
import { TARGET } from './target.ts';

/** The address of `client.ts`. */
const MEASURED = '"client":"127.0.0.77"';
let times: number[] = [];
const agent = new Agent({
  gateway: GATEWAY,
  regex: re2,
  bindPort: () => 0,
  metrics: new Metrics(),
  limits: JSON.parse(process.argv[3] ?? '{}') as Partial<Limits>,
  accessLog: (line) => {
    if (line.includes(MEASURED)) times.push(JSON.parse(line).duration);
  },
});
const endpoint = { address: '127.0.0.1', port: Number(process.argv[2]) };
const certificate = issue('infra/slow', ['*.example.com']);
const wanted = snapshot(
  listener('web'),
  listener('secure', { port: 443, protocol: 'HTTPS', certificates: [certificate.id] }),
  ...served(['web', 'secure']),
  rule({
    on: ['web', 'secure'],
    route: 'shop/target',
    hostnames: [TARGET.host],
    matches: [{ path: prefix(TARGET.path) }],
    rest: { backends: [to('whoami')] },
  }),
);
const { accepted, diagnostics } = await agent.apply({
  delta: difference(undefined, wanted),
  endpoints: endpoints({ whoami: [endpoint], admin: [endpoint] }),
  certificates: new Map([[certificate.id, certificate]]),
});
if (!accepted || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));

/** Octets that JavaScript holds; only where there is `--expose-gc`. */
function held(): number | undefined {
  if (!globalThis.gc) return undefined;
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind.endsWith('SocketWrap')).length;

console.log(`${agent.boundPort(80)} ${agent.boundPort(443)}`);
const delay = monitorEventLoopDelay({ resolution: 2 });
delay.enable();
for await (const _ of createInterface({ input: process.stdin })) {
  const loop99 = delay.percentile(99) / 1e6;
  const within99 = times.sort((a, b) => a - b)[Math.floor(0.99 * (times.length - 1))] ?? 0;
  console.log(JSON.stringify({ loop99, within99, sockets: sockets(), cpu: cpu(), held: held() }));
  delay.reset();
  times = [];
}
process.exit();

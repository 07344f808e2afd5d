/**
 * A data plane to be measured: `node gatewright.ts ENGINE PORT BACKEND_PORT ROUTES LOG`. Every route has a host of its own and two weighted
 * backends, as those of the peers have. Access log to LOG, metrics on.
 */
import { openSync } from 'node:fs';
import { Agent } from '../../../gateway-runtime/proxy/agent.ts';
import type { EngineName } from '../../../gateway-runtime/proxy/engines.ts';
import { LogFile } from '../../../gateway-runtime/proxy/telemetry/log-file.ts';
import { Metrics } from '../../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import { backend, endpoints, GATEWAY, to } from '../../support/gateway.ts';
import { listener, prefix, rule, snapshot } from '../../unit/match/snapshots.ts';

const [engine, port, backendPort, routes, log] = process.argv.slice(2) as [
  EngineName,
  string,
  string,
  string,
  string,
];
const file = new LogFile(openSync(log, 'a'));
const agent = new Agent({
  gateway: GATEWAY,
  regex: re2,
  engine,
  bindPort: () => Number(port),
  metrics: new Metrics({ process: true }),
  accessLog: (line) => file.write(line),
});
const resources = [
  listener('web'),
  backend('one'),
  backend('two'),
  ...Array.from({ length: Number(routes) }, (_, i) =>
    rule({
      route: `team-${i % 50}/route-${i}`,
      hostnames: [`h${i}.example.com`],
      matches: [{ path: prefix(`/api/v${i}`) }],
      rest: { backends: [to('one', 90), to('two', 10)] },
    }),
  ),
];
const endpoint = { address: '127.0.0.1', port: Number(backendPort) };
const { accepted, diagnostics } = await agent.apply({
  delta: difference(undefined, snapshot(...resources)),
  endpoints: endpoints({ one: [endpoint], two: [endpoint] }),
});
if (!accepted || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
process.stdout.write('ready\n');
// A profile is written at an orderly exit only.
process.once('SIGINT', () => process.exit());

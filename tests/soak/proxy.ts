/**
 * A data plane under soak: `node --expose-gc proxy.ts BACKEND_PORT [LIMITS]`, limits as JSON. Says its port, and for each line of its input what
 * it holds.
 */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { Agent } from '../../gateway-runtime/proxy/agent.ts';
import type { Limits } from '../../gateway-runtime/proxy/limits.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import { backendKey, GATEWAY, serviceWhoami } from '../support/gateway.ts';
import { snapshot } from '../unit/match/snapshots.ts';

export interface Held {
  readonly sockets: number;
  readonly timers: number;
  /** Bytes. */
  readonly heap: number;
  readonly buffers: number;
  /** What the heap has of the system, and of that for what was made lately. */
  readonly committed: number;
  readonly young: number;
  readonly rss: number;
}

let lines = 0;
const agent = new Agent({
  gateway: GATEWAY,
  regex: re2,
  bindPort: () => 0,
  metrics: new Metrics(),
  limits: JSON.parse(process.argv[3] ?? '{}') as Partial<Limits>,
  accessLog: () => lines++,
});
const endpoint = { address: '127.0.0.1', port: Number(process.argv[2]) };
const { resources } = serviceWhoami([endpoint]);
const { accepted, diagnostics } = await agent.apply({
  delta: difference(undefined, snapshot(...resources)),
  endpoints: new Map([[backendKey('whoami'), { backend: backendKey('whoami'), endpoints: [endpoint] }]]),
});
if (!accepted || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));

async function held(): Promise<Held> {
  for (let i = 0; i < 3; i++) {
    await pause(50);
    (globalThis as { gc?: () => void }).gc?.();
  }
  const active = process.getActiveResourcesInfo();
  const { heapUsed, heapTotal, arrayBuffers, rss } = process.memoryUsage();
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!;
  return {
    sockets: active.filter((kind) => kind.endsWith('SocketWrap')).length,
    timers: active.filter((kind) => kind === 'Timeout').length,
    heap: heapUsed,
    buffers: arrayBuffers,
    committed: heapTotal,
    young: young.space_size,
    rss,
  };
}

console.log(agent.boundPort(80));
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await held()));

/**
 * A data plane under soak: `node --expose-gc proxy.ts '{"backend": PORT, "shadow": PORT, "log": FILE}'`. Says its ports, in the clear and of TLS, and for each
 * line of its input what it holds.
 */
import { openSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapSpaceStatistics, queryObjects } from 'node:v8';
import { Agent } from '../../gateway-runtime/proxy/agent.ts';
import { Http1Exchange } from '../../gateway-runtime/proxy/engine-http1/exchange.ts';
import { LogFile } from '../../gateway-runtime/proxy/telemetry/log-file.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import { issue } from '../support/certificates.ts';
import { backend, backendKey, endpoints, GATEWAY, to } from '../support/gateway.ts';
import { listener, prefix, rule, snapshot } from '../unit/match/snapshots.ts';

export interface Setting {
  /** Ports of what answers, and of what gets copies. */
  readonly backend: number;
  readonly shadow: number;
  /** The file of the access log. */
  readonly log: string;
}

export interface Ports {
  readonly plain: number;
  readonly tls: number;
}

export interface Held {
  /** What Node waits for, by kind: sockets, servers, timers that keep a process alive, and the like. */
  readonly resources: Readonly<Record<string, number>>;
  /** Objects that live: sockets of every kind, timers that are not over, and exchanges. */
  readonly objects: Readonly<Record<string, number>>;
  /** Connections that are open, and what came and went on each. */
  readonly open: readonly string[];
  /** Octets. */
  readonly heap: number;
  readonly buffers: number;
  /** What the heap has of the system, and of that for what was made lately. */
  readonly committed: number;
  readonly young: number;
  /** Before and after garbage was collected, and pages were given back. */
  readonly rss: number;
  readonly least: number;
  /** Of the access log, so far: lines, and those that could not be written. */
  readonly lines: number;
  readonly lost: number;
  /** What was thrown where nothing should be. */
  readonly defects: number;
}

const setting = JSON.parse(process.argv[2]!) as Setting;
const certificate = issue('infra/soak', ['*.example.com']);
const log = new LogFile(openSync(setting.log, 'a'));
let lines = 0;
let defects = 0;
const agent = new Agent({
  gateway: GATEWAY,
  regex: re2,
  bindPort: () => 0,
  metrics: new Metrics({ process: true }),
  accessLog: (line) => {
    lines++;
    log.write(line);
  },
  onDefect: (error) => {
    defects++;
    console.error(error);
  },
});

const on = ['web', 'secure'];
const mirror = {
  type: 'RequestMirror',
  config: { name: 'Service shop/shadow:80', backend: backendKey('shadow'), share: [1, 1] },
};
const resources = [
  listener('web'),
  listener('secure', { port: 443, protocol: 'HTTPS', certificates: [certificate.id] }),
  backend('whoami'),
  backend('shadow'),
  rule({ on, route: 'shop/all', rest: { backends: [to('whoami')] } }),
  rule({
    on,
    route: 'shop/mirrored',
    matches: [{ path: prefix('/mirrored') }],
    rest: { backends: [to('whoami')], filters: [mirror] },
  }),
  rule({
    on,
    route: 'shop/retried',
    matches: [{ path: prefix('/flaky') }],
    rest: { backends: [to('whoami')], retry: { codes: [503], attempts: 2, backoff: 1 } },
  }),
  rule({
    on,
    route: 'shop/late',
    matches: [{ path: prefix('/late') }],
    rest: { backends: [to('whoami')], timeouts: { request: 60, backendRequest: 50 } },
  }),
];
const at = (port: number) => [{ address: '127.0.0.1', port }];
const { accepted, diagnostics } = await agent.apply({
  delta: difference(undefined, snapshot(...resources)),
  endpoints: endpoints({ whoami: at(setting.backend), shadow: at(setting.shadow) }),
  certificates: new Map([[certificate.id, certificate]]),
});
if (!accepted || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));

const timer = setTimeout(() => {}, 0);
/** Node's own class of timers, those too that keep no process alive. */
const Timeout = timer.constructor as new () => NodeJS.Timeout;

/** The sockets of Node that are open, which only this tells of. */
const handles = (): readonly unknown[] =>
  (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();

const PEERS = new Map([
  [setting.backend, 'to the backend'],
  [setting.shadow, 'to what gets copies'],
]);

/** Such as `from a client by TLS, open, 231 octets read, 65536 written, 1024 waiting`. */
function described(socket: Socket): string {
  const { remotePort = 0, localPort, readyState, bytesRead, bytesWritten, writableLength } = socket;
  const client = localPort === agent.boundPort(443) ? 'from a client by TLS' : 'from a client';
  return `${PEERS.get(remotePort) ?? client}, ${readyState}, ${bytesRead} octets read, ${bytesWritten} written, ${writableLength} waiting`;
}

/** What `util.inspect` says of a timer. Those that are over stay where somebody still names them. */
const isUnderWay = (timer: string): boolean => timer.includes('_destroyed: false');

async function held(): Promise<Held> {
  const { rss } = process.memoryUsage();
  for (let i = 0; i < 3; i++) {
    await pause(50);
    // Of compiled code too, which V8 would else give up some time or other.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const { heapUsed, heapTotal, arrayBuffers, rss: least } = process.memoryUsage();
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!;
  return {
    resources,
    objects: {
      sockets: queryObjects(Socket, { format: 'count' }),
      timers: queryObjects(Timeout, { format: 'summary' }).filter(isUnderWay).length,
      exchanges: queryObjects(Http1Exchange, { format: 'count' }),
    },
    open: handles()
      .filter((each): each is Socket => each instanceof Socket && each.remotePort !== undefined)
      .map(described),
    heap: heapUsed,
    buffers: arrayBuffers,
    committed: heapTotal,
    young: young.space_size,
    rss,
    least,
    lines,
    lost: log.lostInAll,
    defects,
  };
}

console.log(JSON.stringify({ plain: agent.boundPort(80), tls: agent.boundPort(443) }));
for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(await held()));
process.exit();

/**
 * `npm run slow [-- --connections 5000 --seconds 1 --rounds 5 --only 'slow head;idle' --peer nginx]`: what a client notices of attackers. For each attack, it asks
 * alone for some rounds, then while the attack is on, then alone again, over kept and new connections. The table has medians of the rounds,
 * and the ratio of both times; alone is what was before and after. Own attackers, and slowhttptest where that is installed.
 *
 * What the client has of its own processor's part is in its times, and not in `within`: the p99 of its requests as the gateway sees them, from
 * their heads to the end of their answers. Which process runs where: `slow/processes.ts`.
 *
 * Where that is allowed (root, Linux), all of it is in a network namespace of its own, whose packets are as large as Ethernet's: with those of the
 * loopback device, of 64 KiB, the kernel keeps 2.6 MB of what one client does not read, and comes to the end of the memory that it has for TCP.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus, release } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isInstalled } from '../bench/proxy/contender.ts';
import { loadAverage, processorTime, residentMemory, stolenTime } from '../bench/proxy/measured.ts';
import { ATTACKS, type Attack, titleOf } from './slow/attacks.ts';
import { type Gateway, PEER_NAMES, type Seen, startOwn, startPeer } from './slow/gateways.ts';
import { isDisturbed, isPinned, start, startProgram } from './slow/processes.ts';
import { TARGET } from './slow/target.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    peer: { type: 'string' },
  },
});
const CONNECTIONS = Number(values.connections);
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
if (values.peer && !PEER_NAMES.includes(values.peer)) {
  const installed = PEER_NAMES.join(', ') || 'none of nginx, haproxy, Envoy and Traefik';
  console.error(`--peer ${values.peer}: expected one that is installed (${installed})`);
  process.exit(2);
}
/** Connections for which the smaller of two gateways has room. */
const ROOM = Math.floor(CONNECTIONS * 0.8);
/** Milliseconds that an attack has to unfold, at most; after that, and after its end, for what goes on then to be the same all the time. */
const UNFOLDS = 5_000;
const SETTLES = 700;
/** After which a request has failed, and what it counts for in percentiles. */
const FAILED = 10_000;

/** Beside JavaScript nothing collects garbage, and there is room for that of a round. */
const ONE_THREAD = ['--single-threaded-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];

const ALONE = 'GATEWRIGHT_SLOW_ALONE';
/** slowhttptest asks for the host that its URL has. */
const ETHERNET = `ip link set lo up mtu 1500 && hosts=$(mktemp) && echo '127.0.0.1 localhost ${TARGET.host}' > $hosts && mount --bind $hosts /etc/hosts && rm $hosts && exec "$@"`;
const isAlone = process.env[ALONE] === 'true';
const ALONE_IN = ['--net', '--mount', 'sh', '-c', ETHERNET, 'sh'];
if (!isAlone && spawnSync('unshare', [...ALONE_IN, 'true']).status === 0) {
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, [ALONE]: 'true' };
  const { status } = spawnSync('unshare', [...ALONE_IN, ...own], {
    stdio: 'inherit',
    env,
  });
  process.exit(status ?? 1);
}

/** Milliseconds that requests of one round took. */
interface Asked {
  readonly kept: readonly number[];
  readonly fresh: readonly number[];
  readonly failed: number;
}

/** It has to be told by a name which host is asked for. */
const hasTool = isInstalled('slowhttptest') && isAlone;

const portOf = ({ tls }: Attack, gateway: Gateway) => (tls ? gateway.tls : gateway.plain);

interface Attacking {
  /** Milliseconds of processor time for a second, since it was asked last. */
  used(): number;
  stop(): Promise<void>;
}

/** Of slowhttptest. Each looks at all of its connections at a time, which with 5,000 keeps the processor from client and backend for 0.7 ms. */
const TOOLS = 10;

function attack(wanted: Attack, port: number): Attacking {
  const { tool, tls } = wanted;
  const url = `${tls ? 'https' : 'http'}://${TARGET.host}:${port}${tool?.path}`;
  const options = ['-c', CONNECTIONS / TOOLS, '-r', 2_000 / TOOLS, '-l', 600, '-i', 1, '-u', url];
  const args = [`${import.meta.dirname}/slow/attacker.ts`, titleOf(wanted), port, CONNECTIONS];
  const command = tool
    ? ['slowhttptest', ...options, ...tool.options]
    : [process.execPath, '--conditions=gatewright-source', ...args];
  const processes = Array.from({ length: tool ? TOOLS : 1 }, () => attacker(command.map(String)));
  let since = performance.now();
  return {
    used() {
      const before = since;
      since = performance.now();
      return sum(processes.map((each) => each.used())) / (since - before);
    },
    async stop() {
      await Promise.all(processes.map((each) => each.stop()));
    },
  };
}

function attacker(command: readonly string[]) {
  let child: ReturnType<typeof start>;
  let from = 0;
  const begin = () => {
    child = start('attacker', command);
    from = 0;
    child.stdout!.resume();
    // slowhttptest ends once all of its connections have.
    child.once('exit', begin);
  };
  begin();
  return {
    /** Microseconds of processor time since it was asked last, of what runs now. */
    used() {
      const before = from;
      from = processorTime(child.pid!);
      return from - before;
    },
    async stop() {
      child.off('exit', begin).kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

interface Found {
  readonly alone: readonly Asked[];
  /** While it unfolds: most of its clients are not known for what they do by then. */
  readonly first: readonly Asked[];
  readonly under: readonly Asked[];
  readonly seen: Seen;
  /** Processor time of each for a second, in milliseconds. */
  readonly gateway: number;
  readonly attacker: number;
  /** Of the machine's processors, for others on its host. */
  readonly stolen: number;
  /** Octets that it grew by. */
  readonly grown: number;
}

async function inRounds(port: number, isTls: boolean, rounds: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (let i = 0; i < rounds; i++) asked.push(await client.ask<Asked>(`${port} ${SECONDS} ${isTls}`));
  return asked;
}

/** Until nearly all connections are there, and where the gateway closes them after their time, until it does. */
async function unfolded({ overfull, send, hold }: Attack, gateway: Gateway): Promise<void> {
  const began = performance.now();
  const wanted = 0.95 * (overfull ? ROOM : CONNECTIONS);
  for (; !send && performance.now() < began + UNFOLDS; await pause(200)) {
    if ((await gateway.seen()).sockets >= wanted) break;
  }
  await pause(send ? SETTLES / 2 : SETTLES);
  if (hold?.until) await pause(Math.max(0, began + hold.until * 1_000 - performance.now()));
}

/** Until neither gateway has anything to do. */
async function settled(): Promise<void> {
  const used = () => sum(gateways.map(({ pid }) => processorTime(pid)));
  for (const until = performance.now() + UNFOLDS; performance.now() < until; ) {
    const before = used();
    await pause(SETTLES);
    if (used() - before < 0.02 * SETTLES * 1_000) break;
  }
}

/** What was measured last without an attack: the end of one is the beginning of the next. */
let last: { readonly port: number; readonly asked: readonly Asked[] } | undefined;

async function compare(wanted: Attack, gateway: Gateway): Promise<Found> {
  const port = portOf(wanted, gateway);
  const isTls = wanted.tls === true;
  const { pid } = gateway;
  const before = last?.port === port ? last.asked : await inRounds(port, isTls, ROUNDS - 1);
  const memory = residentMemory(pid);
  const attacker = attack(wanted, port);
  const first: Asked[] = [];
  const unfolding = { isOver: false };
  await Promise.all([
    unfolded(wanted, gateway).finally(() => {
      unfolding.isOver = true;
    }),
    (async () => {
      while (!unfolding.isOver) first.push(...(await inRounds(port, isTls, 1)));
    })(),
  ]);
  await gateway.seen();
  attacker.used();
  const [used, stolen] = [processorTime(pid), stolenTime()];
  const since = performance.now();
  const under = await inRounds(port, isTls, ROUNDS);
  const found = {
    first,
    under,
    gateway: (processorTime(pid) - used) / (performance.now() - since),
    stolen: (stolenTime() - stolen) / (performance.now() - since),
    seen: await gateway.seen(),
    attacker: attacker.used(),
    grown: residentMemory(pid) - memory,
  };
  await attacker.stop();
  await settled();
  const after = await inRounds(port, isTls, ROUNDS - 1);
  last = { port, asked: after };
  return { ...found, alone: [...before, ...after] };
}

function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
const sum = (figures: readonly number[]) => figures.reduce((a, b) => a + b, 0);
const ms = (figure: number) => figure.toFixed(2).padStart(8);

/** Of rounds: the median of a percentile of each. */
function percentile(
  share: number,
  rounds: readonly Asked[],
  of: (asked: Asked) => readonly number[],
): number {
  return median(
    rounds.map((asked) => {
      const times = of(asked).toSorted((a, b) => a - b);
      return times[Math.floor(share * (times.length - 1))] ?? FAILED;
    }),
  );
}
/** Of all requests of some rounds. */
const overall = (rounds: readonly Asked[]): readonly Asked[] => [
  {
    kept: rounds.flatMap(({ kept }) => kept),
    fresh: rounds.flatMap(({ fresh }) => fresh),
    failed: sum(rounds.map(({ failed }) => failed)),
  },
];
const all = ({ kept, fresh, failed }: Asked) => [...kept, ...fresh, ...Array(failed).fill(FAILED)];

function line(title: string, { alone, first, under, seen, gateway, attacker, stolen, grown }: Found): string {
  const [before, now] = [percentile(0.99, alone, all), percentile(0.99, under, all)];
  const asked = overall([...first, ...under])[0]!;
  return [
    title.padEnd(34),
    ms(percentile(0.5, alone, all)),
    ms(before),
    ms(percentile(0.5, under, all)),
    ms(now),
    `${(now / before).toFixed(2).padStart(7)} x`,
    ms(percentile(0.99, overall(first), all)),
    ms(percentile(0.99, under, ({ kept }) => kept)),
    ms(percentile(0.99, under, ({ fresh }) => fresh)),
    ms(seen.within99),
    ms(seen.loop99),
    String(seen.sockets).padStart(7),
    `${(gateway / 10).toFixed(0).padStart(4)} %`,
    `${(attacker / 10).toFixed(0).padStart(4)} %`,
    `${(stolen / 10).toFixed(1).padStart(5)} %`,
    `${(grown / 2 ** 20).toFixed(0).padStart(5)}`,
    `${asked.failed} of ${all(asked).length}`.padStart(11),
  ].join(' ');
}

const backend = await startProgram('backend', 'backend.ts', [], ONE_THREAD);
const client = await startProgram('client', 'client.ts', [], [...ONE_THREAD, '--expose-gc']);
const backendPort = Number(backend.said);
const { peer } = values;
const roomy = peer ? await startPeer(peer, backendPort) : await startOwn(backendPort, {});
const full = peer ? undefined : await startOwn(backendPort, { connections: ROOM });
const gateways = full ? [roomy, full] : [roomy];
const only = values.only?.split(';');
/** Messages are measured with routes of the data plane. */
const isPossible = ({ overfull, send, tool }: Attack) => (!tool || hasTool) && !(peer && (overfull || send));
const attacks = ATTACKS.filter(
  (each) => isPossible(each) && (!only || only.includes(titleOf(each)) || only.includes(each.name)),
);

console.log(
  `${peer ?? 'Gatewright'}: ${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s; Node ${process.version}, ${cpus().length} x ${cpus()[0]!.model.trim()}, Linux ${release()}, load average ${loadAverage()}${isPinned ? '' : '; nothing is pinned to a processor'}${isDisturbed ? '; other processes disturb' : ''}${isAlone ? '' : '; packets are those of the loopback device'}${hasTool ? '' : '; without slowhttptest'}`,
);
// So that all of it is compiled.
for (const gateway of gateways) {
  await inRounds(gateway.plain, false, 2);
  await inRounds(gateway.tls, true, 2);
}
console.log(
  'milliseconds                          alone p50, p99    under p50, p99      ratio    first     kept      new   within     loop sockets    CPU  their  stolen  MiB+      failed',
);
const began = performance.now();
for (const wanted of attacks) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${titleOf(wanted)}`);
  const found = await compare(wanted, (wanted.overfull && full) || roomy);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(line(titleOf(wanted), found));
}
console.log(
  `${((performance.now() - began) / 1_000).toFixed(0)} s; load average ${loadAverage()} at the end`,
);
process.exit();

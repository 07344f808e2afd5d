/**
 * `npm run slow [-- --connections 5000 --seconds 6 --rounds 3 --only 'slow head,idle' --write]`: what a client notices of attackers. In each round, for
 * each attack, a client asks alone and then while the attack is on, over kept and new connections; medians of the rounds of both, and their
 * ratio. The gateway has a processor of its own where there are two; client, backend and attackers share the others, attackers giving way, so
 * that what is measured is the gateway and not who of them gets to run. Own attackers, and slowhttptest where that is installed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus, release, setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NODE_FLAGS } from '../../gateway-runtime/control/provisioner/deployment.ts';
import { loadAverage, processorTime, residentMemory } from '../bench/proxy/measured.ts';
import { ATTACKS, type Attack, hasTool, titleOf } from './slow/attacks.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const CONNECTIONS = Number(values.connections);
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
/** Connections for which the smaller of two gateways has room. */
const ROOM = Math.floor(CONNECTIONS * 0.8);
/** Milliseconds that an attack has to unfold, at most; after that, and after its end, for what goes on then to be the same all the time. */
const UNFOLDS = 20_000;
const SETTLES = 1_500;
/** Niceness of the client, its backend and the gateway, where it can be had, and of attackers. */
const [FIRST, LAST] = [-5, 19];

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

interface Asked extends Percentiles {
  readonly kept: Percentiles;
  readonly fresh: Percentiles;
  readonly failed: number;
  readonly total: number;
}

interface Gateway {
  readonly child: ChildProcess;
  readonly ports: { readonly plain: number; readonly tls: number };
  seen(): Promise<{ readonly loop99: number; readonly sockets: number }>;
}

const canPin = availableParallelism() > 1 && spawnSync('which', ['taskset']).status === 0;
const others = availableParallelism() > 2 ? `1-${availableParallelism() - 1}` : '1';
const children = new Set<ChildProcess>();

/** A process on the gateway's processor, or on the others. */
function start(where: 'gateway' | 'others', niceness: number, command: readonly string[]): ChildProcess {
  const pinned = canPin ? ['taskset', '-c', where === 'gateway' ? '0' : others, ...command] : [...command];
  const child = spawn(pinned[0]!, pinned.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  child.on('exit', () => children.delete(child));
  try {
    setPriority(child.pid!, niceness);
  } catch {
    // Only root gives more than it has.
  }
  return child;
}

const program = (name: string, ...args: readonly (string | number | boolean)[]) => [
  process.execPath,
  '--conditions=gatewright-source',
  join(import.meta.dirname, 'slow', name),
  ...args.map(String),
];

const linesOf = (child: ChildProcess) => createInterface({ input: child.stdout! })[Symbol.asyncIterator]();

async function startGateway(backendPort: number, limits: object): Promise<Gateway> {
  const child = start(
    'gateway',
    FIRST,
    program('gateway.ts', backendPort, JSON.stringify(limits)).toSpliced(1, 0, ...NODE_FLAGS),
  );
  const lines = linesOf(child);
  const [plain, tls] = ((await lines.next()).value as string).split(' ').map(Number) as [number, number];
  return {
    child,
    ports: { plain, tls },
    async seen() {
      child.stdin!.write('\n');
      return JSON.parse((await lines.next()).value as string);
    },
  };
}

async function ask(port: number, isTls: boolean): Promise<Asked> {
  const child = start('others', FIRST, program('client.ts', port, SECONDS, isTls));
  return JSON.parse((await linesOf(child).next()).value as string);
}

interface Attacking {
  /** Milliseconds of processor time for a second, since it was asked last. */
  used(): number;
  stop(): Promise<void>;
}

function attack(wanted: Attack, port: number): Attacking {
  const { tool, tls } = wanted;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}${tool?.path}`;
  const command = tool
    ? [
        'slowhttptest',
        '-c',
        `${CONNECTIONS}`,
        '-r',
        '2000',
        '-l',
        '600',
        '-i',
        '1',
        '-u',
        url,
        ...tool.options,
      ]
    : program('attacker.ts', titleOf(wanted), port, CONNECTIONS);
  let child: ChildProcess;
  let [since, from] = [performance.now(), 0];
  const begin = () => {
    child = start('others', LAST, command);
    child.stdout!.resume();
    from = 0;
    // slowhttptest ends once all of its connections have.
    child.once('exit', begin);
  };
  begin();
  return {
    used() {
      const [before, now] = [from, performance.now()];
      from = processorTime(child.pid!);
      const each = (from - before) / (now - since);
      since = now;
      return each;
    },
    async stop() {
      child.off('exit', begin).kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

interface Found {
  readonly alone: Asked;
  readonly under: Asked;
  readonly loop99: number;
  /** Processor time of each for a second, in milliseconds. */
  readonly gateway: number;
  readonly attacker: number;
  /** That the gateway had, to endpoints too. */
  readonly sockets: number;
  /** Octets that it grew by. */
  readonly grown: number;
}

/** Until nearly all connections are there. */
async function unfolded({ overfull, send }: Attack, gateway: Gateway): Promise<void> {
  const wanted = 0.95 * (overfull ? ROOM : CONNECTIONS);
  for (const until = performance.now() + UNFOLDS; !send && performance.now() < until; await pause(200)) {
    if ((await gateway.seen()).sockets >= wanted) break;
  }
  await pause(SETTLES);
}

async function compare(wanted: Attack, gateway: Gateway): Promise<Found> {
  const port = wanted.tls ? gateway.ports.tls : gateway.ports.plain;
  const alone = await ask(port, wanted.tls === true);
  const before = residentMemory(gateway.child.pid!);
  const attacker = attack(wanted, port);
  await unfolded(wanted, gateway);
  await gateway.seen();
  attacker.used();
  const used = processorTime(gateway.child.pid!);
  const since = performance.now();
  const under = await ask(port, wanted.tls === true);
  const { loop99, sockets } = await gateway.seen();
  const found = {
    alone,
    under,
    loop99,
    sockets,
    gateway: (processorTime(gateway.child.pid!) - used) / (performance.now() - since),
    attacker: attacker.used(),
    grown: residentMemory(gateway.child.pid!) - before,
  };
  await attacker.stop();
  await pause(SETTLES);
  return found;
}

const median = (figures: readonly number[]) => figures.toSorted((a, b) => a - b)[figures.length >> 1]!;
const sum = (figures: readonly number[]) => figures.reduce((a, b) => a + b, 0);
const ms = (figures: readonly number[]) => (median(figures)?.toFixed(2) ?? 'none').padStart(7);

function line(title: string, found: readonly Found[]): string {
  const of = (pick: (each: Found) => number) => found.map(pick);
  const ratio = median(of(({ under }) => under.p99)) / median(of(({ alone }) => alone.p99));
  return [
    title.padEnd(38),
    ms(of(({ alone }) => alone.p50)),
    ms(of(({ alone }) => alone.p99)),
    ms(of(({ under }) => under.p50)),
    ms(of(({ under }) => under.p99)),
    `${ratio.toFixed(2).padStart(6)} x`,
    ms(of(({ under }) => under.kept.p99)),
    ms(of(({ under }) => under.fresh.p99)),
    ms(of(({ loop99 }) => loop99)),
    String(median(of(({ sockets }) => sockets))).padStart(6),
    `${(median(of(({ gateway }) => gateway)) / 10).toFixed(0).padStart(5)} %`,
    `${(median(of(({ attacker }) => attacker)) / 10).toFixed(0).padStart(5)} %`,
    `${(median(of(({ grown }) => grown)) / 2 ** 20).toFixed(0).padStart(6)}`,
    `${sum(of(({ under }) => under.failed))} of ${sum(of(({ under }) => under.total))}`.padStart(14),
  ].join(' ');
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
const backend = start('others', FIRST, program('backend.ts'));
const backendPort = Number((await linesOf(backend).next()).value);
const roomy = await startGateway(backendPort, {});
const full = await startGateway(backendPort, { connections: ROOM });
const only = values.only?.split(';');
const attacks = ATTACKS.filter((each) => !only || only.includes(titleOf(each)) || only.includes(each.name));

console.log(
  `${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s; Node ${process.version}, ${cpus().length} x ${cpus()[0]!.model.trim()}, Linux ${release()}, load average ${loadAverage()}${canPin ? '' : '; nothing is pinned to a processor'}${hasTool ? '' : '; slowhttptest is not installed'}`,
);
for (const gateway of [roomy, full]) await ask(gateway.ports.plain, false);
await ask(roomy.ports.tls, true);
console.log(
  'attack                                   alone p50, p99       under p50, p99   ratio    kept     new    loop   sockets   CPU   their  MiB+         failed',
);
const found = new Map<Attack, Found[]>(attacks.map((each) => [each, []]));
for (let round = 1; round <= ROUNDS; round++) {
  for (const wanted of attacks) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${round} of ${ROUNDS}: ${titleOf(wanted)}`);
    found.get(wanted)!.push(await compare(wanted, wanted.overfull ? full : roomy));
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    if (round === ROUNDS) console.log(line(titleOf(wanted), found.get(wanted)!));
  }
}
console.log(`load average ${loadAverage()} at the end`);
process.exit();

/**
 * `npm run soak [-- --requests N]`: a million requests of all kinds through one data plane with the flags of those in a cluster (HTTP/1.1 and
 * HTTP/2, in the clear and over TLS, upgraded connections, copies, retries), with faults of clients and backends among them and an access log in a file; and
 * whether its sockets, timers and memory are then where they were after a tenth of that. Linux's RSS is printed, and judged by nothing: it is the
 * heap's limit for what was made lately (NODE_FLAGS) that it comes up to.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../gateway-runtime/control/provisioner/deployment.ts';
import { LIMITS } from '../../gateway-runtime/proxy/limits.ts';
import { residentMemory } from '../bench/proxy/measured.ts';
import { backends } from './backend.ts';
import { type Budget, KINDS } from './clients.ts';
import type { Held, Ports, Setting } from './proxy.ts';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '1000000' } } });
const REQUESTS = Number(values.requests);
/** Before the first look: enough for code to be compiled and caches to be filled. */
const WARM_UP = Math.max(50_000, REQUESTS / 10);
/** Requests between looks at RSS, after each of which the access log begins anew. */
const EACH = 100_000;
/** Longer than idle connections to endpoints and what lingers are kept, and than the timer of a handshake that is over rings. */
const CALM = LIMITS.tlsHandshake + 2_000;
/** Octets by which heap and buffers may have grown. */
const MOST_GROWN = 2 * 2 ** 20;
/** What is answered: by the backends, to requests that are malformed, and where a backend breaks off or is late. */
const STATUSES = new Set([0, 101, 200, 400, 408, 502, 503, 504]);
/** The part that is answered with 200 at least; the rest is faults. */
const LEAST_GOOD = 0.95;
/** Milliseconds in which it has to be done: with 500 requests a second, and two minutes for the rest. */
const PATIENCE = 120_000 + 2 * (WARM_UP + REQUESTS);

const folder = mkdtempSync(join(tmpdir(), 'gatewright-soak-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const log = join(folder, 'access.log');
const behind = await backends();
const setting: Setting = { backend: behind.backend, shadow: behind.shadow, log };
const child = spawn(
  process.execPath,
  [
    ...NODE_FLAGS,
    '--expose-gc',
    '--disable-warning=ExperimentalWarning',
    '--conditions=gatewright-source',
    join(import.meta.dirname, 'proxy.ts'),
    JSON.stringify(setting),
  ],
  { env: { ...process.env, ...NODE_ENVIRONMENT }, stdio: ['pipe', 'pipe', 'inherit'] },
);
process.once('exit', () => child.kill());
setTimeout(() => {
  console.log(`NOT back where it was: not done after ${PATIENCE / 1_000} s`);
  process.exit(1);
}, PATIENCE).unref();
let isOver = false;
child.once('exit', (code, signal) => {
  if (isOver) return;
  console.log(`NOT back where it was: the data plane ended with ${code ?? signal}`);
  process.exit(1);
});
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const ports = JSON.parse((await lines.next()).value as string) as Ports;

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const many = (number: number) => number.toLocaleString('en');
const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, number]) => `${number} ${name}`)
    .join(', ');
const problems: string[] = [];
/** RSS under load. */
let resident: number[] = [];

/** Sends so many, of all kinds at once. */
async function requests(all: number): Promise<void> {
  const since = performance.now();
  const answers = new Map<number, number>();
  let sent = 0;
  await Promise.all(
    KINDS.map(async ({ share, atOnce, run }) => {
      let left = Math.round(share * all);
      const budget: Budget = {
        answers,
        take(count) {
          if (left <= 0) return false;
          left -= count;
          if (Math.floor(sent / EACH) !== Math.floor((sent + count) / EACH)) {
            resident.push(residentMemory(child.pid!));
            truncateSync(log);
          }
          sent += count;
          return true;
        },
      };
      await Promise.all(Array.from({ length: atOnce }, () => run(ports, budget)));
    }),
  );
  const seconds = (performance.now() - since) / 1_000;
  const found = [...answers].sort(([a], [b]) => a - b);
  for (const [status, number] of found) {
    if (!STATUSES.has(status)) problems.push(`${number} answers with ${status}`);
  }
  const good = (answers.get(200) ?? 0) / sent;
  if (good < LEAST_GOOD) problems.push(`${(100 * good).toFixed(1)} % of requests were answered with 200`);
  console.log(
    `${many(sent)} requests in ${seconds.toFixed(0)} s, ${many(Math.round(sent / seconds))} a second: ${found.map(([status, number]) => `${many(number)} ${status || 'given up'}`).join(', ')}`,
  );
}

async function look(calm = CALM): Promise<Held> {
  await pause(calm);
  child.stdin.write('\n');
  const held = JSON.parse((await lines.next()).value as string) as Held;
  console.log(`  waited for: ${listed(held.resources)}
  objects: ${listed(held.objects)}
  memory: ${mib(held.heap)} of heap (${mib(held.committed)} committed, ${mib(held.young)} of it young), ${mib(held.buffers)} of buffers, RSS ${mib(held.rss)}, and ${mib(held.least)} once garbage is collected and given back; RSS under load ${resident.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')}
  access log: ${many(held.lines)} lines, ${held.lost} lost`);
  for (const each of held.open) console.log(`  open: ${each}`);
  resident = [];
  return held;
}

/** What of it there is more of than before. */
const risen = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) =>
  Object.entries(after)
    .filter(([name, number]) => number > (before[name] ?? 0))
    .map(([name, number]) => `${number} ${name} where there were ${before[name] ?? 0}`);

console.log(`node ${NODE_FLAGS.join(' ')}`);
await requests(WARM_UP);
const before = await look();
await requests(REQUESTS);
const after = await look();
const left = [...risen(before.resources, after.resources), ...risen(before.objects, after.objects)];
if (left.length > 0) {
  console.log('what is left once no answer is waited for any more:');
  await look(LIMITS.response);
}
isOver = true;
child.kill();
behind.close();

const grown = after.heap + after.buffers - before.heap - before.buffers;
problems.push(...left);
if (after.defects > 0) problems.push(`${after.defects} errors thrown within`);
if (grown > MOST_GROWN) problems.push(`heap and buffers have grown by ${mib(grown)}`);
if (after.lines === 0 || after.lost > 0)
  problems.push(`${after.lines} lines of the access log, ${after.lost} lost`);
const judged = `heap and buffers ${grown < 0 ? '-' : '+'}${mib(Math.abs(grown))}, of at most ${mib(MOST_GROWN)}`;
console.log(
  problems.length === 0 ? `back where it was; ${judged}` : `NOT back where it was: ${problems.join('; ')}`,
);
process.exit(problems.length === 0 ? 0 : 1);

/**
 * What the proxy costs beside its peers: `npm run bench -- [--rounds 7] [--seconds 3] [--only get,post] [--write]`. Contenders take turns in one
 * run, each with one worker, an access log and metrics; peers are those that are installed (nginx, haproxy, envoy, traefik). Medians, with
 * the least and the most. `--write` keeps the figures, a table and a picture in tests/bench/results/,
 * beside those of works that were not run this time.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { issue } from '../../support/certificates.ts';
import { added } from './added.ts';
import { type Contender, isInstalled, type Setting, withVersion } from './contender.ts';
import { listening, loadAverage } from './measured.ts';
import { origin } from './origin.ts';
import { bundle, gatewright } from './own.ts';
import { own } from './own-figures.ts';
import { envoy } from './peers/envoy.ts';
import { haproxy } from './peers/haproxy.ts';
import { nginx } from './peers/nginx.ts';
import { traefik } from './peers/traefik.ts';
import { pinLoad, pinMeasured } from './pinned.ts';
import { Kept, type Result, table } from './report.ts';
import { type Running, WORKS, type Work } from './works.ts';

const HELP = `npm run bench -- [options]

What the proxy costs beside nginx, haproxy, envoy and traefik, where they are installed.

  --rounds 7         turns of each contender
  --seconds 3        of load in each
  --only get,post    these works alone: ${WORKS.map(({ name }) => name).join(', ')}, added, own
  --write            keep the figures, a table and a picture in tests/bench/results/
`;

function given() {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '7' },
        seconds: { type: 'string', default: '3' },
        only: { type: 'string' },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!values.help) return values;
    process.stdout.write(HELP);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exit(2);
  }
}

const values = given();
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
const RESULTS = join(import.meta.dirname, '../results');
const BACKEND = 19_000;

const folder = mkdtempSync(join(tmpdir(), 'gatewright-bench-'));
const { certificate, privateKey } = issue('infra/bench', ['*.example.com']);
writeFileSync(join(folder, 'certificate.pem'), certificate);
writeFileSync(join(folder, 'key.pem'), privateKey);
await bundle(folder);
pinLoad(process.pid);

const contenders: readonly Contender[] = [
  gatewright('http1'),
  gatewright('http1-internals'),
  gatewright('node'),
  ...[nginx, haproxy, envoy, traefik].filter(({ program }) => isInstalled(program!)),
];

const processes = new Set<ReturnType<typeof spawn>>();
function start([program, ...args]: readonly [string, ...string[]], environment = {}) {
  const env = { ...process.env, ...environment };
  // Access logs go to files, also of those that write theirs to stdout.
  const output = openSync(join(folder, `${program}-${processes.size}.out`.replaceAll('/', '-')), 'a');
  const child = spawn(program, args, { stdio: ['pipe', output, 'inherit'], env });
  closeSync(output);
  processes.add(child);
  return child;
}

const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[figures.length >> 1]!;

/** Starts all of them, each with so many routes. One that does not come up is told, and left out. */
async function startAll(routes: number): Promise<Running[]> {
  const running: Running[] = [];
  for (const [index, contender] of contenders.entries()) {
    const ports = { plain: 19_010 + 2 * index, tls: 19_011 + 2 * index };
    const setting: Setting = { folder, backendPort: BACKEND, routes, ports };
    const child = start(contender.command(setting), contender.environment);
    try {
      await listening(ports.plain);
      await listening(ports.tls);
      pinMeasured(child.pid!);
      running.push({ name: contender.name, pid: child.pid!, setting });
    } catch (error) {
      child.kill('SIGKILL');
      process.stderr.write(`\n${contender.name}: ${(error as Error).message}\n`);
      process.exitCode = 1;
    }
  }
  return running;
}

const figuresOf = (running: readonly Running[]) =>
  new Map<string, number[]>(running.map(({ name }) => [name, []]));

/** One figure of each contender. */
async function round(
  work: Work,
  running: readonly Running[],
  seconds: number,
  figures: Map<string, number[]>,
) {
  for (const each of running) {
    process.stderr.write(`\r\x1b[K${work.title}: ${each.name}`);
    try {
      const figure = await work.measure(each, seconds);
      figures.set(each.name, [...(figures.get(each.name) ?? []), figure]);
    } catch (error) {
      process.stderr.write(`\n${each.name}: ${(error as Error).message}\n`);
    }
  }
  process.stderr.write('\r\x1b[K');
}

const summary = (figures: ReadonlyMap<string, readonly number[]>) =>
  [...figures].flatMap(([name, all]) =>
    all.length > 0 ? [{ name, median: median(all), least: Math.min(...all), most: Math.max(...all) }] : [],
  );

const only = values.only?.split(',');
const works = WORKS.filter(({ name }) => !only || only.includes(name));
const versions = contenders.filter(({ program }) => program).map((each) => withVersion(each));
const machine = [
  `Node ${process.version}`,
  ...versions,
  `${cpus().length} x ${cpus()[0]!.model.trim()}`,
].join(', ');
const taken = () =>
  `${new Date().toISOString()}, ${machine}, load average ${loadAverage()}, ${ROUNDS} rounds of ${SECONDS} s`;

const kept = new Kept(RESULTS);
/** As each is there: what fails later takes nothing of it along. */
function note(result: Result): void {
  kept.add(result);
  if (values.write) kept.write();
  process.stdout.write(`${table([result])}\n`);
}

function noteAlone(name: string, figures: string): void {
  kept.addAlone(name, `# ${taken()}\n${figures}`);
  if (values.write) kept.write();
  process.stdout.write(figures);
}

/** One that fails is told, and the others are done. */
async function attempt(title: string, part: () => Promise<void>): Promise<void> {
  try {
    await part();
  } catch (error) {
    process.stderr.write(`\n${title}: ${(error as Error).stack}\n`);
    process.exitCode = 1;
  }
}

async function startWith(routes: number): Promise<Running[]> {
  start(origin(folder, BACKEND));
  await listening(BACKEND);
  return startAll(routes);
}

async function stopAll(): Promise<void> {
  for (const child of processes) child.kill('SIGKILL');
  processes.clear();
  await new Promise((resolve) => setTimeout(resolve, 500));
}

async function measureLasting(routes: number, wanted: readonly Work[]): Promise<void> {
  const running = await startWith(routes);
  for (const [index, work] of wanted.entries()) {
    await attempt(work.title, async () => {
      const figures = figuresOf(running);
      // The first round warms up; what nothing was asked of before has most to compile.
      await round(work, running, index === 0 ? 4 : 1, new Map());
      for (let i = 0; i < ROUNDS; i++) await round(work, running, SECONDS, figures);
      note({ work: work.name, taken: taken(), figures: summary(figures) });
    });
  }
}

async function measureFresh(work: Work): Promise<void> {
  const figures = new Map<string, number[]>();
  for (let i = 0; i < ROUNDS; i++) {
    await round(work, await startWith(work.routes ?? 100), SECONDS, figures);
    await stopAll();
  }
  note({ work: work.name, taken: taken(), figures: summary(figures) });
}

async function measureAdded(): Promise<void> {
  start(origin(folder, BACKEND));
  await listening(BACKEND);
  noteAlone('added', await added(folder, BACKEND, ROUNDS, SECONDS));
}

try {
  const lasting = works.filter(({ fresh }) => !fresh);
  for (const routes of new Set(lasting.map(({ routes = 100 }) => routes))) {
    const wanted = lasting.filter((work) => (work.routes ?? 100) === routes);
    await attempt(`${routes} routes`, () => measureLasting(routes, wanted));
    await stopAll();
  }
  for (const work of works.filter(({ fresh }) => fresh)) {
    await attempt(work.title, () => measureFresh(work));
    await stopAll();
  }
  if (!only || only.includes('added')) await attempt('added', measureAdded);
  await stopAll();
  if (!only || only.includes('own')) {
    await attempt('own', async () => noteAlone('own', await own(folder, BACKEND)));
  }
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}

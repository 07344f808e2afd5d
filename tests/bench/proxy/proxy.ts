/**
 * What the proxy costs beside its peers: `npm run bench -- [--rounds 7] [--seconds 3] [--only get,post] [--write]`. Contenders take turns in one
 * run, each with one worker, an access log and metrics; peers are those that are installed (nginx, haproxy, envoy, traefik). Medians, with
 * the least and the most. `--write` keeps the table and a picture of it in tests/bench/results/.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { issue } from '../../support/certificates.ts';
import { type Contender, isInstalled, type Setting } from './contender.ts';
import { listening, loadAverage } from './measured.ts';
import { origin } from './origin.ts';
import { bundle, gatewright } from './own.ts';
import { own } from './own-figures.ts';
import { envoy } from './peers/envoy.ts';
import { haproxy } from './peers/haproxy.ts';
import { nginx } from './peers/nginx.ts';
import { traefik } from './peers/traefik.ts';
import { chart, type Result, table } from './report.ts';
import { type Running, WORKS, type Work } from './works.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(values.rounds);
const SECONDS = Number(values.seconds);
const RESULTS = join(import.meta.dirname, '../results');
const BACKEND = 19_000;

const folder = mkdtempSync(join(tmpdir(), 'gatewright-bench-'));
const { certificate, privateKey } = issue('infra/bench', ['*.example.com']);
writeFileSync(join(folder, 'certificate.pem'), certificate);
writeFileSync(join(folder, 'key.pem'), privateKey);
await bundle(folder);

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

/** Starts all of them, each with so many routes. */
async function startAll(routes: number): Promise<Running[]> {
  const running: Running[] = [];
  for (const [index, contender] of contenders.entries()) {
    const ports = { plain: 19_010 + 2 * index, tls: 19_011 + 2 * index };
    const setting: Setting = { folder, backendPort: BACKEND, routes, ports };
    const { pid } = start(contender.command(setting), contender.environment);
    await listening(ports.plain);
    await listening(ports.tls);
    running.push({ name: contender.name, pid: pid!, setting });
  }
  return running;
}

async function measure(work: Work, running: readonly Running[]): Promise<Result> {
  const figures = new Map<string, number[]>(running.map(({ name }) => [name, []]));
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const each of running) {
      process.stderr.write(`\r\x1b[K${work.title}: round ${round} of ${ROUNDS}, ${each.name}`);
      try {
        const figure = await work.measure(each, round === 0 ? 1 : SECONDS);
        if (round > 0) figures.get(each.name)!.push(figure);
      } catch (error) {
        process.stderr.write(`\n${each.name}: ${(error as Error).message}\n`);
      }
    }
  }
  process.stderr.write('\r\x1b[K');
  const medians = [...figures].flatMap(([name, all]) =>
    all.length > 0 ? [{ name, median: median(all), least: Math.min(...all), most: Math.max(...all) }] : [],
  );
  return { work, figures: medians };
}

function stopAll(): void {
  for (const child of processes) child.kill('SIGKILL');
  processes.clear();
}

const only = values.only?.split(',');
const works = WORKS.filter(({ name }) => !only || only.includes(name));
const results: Result[] = [];
const began = loadAverage();
try {
  for (const routes of new Set(works.map(({ routes = 100 }) => routes))) {
    start(origin(folder, BACKEND));
    await listening(BACKEND);
    const running = await startAll(routes);
    for (const work of works.filter(({ routes: wanted = 100 }) => wanted === routes)) {
      const result = await measure(work, running);
      results.push(result);
      process.stdout.write(`${table([result])}\n`);
    }
    stopAll();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const alone = only && !only.includes('own') ? '' : await own(folder, BACKEND);
  process.stdout.write(alone);
  if (values.write) {
    const head = `# ${new Date().toISOString()}, Node ${process.version}, ${cpus().length} x ${cpus()[0]!.model.trim()}, load average ${began} before and ${loadAverage()} after
# ${ROUNDS} rounds of ${SECONDS} s, contenders in turns; figures: median (least to most), and its ratio to each peer's median, with the goal
`;
    writeFileSync(join(RESULTS, 'proxy.txt'), `${head}\n${table(results)}\n${alone}`);
    writeFileSync(join(RESULTS, 'proxy.svg'), chart(results));
  }
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}

/**
 * What a request costs: `npm run bench -- [rounds]`. Processor time (user and system) of each proxy divided by the requests it answered, with
 * 64 kept-alive connections of wrk, contenders in turns in one run, medians. Peers are those that are installed.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contender, haproxy, nginx, origin, type Setting } from './peers.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = Number(process.argv[3] ?? 3);
const CONNECTIONS = 64;
const ROUTES = Number(process.env.BENCH_ROUTES ?? 100);
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const folder = mkdtempSync(join(tmpdir(), 'gatewright-bench-'));
const setting: Setting = { folder, backendPort: 19_000, routes: ROUTES };
const isInstalled = (program: string) => spawnSync('which', [program]).status === 0;
const own = (engine: string): Contender => ({
  name: `gatewright (${engine})`,
  command: (port) => [
    process.execPath,
    '--conditions=gatewright-source',
    join(import.meta.dirname, 'gatewright.ts'),
    engine,
    String(port),
    String(setting.backendPort),
    String(ROUTES),
    join(folder, `${engine}.log`),
  ],
});

/** Microseconds of processor time that a process has used. */
function used(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens at port ${port}`);
}

function load(port: number, seconds: number): { requests: number; errors: string } {
  const script = join(folder, 'load.lua');
  writeFileSync(
    script,
    `local n = 0
request = function()
  n = (n + 7) % ${ROUTES}
  return wrk.format("GET", "/api/v" .. n .. "/items?page=2", { ["Host"] = "h" .. n .. ".example.com", ["User-Agent"] = "bench/1.0 (measuring)", ["Accept"] = "text/html,application/json;q=0.9,*/*;q=0.8", ["Accept-Encoding"] = "gzip, deflate, br", ["Accept-Language"] = "en-GB,en;q=0.7", ["Cookie"] = "session=0123456789abcdef0123456789abcdef" })
end
`,
  );
  const out = execFileSync(
    'wrk',
    ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}`],
    {
      encoding: 'utf8',
    },
  );
  return {
    requests: Number(/(\d+) requests in/.exec(out)![1]),
    errors: /Non-2xx.*|Socket errors.*/.exec(out)?.[0] ?? '',
  };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

const contenders = [
  own('http1'),
  own('node'),
  ...(isInstalled('haproxy') ? [haproxy(setting)] : []),
  ...(isInstalled('nginx') ? [nginx(setting)] : []),
];
const processes: ReturnType<typeof spawn>[] = [];
const start = ([program, ...args]: readonly [string, ...string[]]) => {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  processes.push(child);
  return child;
};
try {
  start(origin(folder, setting.backendPort));
  await listening(setting.backendPort);
  const running = contenders.map(({ name, command }, index) => {
    const port = 19_001 + index;
    return { name, port, pid: start(command(port)).pid!, costs: [] as number[], rates: [] as number[] };
  });
  for (const { port } of running) {
    await listening(port);
    load(port, 1);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, port, pid, costs, rates } of running) {
      const before = used(pid);
      const { requests, errors } = load(port, SECONDS);
      if (errors) process.stderr.write(`${name}: ${errors}\n`);
      costs.push((used(pid) - before) / requests);
      rates.push(requests / SECONDS);
    }
  }
  const base = running.find(({ name }) => name === 'haproxy');
  for (const { name, costs, rates } of running) {
    const cost = median(costs);
    const ratio = base ? `  ${(cost / median(base.costs)).toFixed(2)} x haproxy` : '';
    process.stdout.write(
      `${name.padEnd(20)} ${cost.toFixed(1).padStart(6)} CPU-µs/request ${median(rates).toFixed(0).padStart(7)}/s${ratio}\n`,
    );
  }
} finally {
  for (const each of processes) each.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** What a feature adds to the cost of a GET, on data planes that differ in nothing else. */
import { spawn } from 'node:child_process';
import { NODE_ENVIRONMENT } from '../../../gateway-runtime/control/provisioner/deployment.ts';
import type { Setting } from './contender.ts';
import { requests } from './load.ts';
import { listening, processorTime } from './measured.ts';
import { gatewright } from './own.ts';
import { pinMeasured } from './pinned.ts';

const VARIANTS = ['no log', '5,000 routes', 'ten header edits', 'a regular expression', 'a mirror'] as const;
/** Each is beside the data plane of all other figures: 100 routes by prefix, with an access log. */
export type Variant = (typeof VARIANTS)[number];

const FIRST_PORT = 19_100;
const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[figures.length >> 1]!;

/** Microseconds for each request, as lines. They take turns; each is compared with the plain one of its own round. */
export async function added(
  folder: string,
  backendPort: number,
  rounds: number,
  seconds: number,
): Promise<string> {
  const running = [undefined, ...VARIANTS].map((variant, index) => {
    const ports = { plain: FIRST_PORT + 2 * index, tls: FIRST_PORT + 2 * index + 1 };
    const setting: Setting = { folder, backendPort, routes: variant === '5,000 routes' ? 5_000 : 100, ports };
    const [program, ...args] = gatewright('http1').command(setting);
    const json = JSON.stringify({ ...JSON.parse(args.pop()!), variant });
    const env = { ...process.env, ...NODE_ENVIRONMENT };
    const child = spawn(program, [...args, json], { env, stdio: 'pipe' });
    return { variant, setting, child };
  });
  try {
    for (const { setting, child } of running) {
      await listening(setting.ports.plain);
      pinMeasured(child.pid!);
      // Compiled before it counts.
      await requests(setting, 2);
    }
    const costs = new Map<Variant | undefined, number[]>(running.map(({ variant }) => [variant, []]));
    for (let round = 0; round < rounds; round++) {
      for (const { variant, setting, child } of running) {
        const before = processorTime(child.pid!);
        const count = await requests(setting, seconds);
        costs.get(variant)!.push((processorTime(child.pid!) - before) / count);
      }
    }
    const plain = costs.get(undefined)!;
    const line = (variant: Variant) => {
      // The plain one has a log: what it adds is the other way round.
      const sign = variant === 'no log' ? -1 : 1;
      const more = costs.get(variant)!.map((cost, round) => sign * (cost - plain[round]!));
      const what = variant === 'no log' ? 'the access log' : variant;
      const goal = variant === '5,000 routes' ? ' (goal 3)' : '';
      const share = ((median(more) / median(plain)) * 100).toFixed(0);
      return `  ${what.padEnd(28)} ${median(more).toFixed(1).padStart(5)}  (${Math.min(...more).toFixed(1)} to ${Math.max(...more).toFixed(1)}), ${share} %${goal} of ${median(plain).toFixed(1)}`;
    };
    return `added to a GET, CPU-\u00b5s/request\n${VARIANTS.map(line).join('\n')}\n`;
  } finally {
    for (const { child } of running) child.kill('SIGKILL');
  }
}

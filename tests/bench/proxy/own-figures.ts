/** What only a data plane of Gatewright can be asked: its memory before and after changes, and how long one keeps the event loop. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { NODE_ENVIRONMENT } from '../../../gateway-runtime/control/provisioner/deployment.ts';
import type { Memory } from './data-plane.ts';
import { gatewright } from './own.ts';
import { pinMeasured } from './pinned.ts';

const ROUTES = 5_000;
const PORTS = { plain: 19_090, tls: 19_091 };

/** By command of `data-plane.ts`. */
interface Answers {
  readonly memory: Memory;
  readonly least: Memory;
  readonly churn: Memory;
  /** Milliseconds, in order. */
  readonly swap: readonly number[];
}
type Command = keyof Answers;

export async function own(folder: string, backendPort: number): Promise<string> {
  // Of another process: what it gives up for that would be missing in the figures behind it.
  const [bare] = await asked(folder, backendPort, ['least']);
  // Changes are made twice before they count: threads that compile have the same processor.
  const [before, ten, twenty, , times, least] = await asked(folder, backendPort, [
    'memory',
    'churn',
    'churn',
    'swap',
    'swap',
    'least',
  ]);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))]!.toFixed(2);
  const row = (when: string, held: Memory, first: Memory) => {
    const risen = held === first ? '' : ` (${percent(held.heap / first.heap - 1)})`;
    return `  ${when.padEnd(24)} heap ${mb(held.heap)}${risen}, of it code ${mb(held.code)}; committed ${mb(held.committed)}, resident ${mb(held.rss)}`;
  };
  return `${[
    `${ROUTES} routes, of which all but one go and come again`,
    row('before', before, before),
    row('after ten rounds', ten, before),
    row('after twenty', twenty, before),
    'the same after V8 gave up all that it can do without: compiled code, and pages kept for what comes',
    row('before', bare, bare),
    row('after twenty', least, bare),
    `a change of one route of ${ROUTES} keeps the event loop ${at(0.5)} ms (median of ${times.length}), ${at(0.9)} ms (p90), ${at(1)} ms (most)`,
  ].join('\n')}\n`;
}

const mb = (octets: number) => `${(octets / 1e6).toFixed(1)} MB`;
const percent = (share: number) => `${share < 0 ? '' : '+'}${(share * 100).toFixed(1)} %`;

/** What a data plane of its own answers to these commands, one after the other. */
async function asked<const Commands extends readonly Command[]>(
  folder: string,
  backendPort: number,
  commands: Commands,
): Promise<{ [Index in keyof Commands]: Answers[Commands[Index]] }> {
  const setting = { folder, backendPort, routes: ROUTES, ports: PORTS };
  const [program, ...args] = gatewright('http1').command(setting);
  const env = { ...process.env, ...NODE_ENVIRONMENT };
  const child = spawn(program, ['--expose-gc', ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    pinMeasured(child.pid!);
    const answers: unknown[] = [];
    for (const command of commands) {
      child.stdin.write(`${command}\n`);
      answers.push(JSON.parse((await lines.next()).value as string));
    }
    return answers as { [Index in keyof Commands]: Answers[Commands[Index]] };
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

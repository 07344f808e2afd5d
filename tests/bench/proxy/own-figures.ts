/** What only a data plane of Gatewright can be asked: its memory after changes, and how long one keeps the event loop. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { NODE_ENVIRONMENT } from '../../../gateway-runtime/control/provisioner/deployment.ts';
import { gatewright } from './own.ts';
import { pinMeasured } from './pinned.ts';

const ROUTES = 5_000;
const PORTS = { plain: 19_090, tls: 19_091 };

export async function own(folder: string, backendPort: number): Promise<string> {
  const [program, ...args] = gatewright('http1').command({
    folder,
    backendPort,
    routes: ROUTES,
    ports: PORTS,
  });
  const env = { ...process.env, ...NODE_ENVIRONMENT };
  const child = spawn(program, ['--expose-gc', ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    pinMeasured(child.pid!);
    const ask = async (command: string) => {
      child.stdin.write(`${command}\n`);
      return JSON.parse((await lines.next()).value as string);
    };
    // Twice before it counts: what is compiled for the first time stays.
    await ask('churn');
    const before = (await ask('churn')) as { rss: number; heap: number };
    const after = (await ask('churn')) as typeof before;
    // Likewise: threads that compile have the same processor.
    await ask('swap');
    const times = (await ask('swap')) as number[];
    const mb = (octets: number) => `${(octets / 1e6).toFixed(1)} MB`;
    const at = (share: number) => times[Math.floor(share * (times.length - 1))]!.toFixed(2);
    return `${ROUTES} routes that come and go ten times: heap ${mb(before.heap)} before, ${mb(after.heap)} after (${((after.heap / before.heap - 1) * 100).toFixed(1)} %); resident ${mb(before.rss)} and ${mb(after.rss)}
a change of one route of ${ROUTES} keeps the event loop ${at(0.5)} ms (median of ${times.length}), ${at(0.9)} ms (p90), ${at(1)} ms (most)
`;
  } finally {
    child.kill('SIGKILL');
  }
}

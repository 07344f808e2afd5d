/**
 * Constant load on an address, from a process of its own so that nothing the test does holds it up. GET and POST, each on
 * connections that are kept and on fresh ones; every answer is checked, and what failed is never tried again.
 */
import { type Client, newClient } from './client.ts';
import type { Answered, Failure, LoadPlan, Message, Tally } from './load.ts';

/** So large that it comes in more than one read. */
const BODY = Buffer.alloc(20_000, 'x');
const MOST_FAILURES = 200;
const MOST_ANSWERS = 200_000;

const answers: Answered[] = [];
const failures: Failure[] = [];
const counts = new Map<string, number>();
const pods = new Map<string, number>();
const certificates = new Set<string>();
let total = 0;
let failed = 0;
let running = true;

/** Milliseconds since 1970, so that the test's clock is the same. */
const now = () => performance.timeOrigin + performance.now();

type Method = 'GET' | 'POST';

/** Throws where the answer is not the one to this request. */
async function ask(client: Client, method: Method, path: string): Promise<void> {
  const body = method === 'POST' ? BODY : undefined;
  const { status, text, certificate } = await client.ask(method, body);
  if (certificate) certificates.add(certificate);
  if (status !== 200) throw new Error(`${status} ${text.slice(0, 200)}`);
  const { pod, ...seen } = JSON.parse(text) as { pod: string };
  if (JSON.stringify(seen) !== JSON.stringify({ method, path, length: body?.length ?? 0 })) {
    throw new Error(`another request's answer: ${text}`);
  }
  pods.set(pod, (pods.get(pod) ?? 0) + 1);
}

async function work(plan: LoadPlan, method: Method, isKept: boolean): Promise<void> {
  const kind = `${method} ${isKept ? 'kept' : 'fresh'}`;
  const client = newClient(plan, isKept);
  while (running) {
    const began = now();
    let error: string | undefined;
    try {
      await ask(client, method, plan.path);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    } catch (thrown) {
      error = (thrown as Error).message;
      failed++;
      if (failures.length < MOST_FAILURES) failures.push({ at: began, ended: now(), kind, error });
    }
    total++;
    if (answers.length < MOST_ANSWERS) answers.push({ at: began, milliseconds: now() - began, ok: !error });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, plan.pace - (now() - began))));
  }
  client.close();
}

const tally = (): Tally => ({
  total,
  failed,
  failures,
  counts: Object.fromEntries(counts),
  pods: Object.fromEntries(pods),
  certificates: [...certificates],
  answers,
});

let workers: Promise<unknown> = Promise.resolve();

process.on('message', async (message: Message) => {
  if (message.type === 'start') {
    const { plan } = message;
    workers = Promise.all(
      (['GET', 'POST'] as const).flatMap((method) =>
        [true, false].flatMap((isKept) =>
          Array.from({ length: plan.workers }, () => work(plan, method, isKept)),
        ),
      ),
    );
  } else if (message.type === 'progress') {
    process.send!({
      ...{ total, failed, kinds: [...counts.keys()], error: failures.at(-1)?.error },
      certificate: [...certificates].at(-1),
    });
  } else {
    running = false;
    await workers;
    process.send!(tally(), () => process.disconnect());
  }
});

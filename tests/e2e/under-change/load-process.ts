/**
 * Constant load on an address, from a process of its own so that nothing the test does holds it up. GET and POST, each on
 * connections that are kept and on fresh ones; every answer is checked. What failed is never tried again, and a connection goes
 * where its answer says `Connection: close`.
 */
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import type { TLSSocket } from 'node:tls';
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

type Connection = 'kept' | 'fresh';

interface Worker {
  readonly kind: string;
  readonly method: 'GET' | 'POST';
  readonly connection: Connection;
  readonly agent: PlainAgent | TlsAgent | undefined;
}

function newAgent({ ca }: LoadPlan): PlainAgent | TlsAgent {
  return ca
    ? new TlsAgent({ keepAlive: true, maxSockets: 1 })
    : new PlainAgent({ keepAlive: true, maxSockets: 1 });
}

/** The answer's text, with what has to be true of the answer checked. */
function ask(plan: LoadPlan, { method, agent }: Worker): Promise<void> {
  const { address, port, host, path, ca, timeout } = plan;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const body = method === 'POST' ? BODY : undefined;
  const options = {
    ...{ host: address, port, path, method, agent: agent ?? false, signal: AbortSignal.timeout(timeout) },
    headers: { host, ...(body ? { 'content-length': body.length } : {}) },
  };
  const call: ClientRequest = ca ? requestTls({ ...options, ca, servername: host }) : request(options);
  const on = () => (call.reusedSocket ? 'a used connection' : 'a new connection');
  call.on('error', (error) => reject(new Error(`${error.message} on ${on()}`)));
  call.on('response', (response: IncomingMessage) => {
    if (ca) certificates.add((response.socket as TLSSocket).getPeerCertificate().fingerprint256 ?? '');
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    response.on('error', (error) => reject(new Error(`${error.message} on ${on()}, in a body`)));
    response.on('end', () => {
      const problem = problemOf(response.statusCode!, text, { method, path, length: body?.length ?? 0 });
      if (problem) reject(new Error(`${problem} on ${on()}`));
      else resolve();
    });
  });
  call.end(body);
  return promise;
}

function problemOf(
  status: number,
  text: string,
  sent: { readonly method: string; readonly path: string; readonly length: number },
): string | undefined {
  if (status !== 200) return `${status} ${text.slice(0, 200)}`;
  const { pod, ...seen } = JSON.parse(text) as { pod: string };
  if (JSON.stringify(seen) !== JSON.stringify(sent)) return `another request's answer: ${text}`;
  pods.set(pod, (pods.get(pod) ?? 0) + 1);
  return undefined;
}

async function work(plan: LoadPlan, worker: Worker): Promise<void> {
  while (running) {
    const began = now();
    let error: string | undefined;
    try {
      await ask(plan, worker);
      counts.set(worker.kind, (counts.get(worker.kind) ?? 0) + 1);
    } catch (thrown) {
      error = (thrown as Error).message;
      if (failures.length < MOST_FAILURES)
        failures.push({ at: began, ended: now(), kind: worker.kind, error });
    }
    total++;
    if (error) failed++;
    if (answers.length < MOST_ANSWERS) answers.push({ at: began, milliseconds: now() - began, ok: !error });
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, plan.pace - (now() - began))));
  }
  worker.agent?.destroy();
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
        (['kept', 'fresh'] as const).flatMap((connection) =>
          Array.from({ length: plan.workers }, () => {
            const agent = connection === 'kept' ? newAgent(plan) : undefined;
            return work(plan, { kind: `${method} ${connection}`, method, connection, agent });
          }),
        ),
      ),
    );
  } else if (message.type === 'progress') {
    process.send!({
      total,
      failed,
      kinds: [...counts.keys()],
      error: failures.at(-1)?.error,
      certificate: [...certificates].at(-1),
    });
  } else {
    running = false;
    await workers;
    process.send!(tally(), () => process.disconnect());
  }
});

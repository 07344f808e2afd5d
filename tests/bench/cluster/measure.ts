/** Inside the cluster's network: see run.ts. */

import { Agent, request } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import { connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { ADMIN_PORT } from '../../../gateway-runtime/distribution/ports.ts';
import { SYSTEM } from '../../e2e/runtime/installed.ts';
import { Site } from '../../e2e/under-change/site.ts';
import { each, ManyRoutes, ROUTES } from './many.ts';
import { Watching } from './watching.ts';

const COUNTS = (process.env.COUNTS ?? '10,1000,3000').split(',').map(Number);
const SAMPLES = Number(process.env.SAMPLES ?? 40);
const SETTLED = 1000;
const OBJECTS = Number(process.env.OBJECTS ?? 10_000);
const PATIENCE = 120_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const load = () => loadavg()[0]!.toFixed(1);
const ms = (value: number) => value.toFixed(1).padStart(8);

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

const site = await Site.open();
const client = new ApiClient(connection());
const many = new ManyRoutes(site, client);
let made = 0;
let fresh = 0;

/** The status on a connection that is kept, so that all samples are of one data plane. */
function ask(agent: Agent, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const call = request({ host: site.address, port: 80, path: '/', agent, headers: { host } }, (answer) => {
    answer.resume().on('end', () => resolve(answer.statusCode!));
  });
  call.on('error', reject);
  call.end();
  return promise;
}

/** From the API server's answer to the first 200, and to the event of our own watch; milliseconds. */
async function sample(watching: Watching, agent: Agent): Promise<{ served: number; watched: number }> {
  const name = `fresh-${++fresh}`;
  const host = many.hostOf(name);
  let acked = 0;
  const written = many.put(name, fresh).then(() => {
    acked = performance.now();
  });
  for (const end = performance.now() + PATIENCE; ; ) {
    const status = await ask(agent, host);
    if (status === 200) break;
    if (status !== 404)
      throw new Error(`${host} was answered ${status}, expected nothing but 404 before 200`);
    if (performance.now() > end) throw new Error(`${host} is not served`);
  }
  const served = performance.now();
  await written;
  while (watching.first(name) === undefined) await sleep(1);
  return { served: served - acked, watched: watching.first(name)! - acked };
}

async function latency(words: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const watching = await Watching.on(client, ROUTES);
  const began = load();
  const samples: { served: number; watched: number }[] = [];
  for (let index = 0; index < SAMPLES; index++) samples.push(await sample(watching, agent));
  await watching.stop();
  agent.destroy();
  const served = samples.map((each) => each.served);
  const watched = samples.map((each) => each.watched);
  const over = samples.map((each) => each.served - each.watched);
  const cells = [served, watched, over].map(
    (values) => `${ms(quantile(values, 0.5))} ${ms(quantile(values, 0.99))}`,
  );
  say(`${String(made).padStart(6)}  ${words.padEnd(5)} ${cells.join('  | ')}  | ${began} to ${load()}`);
}

interface Gateway {
  readonly status?: {
    readonly listeners?: readonly { readonly name: string; readonly attachedRoutes: number }[];
  };
}

/** Adds routes, and tells how their statuses came about. */
async function grow(to: number): Promise<void> {
  const routes = await Watching.on(client, ROUTES);
  const gateways = await Watching.on(client, '/apis/gateway.networking.k8s.io/v1/gateways');
  const from = made;
  const began = performance.now();
  await each(to - made, (index) => many.put(`route-${from + index}`, index));
  const written = performance.now();
  const wanted = to + fresh;
  while ((await attached()) !== wanted) {
    if (performance.now() > written + PATIENCE)
      throw new Error(`found ${await attached()} routes attached, expected ${wanted}`);
    await sleep(20);
  }
  const settled = performance.now();
  // What comes late is counted too.
  await sleep(3000);
  const perRoute = routes.statusWrites();
  if (perRoute.length < to - from) throw new Error(`saw ${perRoute.length} routes, expected ${to - from}`);
  if (to - from >= SETTLED - 10) {
    const counts = new Map<number, number>();
    for (const count of perRoute) counts.set(count, (counts.get(count) ?? 0) + 1);
    const spread = [...counts].sort(([a], [b]) => a - b).map(([count, of]) => `${count}: ${of}`);
    say(
      `# ${to - from} routes written in ${((written - began) / 1000).toFixed(1)} s; attachedRoutes is right ${Math.round(settled - written)} ms after the last; ` +
        `status writes by route: { ${spread.join(', ')} }, to the Gateway: ${gateways.all('edge').length}; load average ${load()}`,
    );
  }
  await routes.stop();
  await gateways.stop();
  made = to;
}

async function attached(): Promise<number> {
  const path = await site.api.pathOf(site.gateway());
  const { status } = await client.get<Gateway>(path);
  return status?.listeners?.find(({ name }) => name === 'open')?.attachedRoutes ?? 0;
}

/** Of every replica of the control plane, the least heap in use that was seen while it works on a route that changes; in MB. */
async function heap(): Promise<number[]> {
  const { items } = await client.get<{ items: { status: { podIP: string } }[] }>(
    `/api/v1/namespaces/${SYSTEM}/pods`,
  );
  const least = items.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < 300; turn++) {
    await many.put('churn', 0, turn);
    if (turn % 3) continue;
    await Promise.all(
      items.map(async ({ status }, index) => {
        const text = await (await fetch(`http://${status.podIP}:${ADMIN_PORT}/metrics`)).text();
        const bytes = Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(text)?.[1]);
        least[index] = Math.min(least[index]!, bytes / 1e6);
      }),
    );
  }
  return least;
}

async function comeAndGo(count: number): Promise<void> {
  const batch = 1000;
  for (let done = 0; done < count; done += batch) {
    await each(batch, (index) => many.put(`gone-${done + index}`, index));
    await many.removeAll();
  }
}

async function heapAfterChange(): Promise<void> {
  await many.removeAll();
  await comeAndGo(2000);
  const before = await heap();
  const began = performance.now();
  await comeAndGo(OBJECTS);
  const took = (performance.now() - began) / 1000;
  const after = await heap();
  const words = before.map((value, index) => `${value.toFixed(1)} -> ${after[index]!.toFixed(1)} MB`);
  say(
    `# heap of the replicas after ${OBJECTS} routes came and went, in ${took.toFixed(0)} s: ${words.join(', ')}; load average ${load()}`,
  );
}

try {
  await many.open();
  await site.api.applyAll([many.grant()]);
  say(
    `# ${new Date().toISOString()}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, load average ${load()}`,
  );
  say("# milliseconds from the API server's answer to apply");
  say('routes  load   200: p50      p99  | watch: p50    p99  | over: p50     p99  | load average');
  for (const count of COUNTS) {
    await grow(count);
    await latency('idle');
    const busy = await site.load();
    await latency('busy');
    const { total, failed } = await busy.stop();
    if (failed > 0) say(`# ${failed} of ${total} requests of the load failed`);
  }
  if (OBJECTS > 0) await heapAfterChange();
} finally {
  await site.close();
  client.close();
}

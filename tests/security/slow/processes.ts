/**
 * Where the processes of a measurement run, and before whom. The gateway has processor 0 to itself where there are two, all others have the rest of
 * them: the client that is measured and its backend before the attackers, which are ordinary processes. Where root allows it, gateway, client and
 * backend are real-time processes, so that whatever else the machine has to do is no part of what is measured.
 *
 * So are, then, the threads in which the kernel carries packets where there are many, and before all others, as in earnest an interrupt is before any
 * program: otherwise those to and from the client would wait until attackers, which in earnest are on other machines, leave it the processor, and those to the
 * gateway until that has nothing to do.
 *
 * All threads of the gateway share its processor, a millisecond each, as a worker of a data plane has one processor for all of its own. Client and backend have
 * no other threads that count.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Part = 'gateway' | 'peer' | 'client' | 'backend' | 'attacker';

/** Priorities among real-time processes. */
const PRIORITIES: Partial<Record<Part, number>> = { gateway: 50, peer: 50, client: 50, backend: 40 };
/** Of the kernel's threads `ksoftirqd`. */
const PACKETS = 55;
/** Milliseconds that a thread of several with one priority has, before it is the next one's turn. */
const SLICE = '/proc/sys/kernel/sched_rr_timeslice_ms';
/** Nice value of a session, which is what counts between sessions on Linux with autogroups. */
const SESSION_NICENESS = '-20';

const has = (tool: string) => spawnSync('which', [tool]).status === 0;
export const isPinned = availableParallelism() > 1 && has('taskset');
const others = availableParallelism() > 2 ? `1-${availableParallelism() - 1}` : '1';
const prioritized = has('chrt') && spawnSync('chrt', ['--fifo', '50', 'true']).status === 0;
// Its own work is little, and others wait for it.
if (prioritized) spawnSync('chrt', ['--fifo', '--reset-on-fork', '--pid', '60', String(process.pid)]);
function kernelThreads(name: string): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,comm='], { encoding: 'utf8' });
  const isNamed = new RegExp(`^\\s*(\\d+) ${name}/\\d+$`, 'gm');
  return [...stdout.matchAll(isNamed)].map(([, pid]) => pid!);
}
if (prioritized) {
  for (const pid of kernelThreads('ksoftirqd')) {
    spawnSync('chrt', ['--fifo', '--pid', String(PACKETS), pid]);
    process.on('exit', () => spawnSync('chrt', ['--other', '--pid', '0', pid]));
  }
}
if (prioritized) {
  const before = readFileSync(SLICE, 'utf8');
  writeFileSync(SLICE, '1');
  process.on('exit', () => writeFileSync(SLICE, before));
}
/** What has no part in the measurement may disturb it. */
export const isDisturbed = !prioritized;

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

export function start(part: Part, command: readonly string[], environment = {}): ChildProcess {
  const processor = part === 'gateway' ? '0' : others;
  const [program, ...args] = isPinned ? ['taskset', '-c', processor, ...command] : command;
  const child = spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, ...environment },
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  try {
    writeFileSync(`/proc/${child.pid}/autogroup`, SESSION_NICENESS);
  } catch {
    // There are none, or only root may do that.
  }
  return child;
}

/** Before whom it runs from now on. */
export function prioritize(part: Part, pid: number): void {
  const priority = PRIORITIES[part];
  if (!prioritized || !isPinned || !priority) return;
  const how = part === 'gateway' || part === 'peer' ? ['--all-tasks', '--rr'] : ['--fifo'];
  spawnSync('chrt', [...how, '--pid', String(priority), String(pid)]);
}

/** A program of this folder, once it has said its first line. */
export async function startProgram(
  part: Part,
  name: string,
  args: readonly (string | number)[] = [],
  flags: readonly string[] = [],
) {
  const command = [...flags, '--conditions=gatewright-source', join(import.meta.dirname, name)];
  const child = start(part, [process.execPath, ...command, ...args.map(String)]);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const said = (await lines.next()).value as string;
  prioritize(part, child.pid!);
  return {
    child,
    said,
    /** What it answers to a line. */
    async ask<T>(line: string): Promise<T> {
      child.stdin!.write(`${line}\n`);
      return JSON.parse((await lines.next()).value as string);
    },
  };
}

export type Program = Awaited<ReturnType<typeof startProgram>>;

/** What a process has used, read from the kernel. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Microseconds of processor time, user and system, of all its threads. */
export function processorTime(pid: number): number {
  // Nanoseconds, where the kernel counts them for each thread; ticks of 10 ms otherwise.
  try {
    let total = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return total / 1_000;
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
  }
}

/** Microseconds for which a hypervisor had given the machine's processors to others, since it was started; 0 where nothing tells. */
export function stolenTime(): number {
  try {
    return (Number(readFileSync('/proc/stat', 'utf8').split(/\s+/)[8]) * 1e6) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Octets of memory that it has. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

export async function listening(port: number): Promise<void> {
  for (let i = 0; i < 1_200; i++) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    const isOpen = await promise;
    socket.destroy();
    if (isOpen) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`nothing listens at port ${port}`);
}

export const loadAverage = () => readFileSync('/proc/loadavg', 'utf8').split(' ')[0]!;

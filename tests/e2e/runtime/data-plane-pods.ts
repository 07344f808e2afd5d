/** Pods of data planes of a cluster of our own, down to the worker that has a client's connection. */
import { readdirSync, readFileSync } from 'node:fs';
import { inodesOfSockets } from '../../support/processes.ts';

const WORKER = 'worker';

export interface DataPlanePod {
  readonly name: string;
  readonly ip: string;
}

/** Process ids of the workers of a pod: the address is one of its network. */
export function workersOf({ ip }: DataPlanePod): number[] {
  const local = new RegExp(`-- ${ip.replaceAll('.', '\\.')}\\n\\s+/32 host LOCAL`);
  return readdirSync('/proc')
    .filter((pid) => {
      try {
        const [, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return args.includes(WORKER) && local.test(readFileSync(`/proc/${pid}/net/fib_trie`, 'utf8'));
      } catch {
        // It is no process, or ended while we looked.
        return false;
      }
    })
    .map(Number);
}

/** Whether the process has the connection whose client's port is this. */
export function hasClient(pid: number, port: number): boolean {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let inodes: string[] = [];
  let own = new Set<string>();
  try {
    inodes = ['tcp', 'tcp6']
      .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , to]) => to?.endsWith(remote))
      .map((fields) => fields[9]!);
    own = inodesOfSockets(pid);
  } catch {
    // It has ended.
  }
  return inodes.some((inode) => own.has(inode));
}

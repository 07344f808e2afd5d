/**
 * What there is of a cluster on this machine, found without any record of it: processes by a mark in their environment,
 * control groups by their name, and its folder. Everything else (mounts, networks) ends with the processes.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, controlGroup } from './settings.ts';

/** The machine itself, and clients that were started inside its network. */
type Role = 'machine' | 'client';

const mark = (role: Role) => `GATEWRIGHT_CLUSTER_${role.toUpperCase()}`;

/** What to add to the environment of a process so that it is found. */
export const marked = (role: Role, cluster: Cluster) => ({ [mark(role)]: cluster.folder });

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process ended while we looked.
    return '';
  }
}

function processes(role: Role, cluster: Cluster): number[] {
  const variable = `${mark(role)}=${cluster.folder}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/environ`).split('\0').includes(variable))
    .map(Number);
}

/** State letter and parent; see proc(5). Nothing where the process is gone. */
function statOf(pid: number): { state: string; parent: number } | undefined {
  const [state, parent] = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return state && state !== 'Z' && state !== 'X' ? { state, parent: Number(parent) } : undefined;
}

function ancestors(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 0; pid = statOf(pid)?.parent ?? 0) found.add(pid);
  return found;
}

/** The process whose network is the fabric; nothing where the cluster does not run. */
export function machineOf(cluster: Cluster): number | undefined {
  const all = new Set(processes('machine', cluster));
  return [...all].find((pid) => !all.has(statOf(pid)?.parent ?? 0));
}

/** Those of others come and go while we look. */
function foldersBelow(folder: string): string[] {
  let names: string[] = [];
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
  return names.flatMap((name) => [...foldersBelow(name), name]);
}

const controlGroups = (cluster: Cluster) =>
  foldersBelow('/sys/fs/cgroup').filter((folder) => folder.split('/').includes(controlGroup(cluster)));

export interface Leftovers {
  readonly processes: readonly number[];
  /** The innermost first. */
  readonly controlGroups: readonly string[];
  /** Undefined where there is none. */
  readonly folder: string | undefined;
}

export function leftoversOf(cluster: Cluster): Leftovers {
  const own = ancestors();
  return {
    processes: [...processes('machine', cluster), ...processes('client', cluster)].filter(
      (pid) => !own.has(pid),
    ),
    controlGroups: controlGroups(cluster),
    folder: existsSync(cluster.folder) ? cluster.folder : undefined,
  };
}

export const isNothing = (found: Leftovers) =>
  found.processes.length + found.controlGroups.length === 0 && !found.folder;

/** How long the kernel may take to end what was killed, in milliseconds: one waits for what it had to write, too. */
export const ENDS_WITHIN = 60_000;

/** A process that should be gone: what it is, its state as proc(5) has it, and where the kernel has it wait. */
const described = (pid: number): string =>
  `${pid} (${read(`/proc/${pid}/comm`).trim()}, state ${statOf(pid)?.state}, in ${read(`/proc/${pid}/wchan`) || 'nothing'})`;

/**
 * Ends and deletes all of it; an error where something remains. It blocks, so that it can be done while this process
 * ends and nothing can be started meanwhile.
 */
export function removeLeftovers(cluster: Cluster): void {
  const { processes: pids } = leftoversOf(cluster);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended with another that was killed before it.
    }
  }
  // The first process of a namespace is there until all others in it have ended.
  waitUntil(() => {
    const alive = pids.filter((pid) => statOf(pid));
    return alive.length > 0 ? `these processes do not end: ${alive.map(described).join(', ')}` : undefined;
  });
  waitUntil(() => {
    try {
      for (const folder of controlGroups(cluster)) rmdirSync(folder);
    } catch (error) {
      return (error as Error).message;
    }
  });
  rmSync(cluster.folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Blocks until there is no problem. */
function waitUntil(problem: () => string | undefined): void {
  const end = performance.now() + ENDS_WITHIN;
  for (let found = problem(); found; found = problem()) {
    if (performance.now() > end) throw new Error(`Something of the cluster remains: ${found}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

/** What can happen to the machines of a cluster of our own: a node's link is cut, the control plane of Kubernetes stands still. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { run } from '../../cluster/command.ts';

/** Only a cluster that the tests made may be broken. */
export const isOurCluster = Boolean(process.env.GATEWRIGHT_E2E_OWN_CLUSTER);

/** Cuts the link of a node at its far end, and returns what mends it. Pods of the node go on among themselves. */
export async function cutLink(node: string): Promise<() => Promise<void>> {
  await run('ip', ['link', 'set', node, 'down']);
  return async () => {
    await run('ip', ['link', 'set', node, 'up']);
  };
}

const CONTROLLERS = 'kube-controller-manager';
const PROGRAMS = ['kube-apiserver', CONTROLLERS, 'kube-scheduler'];

const ourNetwork = readlinkSync('/proc/self/ns/net');

/** Process id of a program of Kubernetes' control plane: it runs in our network, which no other cluster has. */
function processOf(program: string): number {
  const found = readdirSync('/proc').filter((pid) => {
    try {
      const [path = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return basename(path) === program && readlinkSync(`/proc/${pid}/ns/net`) === ourNetwork;
    } catch {
      // It is no process, or ended while we looked.
      return false;
    }
  });
  if (found.length !== 1) throw new Error(`found processes ${found} of ${program}, expected one`);
  return Number(found[0]);
}

/**
 * Has the API server stand still, with what works beside it: connections stay open, and nothing is answered. Returns what lets
 * it go on, once. The controllers start afresh then, as where they elect a leader: those that couldn't renew their lease end. Ones that
 * merely woke up would take all nodes for lost, for the minute without news of them, and all endpoints for unready.
 */
export function pauseApiServer(): () => void {
  const processes = new Map(PROGRAMS.map((program) => [program, processOf(program)]));
  for (const pid of processes.values()) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const [program, pid] of processes)
      process.kill(pid, program === CONTROLLERS ? 'SIGKILL' : 'SIGCONT');
    processes.clear();
  };
}

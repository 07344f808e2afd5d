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

const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

const ourNetwork = readlinkSync('/proc/self/ns/net');

/** Process ids of Kubernetes' control plane: it runs in our network, which no other cluster has. */
function processesOf(programs: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return programs.includes(basename(program)) && readlinkSync(`/proc/${pid}/ns/net`) === ourNetwork;
      } catch {
        // It ended while we looked.
        return false;
      }
    })
    .map(Number);
}

/**
 * Has the API server stand still, with what works beside it: connections stay open, and nothing is answered. Returns what lets
 * it go on.
 */
export function pauseApiServer(): () => void {
  const pids = processesOf(PROGRAMS);
  if (pids.length !== PROGRAMS.length)
    throw new Error(`found processes ${pids}, expected one of each of ${PROGRAMS}`);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
}

/** What Linux knows of processes and their connections. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** States of a connection in /proc/net/tcp: one over which both sides can send. */
const ESTABLISHED = '01';

/** Children of a process that still run. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number).filter(isRunning);
}

/** What ended and was not asked for its end yet does not run. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The clients' ports of the connections that a process has accepted at a port of 127.0.0.1. */
export function clientsOf(pid: number, port: number): Set<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const clients = new Map<string, number>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, from, to, state, , , , , , inode] = line.trim().split(/\s+/);
    if (from === local && state === ESTABLISHED) clients.set(inode!, Number.parseInt(to!.slice(-4), 16));
  }
  const found = new Set<number>();
  for (const inode of inodesOfSockets(pid)) {
    const client = clients.get(inode);
    if (client !== undefined) found.add(client);
  }
  return found;
}

/** By which /proc/net names the sockets of a process. */
export function inodesOfSockets(pid: number): Set<string> {
  const found = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let name = '';
    try {
      name = readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // It was closed meanwhile.
    }
    const inode = /^socket:\[(\d+)\]$/.exec(name)?.[1];
    if (inode !== undefined) found.add(inode);
  }
  return found;
}

/** A processor for what is measured, and the others for all else: no proxy waits for the load's turn, and none has more than one. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { isInstalled } from './contender.ts';

const last = cpus().length - 1;
const canPin = last > 0 && isInstalled('taskset');

function pin(processors: string, pid: number): void {
  if (canPin) execFileSync('taskset', ['-a', '-c', '-p', processors, String(pid)], { stdio: 'ignore' });
}

export const pinMeasured = (pid: number): void => pin('0', pid);

/** What it starts from now on comes along. */
export const pinLoad = (pid: number): void => pin(`1-${last}`, pid);

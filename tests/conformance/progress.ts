/** Runs the suite and tells of each test as it ends. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { say } from '../cluster/progress.ts';

/** A line of a test of its own, not of one of its parts. What is for programs begins with a control character. */
const ENDED = /^\P{L}*--- (PASS|FAIL): TestConformance\/([^/ ]+) \((.*)\)$/u;

export interface SuiteEnd {
  /** Exit status. */
  readonly status: number;
  /** Names of tests. */
  readonly passed: ReadonlySet<string>;
}

/** How the suite ended. All that it says goes into the log. */
export async function runSuite(program: string, flags: readonly string[], log: string): Promise<SuiteEnd> {
  const child = spawn(program, flags, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Dates in the report are of no place.
    env: { ...process.env, TZ: 'UTC' },
  });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const passed = new Set<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, verdict, name, time] = ENDED.exec(line) ?? [];
    if (!verdict) return;
    if (verdict === 'PASS') passed.add(name!);
    say(verdict === 'PASS' ? `  ${passed.size} passed: ${name} (${time})` : `  FAILED: ${name} (${time})`);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      file.end();
      resolve({ status: status ?? 1, passed });
    });
  });
}

/**
 * The mutation check: plants each bug of `planted.ts` in a copy of the tree, runs the tests that are there for it, or the cases, and
 * demands that something fails. Property tests are left out: what they find depends on what they were lucky to try. `npm run mutation`, or
 * `npm run mutation -- precedence` for those whose file, sentence or tests have that in it. Prints a table; exit code 1 where a bug goes
 * unnoticed or a mutant does not apply.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Mutant } from './mutants.ts';
import { fileOf, PLANTED, staleness } from './planted.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LEFT_OUT = new Set(['node_modules', '.git', 'dist']);
const CASES = ['tests/cases-runner/cases.test.ts'];
/** Once over HTTP/1.1: what is planted for HTTP/2 has tests of its own, and to ask all of it twice takes twice as long. */
const ONCE = '--testNamePattern=(?<!over HTTP/2)$';
/** Of the comparison of configurations, on which no request depends. */
const DIFF_CASES = ['tests/diff-cases', 'tests/unit/diff'];

interface Verdict {
  readonly mutant: Mutant;
  /** What noticed it: `its own tests` or `cases`; undefined where nothing did. */
  readonly by?: string;
  readonly failures: readonly Failure[];
  readonly problem?: string;
}

interface JestReport {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function copyOfTree(folder: string): void {
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (source) =>
      !relative(ROOT, source)
        .split('/')
        .some((part) => LEFT_OUT.has(part)),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

interface Failure {
  readonly test: string;
  readonly why: string;
}

/** The tests that fail; at most for so many milliseconds. A suite that can't even start fails as a whole. */
async function failuresOf(folder: string, tests: readonly string[], limit?: number): Promise<Failure[]> {
  const report = join(folder, 'mutation-report.json');
  rmSync(report, { force: true });
  const jest = [
    ...['--conditions=gatewright-source', '--experimental-vm-modules', '--no-warnings=ExperimentalWarning'],
    'node_modules/jest/bin/jest.js',
    '--config=tests/mutation/jest.config.js',
    ...['--maxWorkers=1', '--forceExit', '--silent', '--json', `--outputFile=${report}`],
    ONCE,
    ...tests,
  ];
  const child = spawn(process.execPath, jest, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-2000);
  });
  const tooLong = limit === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), limit);
  const [, signal] = await once(child, 'close');
  clearTimeout(tooLong);
  if (limit !== undefined && signal === 'SIGKILL') return [{ test: 'they do not end', why: '' }];
  let read: JestReport;
  try {
    read = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new Error(`jest gave no report: ${complaint}`);
  }
  return read.testResults.flatMap(({ message, assertionResults }) => {
    const failed = assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({ test: fullName, why: failureMessages.join('\n') }));
    if (failed.length > 0 || !message) return failed;
    return [{ test: message.trim().split('\n')[0]!, why: message }];
  });
}

async function judge(folder: string, mutant: Mutant, limit: number): Promise<Verdict> {
  const file = fileOf(mutant, folder);
  const source = readFileSync(file, 'utf8');
  const problem = staleness(mutant, source);
  if (problem !== undefined) return { mutant, failures: [], problem };
  writeFileSync(
    file,
    source.replace(mutant.find, () => mutant.replace),
  );
  try {
    const cases = mutant.file.startsWith('diff/') ? DIFF_CASES : CASES;
    const failures = await failuresOf(folder, mutant.tests ?? cases, limit);
    const by = mutant.tests ? 'its own tests' : 'cases';
    return failures.length > 0 ? { mutant, by, failures } : { mutant, failures };
  } finally {
    writeFileSync(file, source);
  }
}

function inWords({ mutant, by, failures, problem }: Verdict): string {
  const outcome =
    problem ??
    (by ? `noticed by ${by}: ${failures.length} tests fail, such as ${failures[0]?.test}` : 'NOT NOTICED');
  return `${mutant.file.padEnd(24)} ${mutant.about}\n${' '.repeat(25)}${outcome}`;
}

async function main(only: string): Promise<number> {
  const chosen = PLANTED.filter(({ about, file, tests = [] }) =>
    [file, about, ...tests].join(' ').includes(only),
  );
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-mutation-'));
  const started = performance.now();
  try {
    const workers = Math.min(2, availableParallelism());
    const trees = Array.from({ length: workers }, (_, index) => join(folder, `tree-${index}`));
    for (const tree of trees) copyOfTree(tree);
    const own = chosen.flatMap(({ tests = [] }) => tests);
    const before = await failuresOf(trees[0]!, [...new Set([...CASES, ...DIFF_CASES, ...own])]);
    if (before.length > 0) {
      const told = before.map(({ test, why }) => `${test}\n${why.slice(0, 2000)}`);
      console.error(`tests fail without any mutant:\n  ${told.join('\n  ')}`);
      return 1;
    }
    // All that are asked for have ended by now: any of them alone is quicker.
    const limit = 2 * (performance.now() - started) + 60_000;
    const waiting = [...chosen];
    const verdicts: Verdict[] = [];
    await Promise.all(
      trees.map(async (tree) => {
        for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
          const verdict = await judge(tree, mutant, limit);
          verdicts.push(verdict);
          console.log(inWords(verdict));
        }
      }),
    );
    const noticed = verdicts.filter(({ by }) => by).length;
    for (const verdict of verdicts) if (!verdict.by) console.log(`\nleft: ${inWords(verdict)}`);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`\n${noticed} of ${chosen.length} planted bugs noticed, in ${seconds} s`);
    return noticed === chosen.length && chosen.length > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv[2] ?? '');

/**
 * `npm run fuzz [-- --minutes N --seed N --corpus FOLDER]`: coverage-guided fuzzing of the readers of heads, chunks, whole connections, targets, ClientHellos and answers of authorization services. Inputs that
 * reach what no other did are kept in the corpus (default: ~/.cache/gatewright/fuzz) and mutated further. What fails is made small and put into
 * `finds/`, from where it is a case of `finds.test.ts`.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generator } from '../support/random.ts';
import { Coverage } from './coverage.ts';
import { minimized, mutated } from './mutate.ts';
import { FINDS, seedsOf } from './seeds.ts';
import { TARGETS, type Target } from './targets.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, corpus: { type: 'string' } },
});
const MINUTES = Number(values.minutes ?? 1);
const SEED = Number(values.seed ?? Date.now() % 1_000_000);
const CORPUS = values.corpus ?? join(homedir(), '.cache', 'gatewright', 'fuzz');
/** Inputs between two looks at the coverage, which cost as much as some hundreds of them. */
const BATCH = 512;
/** Of one target; more say nothing new. */
const MOST_FINDS = 5;
const FILES = [
  '/chunked-body.ts',
  '/client-hello.ts',
  '/head-reader.ts',
  '/head.ts',
  '/request-reader.ts',
  '/request-target.ts',
  '/normalize.ts',
  '/hop-by-hop.ts',
  '/protobuf-reader.ts',
  '/check-response.ts',
  '/unread.ts',
];

const nameOf = (octets: Buffer) => createHash('sha1').update(octets).digest('hex').slice(0, 12);

function problemOf(target: Target, octets: Buffer, cut: number): string | undefined {
  try {
    target.check(octets, cut);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function fuzz(name: string, target: Target, until: number, random: () => number): number {
  const folder = join(CORPUS, name);
  mkdirSync(folder, { recursive: true });
  const coverage = new Coverage(FILES);
  coverage.start();
  const corpus = [...seedsOf(name), ...readdirSync(folder).map((file) => readFileSync(join(folder, file)))];
  const begun = corpus.length;
  let runs = 0;
  let finds = 0;
  const run = (octets: Buffer) => {
    runs++;
    const cut = Math.floor(random() * (octets.length + 1));
    const problem = problemOf(target, octets, cut);
    if (problem === undefined) return;
    finds++;
    const fails = (smaller: Buffer) => {
      for (let at = 0; at <= smaller.length; at++)
        if (problemOf(target, smaller, at) !== undefined) return true;
      return false;
    };
    const small = minimized(octets, fails);
    mkdirSync(FINDS, { recursive: true });
    const file = join(FINDS, `${name}-${nameOf(small)}.bin`);
    writeFileSync(file, small);
    console.log(`${name}: ${problem}\n  ${JSON.stringify(small.toString('latin1'))}\n  kept as ${file}`);
  };
  /** Runs them, and keeps those that reach what none before them did. */
  const explore = (inputs: readonly Buffer[]): void => {
    for (const octets of inputs) run(octets);
    const parts = coverage.fresh();
    if (parts.length === 0) return;
    if (inputs.length > 1) {
      explore(inputs.slice(0, inputs.length >> 1));
      explore(inputs.slice(inputs.length >> 1));
      return;
    }
    const octets = inputs[0]!;
    coverage.note(parts);
    corpus.push(octets);
    writeFileSync(join(folder, nameOf(octets)), octets);
  };
  for (const octets of corpus) run(octets);
  coverage.note(coverage.fresh());
  const initial = coverage.size;
  while (performance.now() < until && finds < MOST_FINDS) {
    explore(
      Array.from({ length: BATCH }, () =>
        mutated(corpus[Math.floor(random() * corpus.length)]!, corpus, random),
      ),
    );
  }
  console.log(
    `${name}: ${runs.toLocaleString('en')} inputs, ${corpus.length - begun} new in the corpus of ${corpus.length}, coverage ${initial} to ${coverage.size}, ${finds} finds`,
  );
  return finds;
}

console.log(`seed ${SEED}, ${MINUTES} minutes, corpus in ${CORPUS}`);
let finds = 0;
const each = (MINUTES * 60_000) / Object.keys(TARGETS).length;
for (const [name, target] of Object.entries(TARGETS)) {
  finds += fuzz(name, target, performance.now() + each, generator(SEED));
}
process.exitCode = finds === 0 ? 0 : 1;

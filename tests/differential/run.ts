/**
 * `npm run differential [-- --runs N --seed N --require ORIGINS --install]`: messages picked by hand and generated ones through the engine to
 * every origin that is installed here (nginx, haproxy, Apache httpd, gunicorn and Go's net/http beside Node), and responses back to readers of
 * different make. Without one that is required (`nginx,haproxy,apache,gunicorn,go,node`) it fails; `--install` gets what needs no
 * root, which is gunicorn. See README.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { CommandError } from '../cluster/command.ts';
import { REQUEST, RESPONSE } from '../property/messages.ts';
import { installGunicorn } from './gunicorn.ts';
import { PICKED, SPLIT } from './messages.ts';
import { PICKED_RESPONSES } from './messages-back.ts';
import { goProgram, installedOrigins, ORIGINS, type Origin, pythonReader } from './origins.ts';
import { compareRequests, type Message, type Tally } from './requests.ts';
import { compareResponses } from './responses.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    require: { type: 'string' },
    install: { type: 'boolean', default: false },
  },
});
const REQUIRED = values.require?.split(',') ?? [];
const unknown = REQUIRED.filter((id) => !ORIGINS.includes(id));
if (unknown.length > 0) {
  console.log(`no origins: ${unknown.join(', ')}; there are ${ORIGINS.join(', ')}`);
  process.exit(2);
}
const RUNS = Number(values.runs ?? 3_000);
const SEED = Number(values.seed ?? 1);
const LANES = 8;
/** Generated messages that come octet by octet: every so many. */
const IN_PIECES = 4;
const LONGEST_IN_PIECES = 400;

const everyCut = (text: string) => Array.from({ length: text.length - 1 }, (_, index) => index + 1);

function messages(): Message[] {
  const generated = fc.sample(REQUEST, { numRuns: RUNS, seed: SEED }).map((text, index) => ({
    what: `generated message ${index}`,
    text,
    cuts: index % IN_PIECES === 0 && text.length <= LONGEST_IN_PIECES ? everyCut(text) : [],
  }));
  const split = SPLIT.flatMap((text, which) =>
    everyCut(text).map((cut) => ({ what: `split message ${which} at ${cut}`, text, cuts: [cut] })),
  );
  return [...PICKED.map(([what, text]) => ({ what, text })), ...split, ...generated];
}

function printRequests({ framed, refused, answers }: Tally): void {
  console.log(
    `answers: ${[...answers]
      .sort()
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
  );
  for (const [name, count] of framed) {
    const kinds = [...(refused.get(name) ?? [])];
    const total = kinds.reduce((sum, [, each]) => sum + each, 0);
    console.log(`${name}: ${count} requests framed as forwarded, ${total} refused by it`);
    for (const [kind, each] of kinds.slice(0, 12)) console.log(`  ${each} x ${kind}`);
  }
}

/** What is different, each as a sentence. */
async function compare(origins: readonly Origin[]): Promise<string[]> {
  const requests = messages();
  console.log(`requests: ${requests.length} messages to each, seed ${SEED}`);
  const tally = await compareRequests(origins, requests, LANES);
  printRequests(tally);
  const go = goProgram(folder);
  const python = pythonReader();
  const responses = [
    ...PICKED_RESPONSES.map(([what, text]) => ({ what, text })),
    ...fc
      .sample(RESPONSE, { numRuns: RUNS, seed: SEED })
      .map((text, index) => ({ what: `generated response ${index}`, text })),
  ];
  const readers = [
    ...(go ? [{ name: 'go net/http', command: [go, 'read'] as const }] : []),
    ...(python ? [{ name: 'python http.client', command: python }] : []),
  ];
  console.log(
    `responses: ${responses.length}, read by ${['a reader of our own', ...readers.map(({ name }) => name)].join(', ')}`,
  );
  const result = await compareResponses(responses, readers, LANES);
  console.log(`${result.passed} passed on, ${result.refused} answered 502 or cut`);
  return [...tally.problems, ...result.problems];
}

const folder = mkdtempSync(join(tmpdir(), 'gatewright-differential-'));
try {
  if (values.install) await installGunicorn();
  const { origins, named, missing } = await installedOrigins(folder, REQUIRED);
  console.log(
    `origins: ${named.join(', ')}${missing.length ? `; not installed: ${missing.join(', ')}` : ''}`,
  );
  const lacking = REQUIRED.filter((id) => missing.includes(id));
  if (lacking.length > 0) {
    console.log(`required, and not installed: ${lacking.join(', ')}`);
    process.exitCode = 1;
  } else {
    const problems = await compare(origins).finally(() =>
      Promise.all(origins.map((origin) => origin.close())),
    );
    for (const problem of problems.slice(0, 20)) console.log(`\n${problem}`);
    console.log(problems.length === 0 ? 'no difference' : `\n${problems.length} differences`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.log(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

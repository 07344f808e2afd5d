/** The part of a conformance run that is a client of the cluster: installs the runtime, runs the suite, judges and keeps reports. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import { CACHE } from '../../scripts/image/cache.ts';
import { eventually } from '../cluster/command.ts';
import { say, secondsSince } from '../cluster/progress.ts';
import { KubeApi } from '../e2e/kube-api.ts';
import { CLASS, installRuntime } from '../e2e/runtime/installed.ts';
import { runSuite } from './progress.ts';
import { testList } from './suite.ts';
import { problems, type Report, summary, type TestList } from './verdict.ts';

const REPORTS = join(import.meta.dirname, 'reports');
const RUNS = join(REPORTS, 'runs.yaml');
const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
) as { version: string };
/** As reports of implementations are called. */
const KEPT = join(REPORTS, `experimental-v${version}-default-report.yaml`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '1' },
    test: { type: 'string' },
    features: { type: 'string' },
    debug: { type: 'boolean' },
    keep: { type: 'boolean' },
    'usable-address': { type: 'string', default: '' },
    'unusable-address': { type: 'string', default: '' },
  },
});
const program = positionals[0]!;
/** Milliseconds. */
const CLEANUP = 300_000;
/** Runs in clusters of other names may be under way. */
const logs = join(CACHE, 'conformance', process.env.GATEWRIGHT_E2E_CLUSTER || 'conformance');
const reportOf = (run: number) => join(logs, `report-${run}.yaml`);

/** Names between commas. */
const names = (text: string | undefined): string[] => text?.split(',').filter(Boolean) ?? [];

/** Of all tests those that are wanted: the suite can be told one to run, or others to leave out. */
function selection({ tests }: TestList): string[] {
  const wanted = names(values.test);
  const unknown = wanted.filter((name) => !tests.some((test) => test.name === name));
  if (unknown.length > 0) throw new Error(`--test: the suite has no ${unknown.join(', ')}`);
  if (wanted.length <= 1) return wanted.map((name) => `-run-test=${name}`);
  const others = tests.map(({ name }) => name).filter((name) => !wanted.includes(name));
  return [`-skip-tests=${others.join()}`];
}

const flags = (report: string, list: TestList, claimed: readonly string[]) => [
  // Tells of each test as it ends.
  '-test.v=test2json',
  '-test.run=^TestConformance$',
  '-test.timeout=40m',
  `-gateway-class=${CLASS}`,
  `-conformance-profiles=${list.profiles.map(({ name }) => name).join()}`,
  `-usable-address=${values['usable-address']}`,
  `-unusable-address=${values['unusable-address']}`,
  ...(values.debug ? ['-debug'] : []),
  ...selection(list),
  ...(values.features ? [`-supported-features=${[...claimed, ...names(values.features)].join()}`] : []),
  `-report-output=${report}`,
  '-mode=default',
  '-organization=gatewright',
  '-project=gatewright',
  '-url=https://gatewright.dev',
  `-version=v${version}`,
  '-contact=@gatewright/maintainers',
];

/** What the GatewayClass says that it supports: the suite goes by it too. */
async function claimedFeatures(api: KubeApi): Promise<string[]> {
  const { status } = await api.get<{ status: { supportedFeatures?: readonly { name: string }[] } }>(
    `/apis/gateway.networking.k8s.io/v1/gatewayclasses/${CLASS}`,
  );
  return (status.supportedFeatures ?? []).map(({ name }) => name);
}

/** The suite does not wait for what it deletes at its end, and can't begin anew before that is gone. */
function leftNothing(api: KubeApi): Promise<void> {
  return eventually(CLEANUP, async () => {
    const { items } = await api.get<{ items: { metadata: { name: string }; status: { phase: string } }[] }>(
      '/api/v1/namespaces',
    );
    const left = items.filter(({ status }) => status.phase === 'Terminating');
    if (left.length > 0) {
      throw new Error(
        `The suite's namespaces don't go away: ${left.map(({ metadata }) => metadata.name).join(', ')}`,
      );
    }
  });
}

interface Outcome {
  readonly date: string;
  readonly minutes: number;
  readonly result: string;
}

async function main(api: KubeApi): Promise<boolean> {
  const list = await testList(program);
  const claimed = await claimedFeatures(api);
  const outcomes: Outcome[] = [];
  let good = true;
  for (let run = 1; run <= Number(values.runs); run++) {
    const start = performance.now();
    const date = new Date().toISOString();
    const file = reportOf(run);
    rmSync(file, { force: true });
    const log = join(logs, `run-${run}.log`);
    await leftNothing(api);
    const { status, passed } = await runSuite(program, flags(file, list, claimed), log);
    if (values.test) {
      say(`${values.test} ${status === 0 ? 'passed' : `FAILED, see ${log}`} after ${secondsSince(start)}`);
      good &&= status === 0;
      continue;
    }
    const report = readReport(file);
    if (!report) {
      say(`The suite ended with ${status} and without a report, see ${log}`);
      return false;
    }
    const found = problems(report, list, claimed, passed);
    const minutes = Math.round((performance.now() - start) / 6000) / 10;
    outcomes.push({ date, minutes, result: summary(report, list, claimed, passed) });
    say(`run ${run}: ${outcomes.at(-1)!.result}, ${minutes} minutes`);
    for (const problem of found) say(`  ${problem}`);
    if (status !== 0) say(`  The suite ended with ${status}, see ${log}`);
    good &&= found.length === 0 && status === 0;
  }
  if (good && values.keep) {
    writeFileSync(KEPT, readFileSync(reportOf(outcomes.length)));
    writeFileSync(RUNS, `# The last runs that all succeeded, one after another.\n${stringify(outcomes)}`);
  }
  return good;
}

function readReport(file: string): Report | undefined {
  try {
    return parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

mkdirSync(logs, { recursive: true });
mkdirSync(REPORTS, { recursive: true });
const start = performance.now();
const api = await KubeApi.connect();
let uninstall = async () => {};
try {
  uninstall = await installRuntime(api, { replicas: 2 });
  say(`The runtime is ready after ${secondsSince(start)}`);
  process.exitCode = (await main(api)) ? 0 : 1;
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
} finally {
  await uninstall().catch((error: Error) => say(error.message));
  api.close();
}

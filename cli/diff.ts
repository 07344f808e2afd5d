/** `gatewright diff`: which requests go another way with one state of files, an app or a cluster than with another. */

import type { Command } from 'commander';
import { LocalCertificates } from '../gateway-runtime/control/certificates.ts';
import { diffText, summaryText } from '../gateway-runtime/diff/text.ts';
import { wrapped } from '../gateway-runtime/explain/wrapped.ts';
import { type ComparedRegion, compared, creationTimes } from '../gateway-runtime/preview/compared.ts';
import {
  type Judged,
  judged,
  type Refusable,
  unusedText,
} from '../gateway-runtime/preview/traffic-policy.ts';
import { approvalsOf } from './diff/approvals-file.ts';
import { refusalText, refuseOption } from './diff/refusal.ts';
import { CLUSTER, readSide, type Side } from './diff/side.ts';
import { type ReadingFlags, withReadingOptions } from './reading-options.ts';
import { severityStyle } from './show/severity-style.ts';
import { CommandError, EXIT, print, tell, tellProblem, WIDTH } from './terminal.ts';

interface Flags extends ReadingFlags {
  readonly prune?: true;
  readonly refuse?: readonly Refusable[];
  /** A file. */
  readonly approve?: string;
}

export function define(command: Command): void {
  withReadingOptions(
    command
      .argument('<old>', 'a manifest, a folder, an app, a git revision of one (HEAD~1:path), or cluster')
      .argument('<new>', 'the same')
      .option('--prune', 'with cluster as <old>: what <new> does not have is deleted')
      .addOption(refuseOption())
      .option('--approve <file>', 'what of that is meant: a list of host, path and why'),
  )
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  gatewright diff HEAD:app.ts app.ts
  gatewright diff origin/main:manifests manifests
  gatewright diff cluster manifests/
  gatewright diff old/ new/ --json
  gatewright diff HEAD:app.ts app.ts --refuse lost,cross-team --approve ok.yaml

Says which requests get another outcome: lost (an error now), moved (another
backend), altered (other shares, filters, limits) and new, each with a request
that shows it, and the teams that it touches. Nothing is sampled: paths, hosts,
methods, headers and query parameters are compared as sets, and an expression
of which no request was found is called possible. Connections that TLSRoutes
pass on are compared by their server name; GRPCRoutes, TCPRoutes and UDPRoutes
are not served, and not compared. A path of a git revision is
relative to the repository, or begins with ./. The cluster is that of the
kubeconfig; nothing is written to it, and files are compared as if they were
applied over what it has.

--refuse takes lost, moved, altered, new, and cross-team: what touches a team
that changed nothing. --approve names a file of the repository that lists what
is meant, in YAML or JSON: - { host: shop.example.com, path: /old, why: ... }.
*.example.com and * are wildcards; without path it is all of the host.

Exit codes: 0 no request changes its way; 1 some do; 2 a side can't be read;
3 some do in a way that is refused, and not approved.`;

/** Milliseconds after which people are told what is being done. */
const PATIENCE = 1000;

async function run(oldName: string, newName: string, flags: Flags): Promise<void> {
  const { refuse = [], approve } = flags;
  if (approve !== undefined && refuse.length === 0)
    throw new CommandError(
      'error --approve without --refuse: there is nothing to approve. Fix: add --refuse lost,cross-team.',
      EXIT.usage,
    );
  const approvals = approve === undefined ? [] : approvalsOf(approve);
  const started = performance.now();
  let doing = `reading ${oldName}`;
  const progress = setInterval(() => {
    tell(`${doing} (${Math.round((performance.now() - started) / 1000)} s)`);
  }, PATIENCE);
  const certificates = await LocalCertificates.create();
  try {
    const options = {
      classes: flags.class,
      strict: flags.strict ?? false,
      appTimeout: flags.appTimeout,
      certificates,
    };
    const before = await readSide(oldName, options);
    doing = `reading ${newName}`;
    const isApplied = oldName === CLUSTER && !flags.prune;
    const after = await readSide(newName, {
      ...options,
      created: creationTimes(before),
      ...(isApplied ? { onto: [...before.objects.values()] } : {}),
    });
    doing = 'comparing';
    const regions = compared(before, after);
    const verdict = judged(regions, { refuse, approve: approvals });
    if (flags.json) printJson(before, after, regions, verdict);
    else {
      printText(before, after, regions);
      tellVerdict(verdict, regions.length, refuse, approve);
    }
    if (verdict.refused.length > 0) process.exitCode = EXIT.refused;
    else if (regions.length > 0) process.exitCode = EXIT.no;
  } catch (error) {
    // 1 says that requests change their way.
    if (error instanceof CommandError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  } finally {
    clearInterval(progress);
    await certificates.remove();
  }
}

function printJson(
  before: Side,
  after: Side,
  regions: readonly ComparedRegion[],
  { refused, unused }: Judged,
): void {
  const problems = { before: before.problems, after: after.problems };
  const isRefused = new Set(refused);
  const shown = regions.map((each) => ({
    ...each.reported,
    ...(isRefused.has(each) ? { refused: true } : {}),
  }));
  const unusedApprovals = unused.length > 0 ? { unusedApprovals: unused } : {};
  const all = { before: before.name, after: after.name, regions: shown, ...unusedApprovals, problems };
  print(JSON.stringify(all, undefined, 2));
}

function printText(before: Side, after: Side, compared: readonly ComparedRegion[]): void {
  // What is wrong on both sides is no news here, and each side's own is.
  const known = new Set(before.problems);
  for (const problem of after.problems) if (!known.has(problem)) tellProblem(problem);
  const regions = compared.map(({ reported }) => reported);
  for (const line of diffText(regions, { style: severityStyle })) print(line);
  if (regions.length === 0) print('No request goes another way.');
  else print(`\n${wrapped(summaryText(regions), WIDTH).join('\n')}`);
}

function tellVerdict(
  { refused, unused }: Judged,
  all: number,
  refuse: readonly Refusable[],
  file: string | undefined,
): void {
  for (const each of unused) tellProblem(`warning ${file}: ${unusedText(each)}.`);
  if (refused.length > 0) print(['', ...refusalText(refused, all, refuse, file)].join('\n'));
}

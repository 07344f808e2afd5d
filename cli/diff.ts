/** `gatewright diff`: which requests go another way with one state of files, an app or a cluster than with another. */

import type { Command } from 'commander';
import { refKey } from '../gateway-runtime/api/object.ts';
import { LocalCertificates } from '../gateway-runtime/control/certificates.ts';
import { diff } from '../gateway-runtime/diff/diff.ts';
import { type ReportedRegion, reported } from '../gateway-runtime/diff/report.ts';
import { diffText, summaryText } from '../gateway-runtime/diff/text.ts';
import { wrapped } from '../gateway-runtime/explain/wrapped.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import { CLUSTER, creationTimes, isEdited, readSide, type Side } from './diff/side.ts';
import { type ReadingFlags, withReadingOptions } from './reading-options.ts';
import { severityStyle } from './show/severity-style.ts';
import { CommandError, EXIT, print, tell, tellProblem, WIDTH } from './terminal.ts';

interface Flags extends ReadingFlags {
  readonly prune?: true;
}

export function define(command: Command): void {
  withReadingOptions(
    command
      .argument('<old>', 'a manifest, a folder, an app, a git revision of one (HEAD~1:path), or cluster')
      .argument('<new>', 'the same')
      .option('--prune', 'with cluster as <old>: what <new> does not have is deleted'),
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

Says which requests get another outcome: lost (an error now), moved (another
backend), altered (other shares, filters, limits) and new, each with a request
that shows it, and the teams that it touches. Nothing is sampled: paths, hosts,
methods, headers and query parameters are compared as sets, and an expression
of which no request was found is called possible. A path of a git revision is
relative to the repository, or begins with ./. The cluster is that of the
kubeconfig; nothing is written to it, and files are compared as if they were
applied over what it has.

Exit codes: 0 no request changes its way; 1 some do; 2 a side can't be read.`;

/** Milliseconds after which people are told what is being done. */
const PATIENCE = 1000;

async function run(oldName: string, newName: string, flags: Flags): Promise<void> {
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
    if (flags.json) printJson(before, after, regions);
    else printText(before, after, regions);
    if (regions.length > 0) process.exitCode = EXIT.no;
  } catch (error) {
    // 1 says that requests change their way.
    if (error instanceof CommandError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  } finally {
    clearInterval(progress);
    await certificates.remove();
  }
}

function compared(before: Side, after: Side): ReportedRegion[] {
  const edited = ({ namespace, name }: { namespace: string; name: string }) =>
    isEdited(before, after, refKey({ kind: 'HTTPRoute', namespace, name }));
  const around = { before: before.originOf, after: after.originOf };
  return diff(before.snapshots, after.snapshots, { regex: re2, edited }).map((each) =>
    reported(each, around),
  );
}

function printJson(before: Side, after: Side, regions: readonly ReportedRegion[]): void {
  const problems = { before: before.problems, after: after.problems };
  print(JSON.stringify({ before: before.name, after: after.name, regions, problems }, undefined, 2));
}

function printText(before: Side, after: Side, regions: readonly ReportedRegion[]): void {
  // What is wrong on both sides is no news here, and each side's own is.
  const known = new Set(before.problems);
  for (const problem of after.problems) if (!known.has(problem)) tellProblem(problem);
  for (const line of diffText(regions, { style: severityStyle })) print(line);
  if (regions.length === 0) print('No request goes another way.');
  else print(`\n${wrapped(summaryText(regions), WIDTH).join('\n')}`);
}

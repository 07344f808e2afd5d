/** `gatewright init`: the start of a repository, for the platform or for a team, made of the examples. */
import type { Command } from 'commander';
import { shownPath } from '../gateway-runtime/control/files.ts';
import { wrapped } from '../gateway-runtime/explain/wrapped.ts';
import { packageSource } from './init/package-source.ts';
import { platformFiles } from './init/platform-files.ts';
import { teamFiles } from './init/team-files.ts';
import { writeNew } from './init/write-new.ts';
import { CommandError, EXIT, print, WIDTH } from './terminal.ts';

const ROLES = ['platform', 'team'];

interface Flags {
  readonly grants?: string;
  readonly package?: string;
  readonly json?: true;
}

export function define(command: Command): void {
  command
    .argument('<role>', 'platform or team')
    .argument('[folder]', 'a new folder, or one with none of the files', '.')
    .option('--grants <file>', 'team: what the platform exported, shop.ts or shop.json')
    .option('--package <spec>', 'what npm installs gatewright from (default: what this command is of)')
    .option('--json', 'for machines')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  gatewright init platform platform
  gatewright init team shop --grants ../platform/grants/shop.ts

A platform's repository has the gateways, the teams and what each is granted,
and writes that down for the teams: npm run grants. A team's repository has its
routes, on what it was granted. Both have tests, a workflow that says at each
pull request which requests go another way, and a README of the commands.
Nothing that is there already is overwritten.

Exit codes: 0 done; 1 something is there already, or the grants can't be used;
2 the command was not understood.`;

async function run(role: string, folder: string, flags: Flags): Promise<void> {
  if (!ROLES.includes(role))
    throw new CommandError(
      `error found the role ${role}, expected platform or team. Fix: gatewright init platform, or gatewright init team --grants <file>.`,
      EXIT.usage,
    );
  if (role === 'platform' && flags.grants !== undefined)
    throw new CommandError('error --grants is for a team: the platform makes the grants.', EXIT.usage);
  if (role === 'team' && flags.grants === undefined)
    throw new CommandError(
      'error no grants: a team begins with what it was granted. Fix: --grants ../platform/grants/shop.ts, a file that the platform writes with npm run grants.',
      EXIT.usage,
    );
  const source = packageSource(folder, flags.package);
  const files =
    role === 'platform' ? platformFiles(folder, source) : teamFiles(folder, source, flags.grants!);
  writeNew(folder, files);
  if (flags.json) {
    print(
      JSON.stringify(
        { role, folder: shownPath(folder), files: [...files.keys()], package: source.spec },
        undefined,
        2,
      ),
    );
    return;
  }
  const next = [
    ...source.before,
    ...(folder === '.' ? [] : [`cd ${folder}`]),
    'npm install',
    'npm test',
    ...(role === 'platform' ? ['npm run owners', 'npm run grants'] : ['npm start']),
  ];
  const written = `Wrote to ${shownPath(folder)}: ${[...files.keys()].join(', ')}.`;
  for (const line of wrapped(written, WIDTH)) print(line);
  for (const line of ['', 'Next:', ...next.map((each) => `  ${each}`)]) print(line);
  if (!source.spec.startsWith('file:')) return;
  const elsewhere = `package.json has gatewright from a file of this machine, ${source.spec}. Another machine, such as the workflow's, needs it from elsewhere: --package <spec>, with a registry of yours or a file in the repository.`;
  for (const line of ['', ...wrapped(elsewhere, WIDTH)]) print(line);
}

#!/usr/bin/env node
/** `gatewright`: the command line. One file per command, and only the one that was asked for is loaded. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { keepCompiled } from './compile-cache.ts';
import { CommandError, EXIT, tellFolded, tellProblem } from './terminal.ts';

const COMMANDS = {
  init: { summary: 'begin a repository, of the platform or of a team', load: () => import('./init.ts') },
  serve: {
    summary: 'serve Gateways on this machine, and follow the files as they are edited',
    load: () => import('./serve.ts'),
  },
  explain: { summary: 'say where a request goes, and why', load: () => import('./explain.ts') },
  diff: { summary: 'say which requests go another way after a change', load: () => import('./diff.ts') },
  status: { summary: "say each object's conditions in words", load: () => import('./status.ts') },
  replay: {
    summary: 'say what a change does to the requests of an access log',
    load: () => import('./replay.ts'),
  },
  owners: {
    summary: 'list who may use which hosts and paths, and who does',
    load: () => import('./owners.ts'),
  },
  synth: { summary: 'write the Kubernetes objects of an app as YAML', load: () => import('./synth.ts') },
};

const EXAMPLES = `
Examples:
  gatewright init platform platform
  gatewright serve app.ts
  gatewright explain app.ts GET https://shop.example.com/cart -H 'x-tier: gold'
  gatewright diff HEAD:app.ts app.ts
  gatewright owners app.ts --url https://shop.example.com/checkout
  gatewright status manifests/ --json
  gatewright replay access.log.gz --from HEAD:app.ts --against app.ts
  gatewright synth app.ts -o dist

Exit codes: 0 done; 1 something is refused, the request is answered with an
error, or requests change their way; 2 the command was not understood;
3 they do in a way that diff was told to refuse.`;

// Types are stripped by Node itself, and apps are followed by hooks that older ones do not have.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  tellProblem(
    `error: found Node ${process.versions.node}, expected 22.22 or newer. Install one, or add it to the project: npm install --save-dev node@24.`,
  );
  process.exit(EXIT.usage);
}

keepCompiled();

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

try {
  const program = await programFor(process.argv.slice(2));
  await program.parseAsync(process.argv.map((each, index) => (index === 2 && each === '-V' ? '-v' : each)));
} catch (error) {
  process.exitCode = codeOf(error);
}

async function programFor([first, second]: readonly string[]): Promise<Command> {
  const { version } = createRequire(import.meta.url)('gatewright/package.json') as { version: string };
  const program = new Command('gatewright')
    .description('Gateway API for teams: serve, synthesize and explain it on your own machine.')
    .version(version, '-v, --version', 'show the version (-V too)')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(gatewright <command> --help shows examples)')
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  const asked = first === 'help' ? second : first;
  if (first !== undefined && !Object.hasOwn(COMMANDS, first) && existsSync(first)) {
    throw new CommandError(
      `error ${first} is a file, expected a command before it. Fix: gatewright serve ${first}.`,
      EXIT.usage,
    );
  }
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program
      .command(name)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .showHelpAfterError(`(gatewright ${name} --help shows examples)`);
    if (name === asked) (await load()).define(command);
  }
  return program;
}

function codeOf(error: unknown): number {
  // Commander has told what is wrong, or shown help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandError) {
    const [problem = '', ...rest] = error.message.split('\n');
    tellProblem(problem);
    for (const line of rest) tellFolded(line);
    return error.exitCode;
  }
  tellProblem(`error (a bug of gatewright, please report it): ${describe(error)}.`);
  // 1 would be an answer, and 3 another.
  return EXIT.usage;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => line.trim().startsWith('at '));
  return `${error.message}${place ? ` (${place.trim()})` : ''}`;
}

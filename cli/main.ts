#!/usr/bin/env node
/** `gatewright`: the command line. One file per command. */
import { Command, CommanderError } from 'commander';
import { addExplain } from './explain.ts';
import { addServe } from './serve.ts';
import { addStatus } from './status.ts';
import { addSynth } from './synth.ts';
import { CommandError, EXIT, tell, tellProblem } from './terminal.ts';

// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const program = new Command('gatewright')
  .description('Gateway API for teams: serve, synthesize and explain it on your own machine.')
  .helpOption('-h, --help', 'show help')
  .showHelpAfterError('(gatewright --help and gatewright <command> --help show examples)')
  .exitOverride();
addServe(program);
addSynth(program);
addExplain(program);
addStatus(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = codeOf(error);
}

function codeOf(error: unknown): number {
  // Commander has told what is wrong, or shown help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandError) {
    const [first = '', ...rest] = error.message.split('\n');
    tellProblem(first);
    for (const line of rest) tell(line);
    return error.exitCode;
  }
  tellProblem(`error (a bug of gatewright, please report it): ${describe(error)}.`);
  return EXIT.no;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => line.trim().startsWith('at '));
  return `${error.message}${place ? ` (${place.trim()})` : ''}`;
}

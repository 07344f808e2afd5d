/** Runs docs/from-ingress-and-traefik.md: writes its files, runs its commands, and holds it to what they print. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { command, repositoryOf } from '../cli/support/repository.ts';

const PAGE = readFileSync('docs/from-ingress-and-traefik.md', 'utf8');

interface Block {
  readonly file?: string;
  readonly text: string;
}

/** A block is a file where a name stands after its language, and else commands with what they print. */
function* blocks(page: string): Generator<Block> {
  for (const [, language, file, text = ''] of page.matchAll(
    /^```(\w+)(?: (\S+))?\n((?:(?!```).*\n)*)```$/gm,
  )) {
    if (file !== undefined) yield { file, text };
    else if (language === 'console') yield { text };
    else throw new Error(`a block of ${language} that nothing is done with: ${text.slice(0, 60)}`);
  }
}

/** The words that are printed, wherever lines are broken, which depends on the terminal; `...` stands for any number of them. */
function shownAs(output: string, shown: string): boolean {
  const words = (text: string) => text.split(/\s+/).filter(Boolean).join(' ');
  const pattern = words(shown)
    .split(/ ?\.\.\.(?: |$)/)
    .map((each) => each.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(words(output));
}

it('prints what it shows', async () => {
  using folder = await repositoryOf('examples/preview-ci');
  for (const { file, text } of blocks(PAGE)) {
    if (file !== undefined) {
      folder.write(file, text);
      continue;
    }
    for (const [, line = '', shown = ''] of text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
      // In the order of a terminal, which shows both.
      const { stdout } = await command('sh', ['-c', `${line.replace('npx ', '')} 2>&1`], folder.path);
      // What takes long on a busy machine says so.
      const printed = stdout.replaceAll(/^Still waiting for .*\n/gm, '');
      if (!shownAs(printed, shown)) expect(`$ ${line}\n${printed}`).toBe(`$ ${line}\n${shown}`);
      expect(shown.split('\n').filter((each) => each.length > 80)).toEqual([]);
    }
  }
}, 240_000);

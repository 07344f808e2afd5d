/** Packages of one repository may each bring a copy of this one: a grant of one copy is a grant to the other, and no more than that. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import type { AppObject, Finding } from 'gatewright';

interface Printed {
  readonly areTwo: boolean;
  readonly objects: readonly AppObject[];
  readonly objectsByTheOther: readonly AppObject[];
  readonly refused: readonly [name: string, findings: readonly Finding[]][];
}

const root = join(import.meta.dirname, '..', '..');
mkdirSync(join(root, '.cache'), { recursive: true });
// Inside of the repository, so that both copies have the same cdk8s, as the packages of a repository have.
const copy = mkdtempSync(join(root, '.cache', 'copy-'));
for (const part of ['constructs', 'gateway-runtime'])
  cpSync(join(root, part), join(copy, part), { recursive: true });
afterAll(() => rmSync(copy, { recursive: true }));

async function run(...folders: string[]): Promise<Printed> {
  const script = join(import.meta.dirname, 'two-copies.ts');
  const args = ['--conditions=gatewright-source', '--no-warnings', script, ...folders];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as Printed;
}

it('what is refused and what is made is the same with two copies of the package as with one', async () => {
  const [one, two] = await Promise.all([run(), run(copy)]);
  expect(one.areTwo).toBe(false);
  expect(two.areTwo).toBe(true);
  expect(two.objects).toEqual(one.objects);
  expect(two.objectsByTheOther).toEqual(one.objects);
  expect(Object.fromEntries(two.refused)).toEqual(Object.fromEntries(one.refused));
  expect(two.refused.filter(([, findings]) => findings.length === 0)).toEqual([]);
});

/** Which archives of images stay in the cache. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { cachedArchive } from '../../scripts/image/archives.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewright-archives-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const image = (content: string, name = 'runtime') => ({
  references: [`registry.example.com/${name}:test`],
  entrypoint: ['/hello'],
  files: { '/hello': { text: content } },
});

/** Makes it so many minutes old. */
function aged(path: string, minutes: number): string {
  const then = new Date(Date.now() - minutes * 60_000);
  utimesSync(path, then, then);
  return basename(path);
}

const left = (name: string, content: string, minutes: number): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return aged(path, minutes);
};

const hex = (number: number) => number.toString(16).padStart(12, '0');

it('an archive is written once, and is in use from the last time that it was asked for', () => {
  const path = cachedArchive(image('a'), folder);
  expect(readFileSync(path).length).toBeGreaterThan(0);
  // As it stands, not written anew.
  writeFileSync(path, 'as it stands');
  aged(path, 600);
  expect(cachedArchive(image('a'), folder)).toBe(path);
  expect(readFileSync(path, 'latin1')).toBe('as it stands');
  for (let i = 0; i < 5; i++) left(`runtime-${hex(i)}.tar`, 'x', 300);
  cachedArchive(image('b'), folder);
  expect(readdirSync(folder)).toContain(basename(path));
});

it('the newest four of a name stay, and those of the last hour', () => {
  const young = Array.from({ length: 6 }, (_, i) => left(`runtime-${hex(i)}.tar`, 'x', 10 + i));
  for (let i = 6; i < 12; i++) left(`runtime-${hex(i)}.tar`, 'x', 70 + i);
  const others = [left(`runtime-slim-${hex(1)}.tar`, 'x', 900), left('notes.txt', 'x', 900)];
  const made = basename(cachedArchive(image('a'), folder));
  expect(readdirSync(folder).sort()).toEqual([...young, ...others, made].sort());
});

it('where all are old, four stay', () => {
  for (let i = 0; i < 9; i++) left(`runtime-${hex(i)}.tar`, 'x', 100 + i);
  const made = basename(cachedArchive(image('a'), folder));
  expect(readdirSync(folder).sort()).toEqual(
    [`runtime-${hex(0)}.tar`, `runtime-${hex(1)}.tar`, `runtime-${hex(2)}.tar`, made].sort(),
  );
});

it('however young, sixteen stay', () => {
  for (let i = 0; i < 30; i++) left(`runtime-${hex(i)}.tar`, 'x', 1 + i);
  cachedArchive(image('a'), folder);
  expect(readdirSync(folder)).toHaveLength(16);
});

it('what was never finished goes once nobody can be writing it', () => {
  const fresh = left(`runtime-${hex(1)}.tar.4711`, 'x', 1);
  left(`runtime-${hex(2)}.tar.4712`, 'x', 100);
  const made = basename(cachedArchive(image('a'), folder));
  expect(readdirSync(folder).sort()).toEqual([fresh, made].sort());
});

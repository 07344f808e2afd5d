/** The access log's way to a file descriptor. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { LogFile } from '../../../gateway-runtime/proxy/telemetry/log-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewright-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

it('writes every line, in order, soon', async () => {
  const path = join(folder, 'log');
  const file = openSync(path, 'w');
  const log = new LogFile(file, { delay: 5 });
  for (let i = 0; i < 1_000; i++) log.write(`line ${i}`);
  await until(() => readFileSync(path, 'utf8').endsWith('line 999\n'));
  log.write('the last');
  await log.end();
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines).toEqual([...Array.from({ length: 1_000 }, (_, i) => `line ${i}`), 'the last']);
  closeSync(file);
});

it('loses lines and not time where nobody reads, and says how many', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('sh', ['-c', `exec 3<"$0"; read go; cat <&3`, pipe], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const file = openSync(pipe, 'w');
  const log = new LogFile(file, { delay: 1, most: 200_000 });
  let written = 0;
  // More than the pipe takes: the first write stands still, and what waits behind it is bounded.
  for (; written < 10; written++) log.write('x'.repeat(50_000));
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (; written < 20; written++) log.write('y'.repeat(50_000));
  let read = '';
  reader.stdout.on('data', (data: Buffer) => {
    read += data;
  });
  reader.stdin.end('go\n');
  const lost = () => [...read.matchAll(/"lost":(\d+),/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  const whole = () => read.split('\n').filter((line) => /^(x{50000}|y{50000})$/.test(line)).length;
  // What is lost may be told of in more than one line.
  await until(() => whole() + lost() >= written);
  expect(lost()).toBeGreaterThan(0);
  expect(whole() + lost()).toBe(written);
  closeSync(file);
  await once(reader, 'close');
});

it('writes at its end what a reader takes its time with, and loses nothing of it', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('sh', ['-c', `exec 3<>"$0"; echo; read go; head -n 20 <&3`, pipe], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(reader.stdout, 'data');
  // As pipes are that a process is given for its output: full at 64 KiB, and not to be waited for.
  const file = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const log = new LogFile(file);
  for (let i = 0; i < 20; i++) log.write(`${i}`.padEnd(20_000, 'x'));
  const flushed = log.end();
  let read = '';
  reader.stdout.on('data', (data: Buffer) => {
    read += data;
  });
  reader.stdin.end('go\n');
  await flushed;
  await until(() => read.length > 0 || log.lostInAll > 0);
  reader.kill();
  await once(reader, 'close');
  closeSync(file);
  expect(log.lostInAll).toBe(0);
  expect(
    read
      .trimEnd()
      .split('\n')
      .map((line) => Number.parseInt(line, 10)),
  ).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

it('counts what a full disk does not take, and goes on', async () => {
  const full = openSync('/dev/full', 'w');
  const log = new LogFile(full, { delay: 1 });
  log.write('one');
  log.write('two');
  await until(() => log.lost === 2);
  log.write('three');
  await log.end();
  expect(log.lost).toBe(3);
  closeSync(full);
});

it('writes nothing after its end, to whomever its descriptor belongs then', async () => {
  const full = openSync('/dev/full', 'w');
  const log = new LogFile(full, { delay: 1 });
  log.write('lost');
  await log.end();
  closeSync(full);
  const path = join(folder, 'other');
  // The number that is free is given out again.
  const other = openSync(path, 'w');
  log.write('late');
  await new Promise((resolve) => setTimeout(resolve, 50));
  closeSync(other);
  expect(readFileSync(path, 'utf8')).toBe('');
});

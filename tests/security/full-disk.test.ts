/** The disk is full under the access log: lines are lost and counted, and nothing else happens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { exchange } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';

const start = closedAfterEach();
const folder = mkdtempSync(join(tmpdir(), 'gatewright-full-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const REQUESTS = 200;

it('costs lines of the log, which are counted, and no request', async () => {
  const { endpoint } = await start(Backend.echo('whoami'));
  const file = join(folder, 'access.log');
  // No write goes beyond the limit of the shell, in blocks: a write that reaches it is cut, and the next one fails.
  const child = spawn(
    'sh',
    [
      ...['-c', 'ulimit -f 8 && exec "$0" "$@"', process.execPath, '--conditions=gatewright-source'],
      ...[join('tests', 'security', 'full-disk-gateway.ts'), String(endpoint.port), file],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, () => exchange(port, { host: 'a.example.com', path: '/' })),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  let lost = 0;
  const written = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as object);
  while (written().length + lost < REQUESTS) {
    child.stdin.write('\n');
    lost = Number((await lines.next()).value);
  }
  expect(lost).toBeGreaterThan(0);
  expect(written().length + lost).toBe(REQUESTS);
  expect(await exchange(port, { host: 'a.example.com', path: '/' })).toMatchObject({ status: 200 });
  child.stdin.end();
  await exited;
});

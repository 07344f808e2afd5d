/** `gatewright replay` as a process: logs of any kind, what it prints, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { ReplayTotals } from '../../gateway-runtime/replay/totals.ts';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

const folder = new Folder();
afterAll(() => folder[Symbol.dispose]());

const rule = (path: string, name: string) =>
  `    - matches: [{ path: { value: ${path} } }]
      backendRefs: [{ name: ${name}, port: 80 }]
`;
const manifests = (...rules: string[]) =>
  documents(GATEWAY, service('a'), service('b'), route('store', 'shop.example.com', rules.join('')));

const old = folder.write('old.yaml', manifests(rule('/a', 'a'), rule('/b', 'b')));
const next = folder.write('next.yaml', manifests(rule('/a', 'b')));
const line = (path: string) =>
  `shop.example.com 192.0.2.1 - - [15/Apr/2026:20:17:00 +0000] "GET ${path} HTTP/1.1" 200 612 "-" "curl/8.5"\n`;
const text = `${line('/a/1')}${line('/a/2')}${line('/b')}${line('/none')}torn\n`;
const log = folder.write('access.log', text);
const packed = folder.file('access.log.gz');
// As rotated logs that were put together: two members.
writeFileSync(packed, Buffer.concat([gzipSync(text.slice(0, 100)), gzipSync(text.slice(100))]));

describe('gatewright replay', () => {
  it('says what moves, what is lost and whose it is, in 80 columns, and ends with 1', async () => {
    const { code, stdout, stderr } = await gatewright(['replay', log, '--from', old, '--against', next]);
    expect(code).toBe(1);
    expect(stderr).toContain('The log is read as nginx-vhost; --format names another format.');
    expect(
      stdout.replace(/ in \S*access\.log;[^:]*?read\n/, " in access.log; 1 line that can't be read\n"),
    ).toBe(`4 requests in access.log; 1 line that can't be read
  line 5: it is no line of the format vhost_combined
    torn

  unchanged             1     25 %
  lost                  1     25 %  newly 404: 1
  moved                 2     50 %
  altered               0      0 %
  new                   0      0 %
  undecided             0      0 %

  TEAM  REQUESTS  LOST  MOVED  ALTERED  NEW  UNDECIDED
  -            1     0      0        0    0          0
  shop         3     1      2        0    0          0

lost  1 of shop, such as GET http://shop.example.com/b
    before shop/b:80, HTTPRoute shop/store spec.rules[1]
    after  404: no rule matches

moved  2 of shop, such as GET http://shop.example.com/a/1
    before shop/a:80, HTTPRoute shop/store spec.rules[0]
    after  shop/b:80, HTTPRoute shop/store spec.rules[0]
`);
    expect(stdout.split('\n').filter((each) => each.length > 80)).toEqual([]);
  });

  it('ends with 0 where nothing changes', async () => {
    const { code, stdout } = await gatewright(['replay', log, '--from', old, '--against', old]);
    expect(stdout).toContain('unchanged             4    100 %');
    expect(code).toBe(0);
  });

  it('reads what is compressed, several logs and standard input, and tells machines', async () => {
    const args = ['replay', packed, log, '-', '--from', old, '--against', next, '--json'];
    const child = spawn(
      process.execPath,
      ['--conditions=gatewright-source', resolve('cli/main.ts'), ...args],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (each: string) => {
      stdout += each;
    });
    child.stdin.end(text);
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    const totals = JSON.parse(stdout) as ReplayTotals & { format: string };
    expect(totals).toMatchObject({ format: 'nginx-vhost', lines: 15, requests: 12, moved: 6, lost: 3 });
    expect(totals.changes).toHaveLength(2);
  });

  it('skips a line that has no end, in little memory', async () => {
    const endless = folder.write('endless.log', `${line('/a')}${'x'.repeat(5_000_000)}\n${line('/a')}`);
    const { stdout } = await gatewright(['replay', endless, '--against', old, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      requests: 2,
      unread: { count: 1, first: [{ line: 2, problem: 'it is longer than 64 KiB' }] },
    });
  });

  it.each<[string, () => string[], RegExp]>([
    ['no --against', () => [log], /required option '--against <new>'/],
    [
      'no such log',
      () => ['none.log', '--against', old],
      /^error none\.log: no such file\. Name an access log/m,
    ],
    ['a folder', () => [folder.path, '--against', old], /is a folder, expected an access log/],
    [
      'a log of no known format',
      () => [folder.write('notes.txt', 'hello\nworld\n'), '--against', old],
      /the format of .*notes\.txt is not known, expected one of gatewright, .*Its first line: hello/,
    ],
    [
      'another format than said',
      () => [log, '--format', 'envoy', '--against', old],
      /no line of .*access\.log can be read as envoy/,
    ],
    ['an empty log', () => [folder.write('empty.log', ''), '--against', old], /empty\.log has no line/],
    [
      'what is torn in the middle',
      () => {
        writeFileSync(folder.file('torn.gz'), gzipSync(text.repeat(100)).subarray(0, 150));
        return [folder.file('torn.gz'), '--format', 'nginx-vhost', '--against', old];
      },
      /torn\.gz can't be read to its end: unexpected end of file/,
    ],
    [
      'another Gateway',
      () => [log, '--against', old, '--gateway', 'a/b'],
      /no Gateway a\/b\. There is: infra/,
    ],
    [
      'a configuration with errors',
      () => [
        log,
        '--against',
        folder.write('broken.yaml', documents(GATEWAY.replace('port: 80', 'port: web'), service('a'))),
      ],
      /broken\.yaml has errors\. Mend those above/,
    ],
  ])('of %s it says what to do, and ends with 2', async (_, args, problem) => {
    const { code, stdout, stderr } = await gatewright(['replay', ...args()]);
    expect(stderr).toMatch(problem);
    expect(stderr).not.toMatch(/^ +at /m);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

const OLD = documents(
  GATEWAY,
  service('cart', 8080),
  service('next', 8080),
  route(
    'store',
    'shop.example.com',
    `    - matches: [{ path: { value: /cart }, headers: [{ name: x-api-key, value: s3cret }] }]
      backendRefs: [{ name: cart, port: 8080, weight: 3 }, { name: next, port: 8080 }]
    - matches: [{ path: { value: /cart } }]
      backendRefs: [{ name: cart, port: 8080 }]
    - matches: [{ path: { value: /old } }]
      backendRefs: [{ name: cart, port: 8080 }]
`,
  ),
);
const NEW = OLD.replace('weight: 3', 'weight: 1')
  .replace('/old', '/older')
  .replace('backendRefs: [{ name: cart, port: 8080 }]', 'backendRefs: [{ name: next, port: 8080 }]');

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('gatewright-diff-'));

const gitIn =
  ({ path: cwd }: Folder) =>
  (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd,
      stdio: 'pipe',
    });

describe('gatewright diff', () => {
  it('says what changes for requests, the worst first, in 80 columns, without credentials', async () => {
    using folder = new Folder();
    const [before, after] = [folder.write('old.yaml', OLD), folder.write('new.yaml', NEW)];
    const { code, stdout, stderr } = await gatewright(['diff', before, after]);
    expect({ code, errors: stderr.match(/error/) }).toEqual({ code: 1, errors: null });
    expect(stdout).toContain(`LOST: answered with an error now
  shop.example.com /old/*
    before    shop/cart:8080
              HTTPRoute shop/store spec.rules[2]
`);
    expect(stdout).toContain(`    after     404: no rule matches
    try       GET http://shop.example.com/old
`);
    expect(stdout).toContain(`MOVED: answered by another backend or redirect
  shop.example.com /cart/*
    without   /cart/* x-api-key: [redacted]
    before    shop/cart:8080
`);
    expect(stdout).toContain('before    shop/cart:8080 75 %, shop/next:8080 25 %');
    expect(stdout).toContain('after     shop/cart:8080 50 %, shop/next:8080 50 %');
    expect(stdout).toContain("try       GET http://shop.example.com/cart -H 'x-api-key: [redacted]'");
    expect(stdout).toMatch(/\n1 lost, 1 moved, 1 altered, 1 new\n$/);
    expect(stdout).not.toContain('s3cret');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('gives the same as JSON, and 0 where nothing changes', async () => {
    using folder = new Folder();
    const [before, after] = [folder.write('old.yaml', OLD), folder.write('new.yaml', NEW)];
    const { code, stdout } = await gatewright(['diff', before, after, '--json']);
    expect(code).toBe(1);
    const { regions } = JSON.parse(stdout);
    expect(regions).toHaveLength(4);
    expect(regions[0]).toMatchObject({
      severity: 'lost',
      gateway: 'infra/shared-gw',
      requests: '/old/*',
      before: { backends: [{ name: 'shop/cart:8080', share: 1 }], source: { team: 'shop' } },
      after: { status: 404 },
      witness: { method: 'GET', url: 'http://shop.example.com/old', headers: [] },
      authors: ['shop'],
      touched: [],
    });
    expect(
      regions[0].extents.map(({ port, hosts }: { port: number; hosts: string[] }) => [port, hosts]),
    ).toEqual([
      [80, ['shop.example.com']],
      [443, ['shop.example.com']],
    ]);
    expect(stdout).not.toContain('s3cret');

    // The same shares and the same rules, written in another way.
    folder.write(
      'new.yaml',
      OLD.replace('weight: 3 }, {', 'weight: 30 }, { weight: 10,').replace('/old', '/old/'),
    );
    expect(await gatewright(['diff', before, after])).toMatchObject({
      code: 0,
      stdout: 'No request goes another way.\n',
    });
  });

  it('reads revisions of git, leaves nothing behind, and gives git nothing to misread', async () => {
    using folder = new Folder();
    const git = gitIn(folder);
    mkdirSync(folder.file('site'));
    folder.write('site/all.yaml', OLD);
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'first');
    folder.write('site/all.yaml', NEW);
    const before = leftovers();
    const { code, stdout } = await gatewright(['diff', 'HEAD:site', 'site'], folder.path);
    expect(code).toBe(1);
    expect(stdout).toContain('(HEAD:site/all.yaml document 4)');
    expect(
      (await gatewright(['diff', 'HEAD:./all.yaml', 'HEAD:site/all.yaml'], folder.file('site'))).code,
    ).toBe(0);

    for (const [given, says] of [
      ['HEAD~7:site', 'git knows no revision "HEAD~7"'],
      ['HEAD:nowhere', 'the revision has no file or folder nowhere'],
      ['HEAD:../outside', 'is outside of the repository'],
      ['$(touch x);HEAD:site', 'git knows no revision'],
      ['nowhere', 'nowhere: no such file or folder'],
    ] as const) {
      const refused = await gatewright(['diff', given, 'site'], folder.path);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain(says);
    }
    const option = await gatewright(['diff', '--', '--output=x:site', 'site'], folder.path);
    expect(option).toMatchObject({ code: 2, stdout: '' });
    expect(readdirSync(folder.path).sort()).toEqual(['.git', 'site']);
    expect(leftovers()).toEqual(before);
  });

  it('reads an app of another revision, with what it imports there and the packages that are here', async () => {
    using folder = new Folder();
    const git = gitIn(folder);
    const objectsOf = (text: string) =>
      `export const OBJECTS = ${JSON.stringify(parseAllDocuments(text).map((each) => each.toJSON()))};\n`;
    symlinkSync(resolve('node_modules'), folder.file('node_modules'));
    folder.write('.gitignore', 'node_modules\n');
    folder.write('objects.ts', objectsOf(OLD));
    folder.write(
      'app.ts',
      `import { ApiObject, App, Chart } from 'cdk8s';
import { OBJECTS } from './objects.ts';
const app = new App();
const chart = new Chart(app, 'all');
for (const [index, each] of OBJECTS.entries()) new ApiObject(chart, \`object-\${index}\`, each);
export default app;
`,
    );
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'first');
    folder.write('objects.ts', objectsOf(NEW));
    const before = leftovers();
    const changed = await gatewright(['diff', 'HEAD:app.ts', 'app.ts'], folder.path);
    expect(changed.stderr).not.toContain('error');
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain('LOST: answered with an error now\n  shop.example.com /old/*\n');
    expect(changed.stdout).toMatch(/\n1 lost, 1 moved, 1 altered, 1 new\n$/);
    git('commit', '-qam', 'second');
    expect(await gatewright(['diff', 'HEAD:app.ts', 'app.ts'], folder.path)).toMatchObject({
      code: 0,
      stdout: 'No request goes another way.\n',
    });
    expect(leftovers()).toEqual(before);
  });
});

/** What `init` writes and refuses. That what it writes installs, compiles and runs is held by tests/package. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { command } from './support/repository.ts';

const PLATFORM = resolve('examples/platform');
const SHOP = resolve('examples/team-shop/grants/shop.ts');

describe('gatewright init', () => {
  it('writes the platform that the example is, and says what to do next', async () => {
    using folder = new Folder();
    const { code, stdout, stderr } = await gatewright(['init', 'platform', 'gateways'], folder.path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Wrote to gateways: platform\.ts, (?:.*\n)*\nNext:\n(?:.*\n)? {2}cd gateways\n {2}npm install\n {2}npm test\n/,
    );
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    for (const name of readdirSync(PLATFORM))
      expect(readFileSync(folder.file(`gateways/${name}`), 'utf8')).toBe(
        readFileSync(`${PLATFORM}/${name}`, 'utf8'),
      );
    expect(stdout.replaceAll('\n', ' ')).toContain(
      "Another machine, such as the workflow's, needs it from elsewhere: --package <spec>",
    );
    const { name, type, scripts, jest } = JSON.parse(
      readFileSync(folder.file('gateways/package.json'), 'utf8'),
    );
    expect({ name, type, preview: scripts.preview }).toEqual({
      name: 'gateways',
      type: 'module',
      preview: 'sh preview.sh platform.ts',
    });
    // What docs/tests-of-teams.md has users write themselves.
    const page = readFileSync('docs/tests-of-teams.md', 'utf8');
    expect(page).toContain(
      `"jest": ${JSON.stringify(jest, undefined, 1)
        .replaceAll(/\n */g, ' ')
        .replaceAll(/(\[) | (\])/g, '$1$2')}`,
    );
    const [, types = 'none'] = /```js\n(import { strip[\s\S]*?)```/.exec(page) ?? [];
    expect(readFileSync(folder.file('gateways/jest.types.mjs'), 'utf8').replace(/\/\*\*.*\n/, '')).toBe(
      types,
    );
  });

  it('writes a team on what it was granted, here a path, from the JSON alone', async () => {
    using folder = new Folder();
    expect(
      (await command('node', ['--conditions=gatewright-source', `${PLATFORM}/export-grants.ts`], folder.path))
        .code,
    ).toBe(0);
    const given = await gatewright(
      ['init', 'team', 'pay', '--grants', 'grants/payments.json', '--json'],
      folder.path,
    );
    expect(given).toMatchObject({ code: 0, stderr: '' });
    const text = (name: string) => readFileSync(folder.file(`pay/${name}`), 'utf8');
    expect(text('app.ts')).toContain("new TeamChart(app, 'payments', { team, on: grants.payments })");
    expect(text('app.ts')).toContain(
      "store.rule({ path: prefix('/checkout/cart') }).to(service('cart', 8080));",
    );
    expect(text('app.ts')).toContain(".rule({ path: prefix('/checkout') })");
    expect(text('app.test.ts')).toContain("'GET http://shop.example.com/checkout/cart').to('payments/cart')");
    expect(text('grants/payments.ts')).toBe(readFileSync(folder.file('grants/payments.ts'), 'utf8'));
    expect(text('app.ts') + text('preview.ts') + text('README.md')).not.toMatch(/\bshop\b(?!\.example)/);
  });

  it.each([
    [['init', 'plaform'], 2, 'error found the role plaform, expected platform or team. Fix: gatewright init'],
    [['init', 'team'], 2, 'error no grants: a team begins with what it was granted. Fix: --grants'],
    [
      ['init', 'platform', '--grants', SHOP],
      2,
      'error --grants is for a team: the platform makes the grants.',
    ],
    [
      ['init', 'team', '--grants', 'nowhere.ts'],
      1,
      'error --grants nowhere.ts: there is no nowhere.json. Fix: have the',
    ],
    [
      ['init', 'team', '--grants', 'half.json'],
      1,
      'error --grants half.json: half.json is not what the platform exports: ',
    ],
  ])('%j is refused', async (args, code, message) => {
    using folder = new Folder();
    folder.write('half.json', '{"team":{"name":"a","namespace":"a"},"grants":{"a":{"hostname":[]}}}');
    const before = readdirSync(folder.path);
    const ran = await gatewright(args, folder.path);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(message);
    expect(readdirSync(folder.path)).toEqual(before);
  });

  it('overwrites nothing', async () => {
    using folder = new Folder();
    folder.write('README.md', 'mine');
    const { code, stderr } = await gatewright(['init', 'platform'], folder.path);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'error . has README.md already, so nothing was written. Fix: name another folder, or move what is there.\n',
    });
    expect(readdirSync(folder.path)).toEqual(['README.md']);
  });
});

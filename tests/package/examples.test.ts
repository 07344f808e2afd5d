/** The examples are what they say: grants that the platform writes, and output as it is printed. */
import { readFileSync, rmSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { gatewright } from '../cli/support/command.ts';
import { command, repositoryOf } from '../cli/support/repository.ts';

const read = (name: string) => readFileSync(`examples/${name}`, 'utf8');

it('team-shop has the grants that platform writes', async () => {
  using folder = await repositoryOf('examples/platform');
  const written = await command('node', ['--conditions=gatewright-source', 'export-grants.ts'], folder.path);
  expect(written).toMatchObject({ code: 0, stderr: '' });
  for (const extension of ['ts', 'json', 'yaml']) {
    const name = `grants/shop.${extension}`;
    // Should they differ: (cd examples/team-shop && node --conditions=gatewright-source ../platform/export-grants.ts), and keep those of shop.
    expect(read(`team-shop/${name}`)).toBe(readFileSync(folder.file(name), 'utf8'));
  }
});

it('the README shows who owns what of platform', async () => {
  const { code, stdout } = await gatewright(['owners', 'examples/platform/platform.ts']);
  expect(code).toBe(0);
  expect(read('../README.md')).toContain(`owners examples/platform/platform.ts\n${stdout}\`\`\``);
});

it('preview-ci prints what its README shows, and ends with 3 where requests are lost, unless that is approved', async () => {
  using folder = await repositoryOf('examples/team-shop');
  const app = readFileSync(folder.file('app.ts'), 'utf8');
  folder.write('app.ts', app.replace("prefix('/')", "prefix('/shoes')"));
  for (const name of ['preview.sh', 'approved.yaml', 'access.log'])
    folder.write(name, read(`preview-ci/${name}`));
  const ran = await command('sh', ['preview.sh', 'preview.ts', 'HEAD', 'access.log'], folder.path);
  const [, shown = ''] =
    /```\n\$ sh preview\.sh .*\n((?:(?!```).*\n)*)```/.exec(read('preview-ci/README.md')) ?? [];
  expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 3, stdout: shown });
  expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([]);

  expect(read('../README.md')).toContain(`$ sh preview.sh preview.ts HEAD access.log\n${shown}`);

  const nothing = read('preview-ci/approved.yaml');
  folder.write('approved.yaml', `${nothing}- { host: shop.example.com, why: only shoes from now on }\n`);
  const approved = await command('sh', ['preview.sh', 'preview.ts', 'HEAD', 'access.log'], folder.path);
  expect({ code: approved.code, isRefused: approved.stdout.includes('REFUSED') }).toEqual({
    code: 0,
    isRefused: false,
  });

  folder.write('approved.yaml', nothing);
  folder.write('app.ts', app.replace('[9, 1]', '[1, 1]'));
  const altered = await command('sh', ['preview.sh', 'preview.ts', 'HEAD'], folder.path);
  expect(altered).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ALTERED: /) });
  rmSync(folder.file('preview.ts'));
  expect((await command('sh', ['preview.sh', 'preview.ts', 'HEAD'], folder.path)).code).toBe(2);
}, 120_000);

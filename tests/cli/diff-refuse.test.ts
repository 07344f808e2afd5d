/** `gatewright diff --refuse`: what a pipeline stops at, and how what is meant is let pass. */
import { describe, expect, it } from '@jest/globals';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

/** Team shop has two hosts, of which one is lost where `isLess`, and one that the platform's port is another for where `isMoved`. */
const objects = ({ old = '/old', cart = 'cart' } = {}) =>
  documents(
    GATEWAY,
    service('cart'),
    service('next'),
    route(
      'a',
      'a.example.com',
      `    - matches: [{ path: { value: ${old} } }]\n      backendRefs: [{ name: cart, port: 80 }]\n`,
    ),
    route(
      'b',
      'b.example.com',
      `    - matches: [{ path: { value: /cart } }]\n      backendRefs: [{ name: ${cart}, port: 80 }]\n`,
    ),
  );

function folderOf(): Folder {
  const folder = new Folder();
  folder.write('old.yaml', objects());
  folder.write('new.yaml', objects({ old: '/old/one', cart: 'next' }));
  return folder;
}
const diff = (folder: Folder, ...more: string[]) =>
  gatewright(['diff', 'old.yaml', 'new.yaml', ...more], folder.path);

describe('gatewright diff --refuse', () => {
  it('ends with 3 where a change is refused, and says which and how it is approved, in 80 columns', async () => {
    using folder = folderOf();
    const { code, stdout } = await diff(folder, '--refuse', 'lost,cross-team');
    expect(code).toBe(3);
    expect(stdout).toMatch(/^LOST: answered with an error now\n/);
    expect(stdout.slice(stdout.indexOf('\n1 lost'))).toBe(`
1 lost, 1 moved

REFUSED: 1 of 2 changes (--refuse lost,cross-team)
  lost: a.example.com /old/*
Approve what is meant in a file that --approve names:
  - host: a.example.com
    path: /old
    why: ...
`);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('ends with 1 where what changes is approved, or not among what is refused', async () => {
    using folder = folderOf();
    folder.write(
      'ok.yaml',
      "# of this release\n- { host: a.example.com, path: /old, why: 'closed in May' }\n",
    );
    const approved = await diff(folder, '--refuse', 'lost', '--approve', 'ok.yaml');
    expect(approved).toMatchObject({ code: 1, stdout: expect.stringMatching(/\n1 lost, 1 moved\n$/) });
    folder.write('all.json', '[{ "host": "*.example.com", "why": "a new shop" }]');
    expect((await diff(folder, '--refuse', 'lost,moved', '--approve', 'all.json')).code).toBe(1);
    expect((await diff(folder, '--refuse', 'altered,new')).code).toBe(1);
    // One of two.
    const moved = await diff(folder, '--refuse', 'lost, moved', '--approve', 'ok.yaml');
    expect(moved.code).toBe(3);
    expect(moved.stdout).toContain(`REFUSED: 1 of 2 changes (--refuse lost,moved)
  moved: b.example.com /cart/*
Approve what is meant in ok.yaml:
  - host: b.example.com
    path: /cart
    why: ...
`);
  });

  it('says that a team is touched that changed nothing, and refuses that alone where it is to', async () => {
    using folder = new Folder();
    folder.write('old.yaml', objects());
    folder.write(
      'new.yaml',
      objects().replace('port: 80\n      protocol: HTTP', 'port: 8080\n      protocol: HTTP'),
    );
    const { code, stdout } = await diff(folder, '--refuse', 'cross-team');
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /\n {2}lost: .*listener web, port 80\)\n {4}touches shop, which changed nothing\n/,
    );
    expect((await diff(folder, '--refuse', 'altered')).code).toBe(1);
  });

  it('gives the same as JSON', async () => {
    using folder = folderOf();
    folder.write('ok.yaml', '- { host: gone.example.com, why: it was meant }\n');
    const { code, stdout } = await diff(folder, '--refuse', 'lost', '--approve', 'ok.yaml', '--json');
    expect(code).toBe(3);
    const { regions, unusedApprovals } = JSON.parse(stdout);
    expect(
      regions.map((each: { severity: string; refused?: true }) => [each.severity, each.refused]),
    ).toEqual([
      ['lost', true],
      ['moved', undefined],
    ]);
    expect(unusedApprovals).toEqual([{ host: 'gone.example.com', why: 'it was meant' }]);
    const without = JSON.parse((await diff(folder, '--json')).stdout);
    expect(Object.keys(without)).toEqual(['before', 'after', 'regions', 'problems']);
  });

  it('ends with 0 where nothing changes, and tells of approvals that concern nothing any more', async () => {
    using folder = folderOf();
    folder.write('new.yaml', objects());
    folder.write('ok.yaml', '- { host: a.example.com, path: /old, why: it was meant }\n');
    expect(await diff(folder, '--refuse', 'lost', '--approve', 'ok.yaml')).toMatchObject({
      code: 0,
      stdout: 'No request goes another way.\n',
      stderr: expect.stringContaining(
        'warning ok.yaml: no request of a.example.com/old changes its way any more, which is approved (it was meant): take it out.\n',
      ),
    });
    folder.write('ok.yaml', '# nothing yet\n');
    expect((await diff(folder, '--refuse', 'lost', '--approve', 'ok.yaml')).code).toBe(0);
  });

  it.each<[string, string[], string | undefined, string]>([
    [
      'a word',
      ['--refuse', 'lost,losst'],
      undefined,
      'Expected one or more of lost,moved,altered,new,cross-team.',
    ],
    ['no word', ['--refuse', ''], undefined, 'Expected one or more of'],
    ['an approval of nothing', ['--approve', 'ok.yaml'], '', 'error --approve without --refuse'],
    [
      'a file that is not there',
      ['--refuse', 'lost', '--approve', 'no.yaml'],
      undefined,
      'error --approve no.yaml: no such file. Fix: write it',
    ],
    [
      'no list',
      [],
      'host: a.example.com',
      'error --approve ok.yaml: found {"host":"a.example.com"}, expected a list',
    ],
    ['no reason', [], '- host: a.example.com', '[0].why: found nothing, expected the reason, as a text'],
    ['no reason in it', [], "- { host: a.example.com, why: ' ' }", '[0].why: found'],
    ['a URL', [], "- { host: 'https://a.example.com', why: w }", 'expected a hostname, *.example.com or *'],
    [
      'a path without a slash',
      [],
      '- { host: a.example.com, path: old, why: w }',
      "expected a path that begins with '/'",
    ],
    ['more', [], "- { host: a.example.com, until: '2030', why: w }", '[0].until: found a field of this name'],
    ['what is no YAML', [], '- { host: a.example.com', 'error --approve ok.yaml: '],
    [
      'an alias',
      [],
      '- &a { host: a.example.com, why: w }\n- *a\n',
      'found an alias. Fix: write the values out.',
    ],
  ])('refuses %s with 2', async (_, flags, file, message) => {
    using folder = folderOf();
    if (file !== undefined) folder.write('ok.yaml', file);
    const ran = await diff(
      folder,
      ...(flags.length > 0 ? flags : ['--refuse', 'lost', '--approve', 'ok.yaml']),
    );
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
  });
});

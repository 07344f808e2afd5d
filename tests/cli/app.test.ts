import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { gatewright, Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';

// Many processes, one after the other; and what waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];
const STOREFRONT = 'examples/storefront';

/** An edit that counts: where it was live, and how long that took. */
const edits = (serving: Serving) => serving.events.filter(({ event }) => event === 'changed');

describe('gatewright serve app.ts', () => {
  it('serves the storefront: every command it prints works when pasted', async () => {
    await using serving = await new Serving([`${STOREFRONT}/app.ts`, ...FREE, '--all']).ready();
    const { commands } = serving;
    expect(commands.length).toBeGreaterThanOrEqual(10);
    expect(commands.some((command) => command.includes('--cacert'))).toBe(true);
    for (const command of commands) {
      const { status, body } = await paste(command);
      // The one redirect of the storefront, and echoes.
      if (status === 301) expect(command).toContain('/basket');
      else expect([status, body.slice(0, 9), command]).toEqual([200, 'Hostname:', command]);
    }
    expect(serving.stdout).toContain('Gateway infra/shared-gw');
    expect(serving.stdout).toContain('Gateway infra/dedicated-gw');
    expect(serving.stdout).toMatch(/Try an edit: change the weights 3:1 to 1:1.*\s.*shop\.ts/);
    // The route that is refused on purpose, and why.
    await serving.until(() => serving.stderr.includes('media/in-the-house'));
    expect(serving.stderr).toMatch(
      /^warning HTTPRoute\/media\/in-the-house .*media\.ts:\d+ media\/in-the-house/m,
    );
  });

  it('makes an edit live at once, keeps the old one while an edit is broken, and checks types beside', async () => {
    using folder = Folder.copyOf(STOREFRONT);
    await using serving = await new Serving([folder.file('app.ts'), ...FREE, '--json']).ready();
    const shop = readFileSync(folder.file('shop.ts'), 'utf8');
    const types = () => serving.events.filter(({ event }) => event === 'types');
    await serving.until(() => types().length === 1);
    expect(types()[0]).toMatchObject({ errors: [] });

    folder.write('shop.ts', shop.replace('weights: [3, 1]', 'weights: [1, 1]'));
    await serving.until(() => types().length === 2);
    // It is live before its types are checked. How long that takes is measured in tests/bench/edit.ts.
    expect(serving.events.slice(-2).map(({ event }) => event)).toEqual(['changed', 'types']);
    expect(edits(serving)[0]).toMatchObject({
      applied: true,
      traffic: [
        {
          severity: 'altered',
          requests: '/foo',
          before: { text: 'shop/whoami:80 75 %, shop/nginx:80 25 %' },
          after: { text: 'shop/whoami:80 50 %, shop/nginx:80 50 %' },
        },
      ],
    });
    const broken = async (text: string) => {
      const seen = edits(serving).length;
      folder.write('shop.ts', text);
      await serving.until(() => edits(serving).length > seen);
      return edits(serving).at(-1)!;
    };
    const line = shop.split('\n').length;
    expect(await broken(`${shop}const oops = ;\n`)).toMatchObject({
      applied: false,
      problems: [`error ${folder.shown('shop.ts')}:${line}: Expression expected.`],
    });
    expect(await broken(`${shop}throw new TypeError('no such team');\n`)).toMatchObject({
      applied: false,
      problems: [`error ${folder.shown('shop.ts')}:${line}: TypeError: no such team.`],
    });
    expect(await broken(`${shop}throw 'no such team';\n`)).toMatchObject({
      applied: false,
      problems: [
        `error ${folder.shown('shop.ts')}:${line}: the app threw no such team, which is no Error and does not say where: throw new Error(...).`,
      ],
    });
    expect(await broken(`${shop}import './nowhere.ts';\n`)).toMatchObject({
      applied: false,
      problems: [`error ${folder.shown('shop.ts')}: imports nowhere.ts, which does not exist.`],
    });
    expect(await broken(`${shop}store.rule({ path: exact('no slash') }).to(cart);\n`)).toMatchObject({
      applied: false,
      problems: [
        expect.stringMatching(
          /^error \S+shop\.ts:\d+ shop\/store: .*spec\.rules\[\d\]\.matches\[0\]\.path\.value: found "no slash"/,
        ),
      ],
    });
    const [started] = serving.events as [{ gateways: { routes: { match: string; curl: string }[] }[] }];
    const foo = started.gateways.flatMap(({ routes }) => routes).find(({ match }) => match === '/foo')!;
    expect((await paste(foo.curl)).status).toBe(200);

    // Served, since types say nothing about traffic; and told.
    const seen = types().length;
    expect(await broken(`${shop}export const wrong: number = 'text';\n`)).toMatchObject({ applied: true });
    await serving.until(() => types().length > seen);
    expect(types().at(-1)).toMatchObject({
      errors: [
        expect.stringMatching(
          /shop\.ts:\d+: Type 'string' is not assignable to type 'number'\. \(TS2322\)\.$/,
        ),
      ],
    });
  });

  it('ends at once where an edit that never ends is being loaded', async () => {
    using folder = new Folder();
    const app = folder.write('app.ts', ROUTED);
    await using serving = await new Serving([app, ...FREE]).ready();
    folder.write('app.ts', `${ROUTED}console.error('for ever');\nfor (;;);\n`);
    await serving.until(() => serving.stderr.includes('for ever'));
    serving.signal('SIGTERM');
    expect(await serving.ended()).toBe(0);
    expect(serving.stdout).toMatch(/Stopping: [^\n]*\n$/);
  });

  it('does not wait for an edit that never ends, once the next one is saved', async () => {
    using folder = new Folder();
    const app = folder.write('app.ts', ROUTED);
    await using serving = await new Serving([app, ...FREE, '--json']).ready();
    folder.write('app.ts', `${ROUTED}console.error('for ever');\nfor (;;);\n`);
    await serving.until(() => serving.stderr.includes('for ever'));
    folder.write('app.ts', ROUTED.replace("'/a'", "'/b'"));
    await serving.until(() => edits(serving).length === 1);
    expect(edits(serving)[0]).toMatchObject({
      applied: true,
      traffic: [{ requests: '/a' }, { requests: '/b' }],
    });
  });

  it('waits for a broken app to be mended, and then serves it', async () => {
    using folder = new Folder();
    const app = folder.write('app.ts', `${ROUTED}throw new Error('not yet');\n`);
    await using serving = await new Serving([app, ...FREE]).ready();
    await serving.until(() => serving.stderr.includes('Nothing is served yet'));
    expect(serving.stderr).toMatch(/^error \S+app\.ts:\d+: not yet\.$/m);
    expect(serving.stdout).not.toContain('Gateway infra/gw');

    folder.write('app.ts', `${ROUTED}throw new Error('nor now');\n`);
    await serving.until(() => serving.stderr.includes('nor now'));
    await serving.until(() => serving.stdout.includes('app.ts: nothing is served yet'));

    folder.write('app.ts', ROUTED);
    await serving.until(() => serving.stdout.includes('1 Gateway live after'));
    // The missing Service is told once, with what stands in its place.
    await serving.until(() =>
      serving.stderr.includes('warning Services that routes name and no file defines: infra/a:80.'),
    );
    expect(serving.stderr).not.toContain('does not exist');
    expect((await paste(serving.commands[0]!)).status).toBe(200);
  });

  it.each([
    [
      'loops',
      'for (;;);\n',
      '2.5',
      /: the app did not give its objects within 2\.5 s: it loops, .*\(--app-timeout 5\)\.$/m,
    ],
    // This one is told as soon as it is so, however long the time that is left.
    [
      'waits for ever',
      'await new Promise(() => {});\n',
      '600',
      /: the app waits for something that never comes: /,
    ],
  ])('says of an app that %s that it does, and ends', async (_, text, timeout, message) => {
    using folder = new Folder();
    const app = folder.write('app.ts', text);
    for (const command of [['synth'], ['explain', 'http://a.example.com/']]) {
      const [name = '', ...rest] = command;
      const { code, stderr } = await gatewright([name, app, ...rest, '--app-timeout', timeout]);
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    }
  });

  it('says once what is no TypeScript, though the type check sees it too', async () => {
    using folder = new Folder();
    const app = folder.write('app.ts', ROUTED);
    await using serving = await new Serving([app, ...FREE, '--json']).ready();
    const types = () => serving.events.filter(({ event }) => event === 'types').length;
    await serving.until(() => types() >= 1);
    folder.write('app.ts', `${ROUTED}const oops = ;\n`);
    await serving.until(() => edits(serving).length === 1);
    // The check of the next edit comes after the one of the broken text.
    folder.write('app.ts', `${ROUTED}export const fine = 1;\n`);
    await serving.until(() => types() >= 2);
    expect(serving.stdout).not.toContain('TS1109');
  });

  it('takes an app of a package that does not say that it is of modules, without a word', async () => {
    using folder = new Folder();
    folder.write('package.json', '{ "name": "shop" }');
    const { code, stderr } = await gatewright([
      'synth',
      folder.write('app.ts', `${APP}export default app;\n`),
    ]);
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/warning/i);
  });

  it('says what to write where npm init made the package one of scripts, and goes on once it is written', async () => {
    using folder = new Folder();
    const scripts = { name: 'own', type: 'commonjs' };
    folder.write('package.json', JSON.stringify(scripts));
    // The package that it imports is the one of this checkout.
    mkdirSync(folder.file('node_modules'));
    symlinkSync(process.cwd(), folder.file('node_modules/gatewright'));
    const app = folder.write('app.ts', ROUTED);
    await using serving = await new Serving([app, ...FREE]).ready();
    await serving.until(() => serving.stderr.includes('Nothing is served yet'));
    expect(serving.stderr).toContain(
      `error ${folder.shown('package.json')}: "type": "commonjs" has Node read ${folder.shown('app.ts')} as a script, and it is a module (import, export): write "type": "module".\n`,
    );
    expect(serving.stderr).not.toContain('Warning');
    folder.write('package.json', JSON.stringify({ ...scripts, type: 'module' }));
    await serving.until(() => serving.stdout.includes('1 Gateway live after'));
  });

  it('sends nobody to a registry for this package', async () => {
    using folder = new Folder();
    folder.write('package.json', '{ "name": "own", "type": "module" }');
    const { code, stderr } = await gatewright(['synth', folder.write('app.ts', ROUTED)]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error ${folder.shown('app.ts')}: the package gatewright is not installed: run npm pack in its checkout, and npm install with the path of the file that it writes.\n`,
    );
  });

  it('says after two seconds that it still waits for an app', async () => {
    using folder = new Folder();
    const app = folder.write('app.ts', `setTimeout(() => {}, 60_000);\nawait new Promise(() => {});\n`);
    const { code, stderr } = await gatewright(['synth', app, '--app-timeout', '2.2']);
    expect(code).toBe(1);
    expect(stderr.split('\n')[0]).toBe(`Still waiting for ${folder.shown('app.ts')} ...`);
  });

  it.each([
    ['a construct', "new TeamRoute(chart, 'empty', { on: shopEdge });", 'shop/empty: the route has no rule'],
    [
      'a rule of a route',
      "store.rule({ path: exact('no slash') }).to(cart);",
      'shop/store: HTTPRoute/shop/store spec.rules[5].matches[0].path.value: found "no slash"',
    ],
    ['a constructor', "new TeamRoute(chart, 'store', { on: shopEdge });", 'There is already a Construct'],
    ['the parser of JSON', "JSON.parse('{');", 'Expected property name'],
  ])('names the line of the user where %s finds fault', async (_, text, message) => {
    using folder = Folder.copyOf(STOREFRONT);
    const shop = readFileSync(folder.file('shop.ts'), 'utf8');
    folder.write('shop.ts', `${shop}${text}\n`);
    const line = shop.split('\n').length;
    const { code, stderr } = await gatewright(['synth', folder.file('app.ts')]);
    expect(code).toBe(1);
    const place = `error ${folder.shown('shop.ts')}:${line}`;
    expect(stderr.split('\n').find((each) => each.startsWith(place))).toContain(message);
  });

  it('takes an app that calls synth itself, keeps it from writing files, and passes on what it prints', async () => {
    using folder = new Folder();
    folder.write(
      'app.ts',
      `${APP}console.log('hello from the app');\nsetInterval(() => {}, 1000);\napp.synth();\n`,
    );
    const { code, stdout, stderr } = await gatewright(['synth', folder.file('app.ts')]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('kind: Namespace\nmetadata:\n  name: shop\n'),
    });
    expect(stderr).toMatch(/^hello from the app$/m);
    expect(existsSync(folder.file('dist'))).toBe(false);
  });

  it.each([
    [
      'gives no app',
      'export const nothing = 1;\n',
      'app.ts: no app: export it (export default app), or call its synth().',
    ],
    [
      'ends its process',
      'process.exit(3);\n',
      "app.ts: the app's process ended itself with exit code 3 before it gave its objects.",
    ],
    ['rejects', "await Promise.reject(new Error('no network'));\n", 'app.ts:1: no network.'],
    [
      'imports by the name of what a compiler would make',
      "import './app.js';\n",
      'app.ts: imports app.js, which does not exist: write app.ts, which does.',
    ],
    [
      'lacks a package',
      "import 'left-pad-of-nobody';\n",
      'app.ts: the package left-pad-of-nobody is not installed: run npm install left-pad-of-nobody.',
    ],
    [
      'needs a compiler',
      'enum Team { Shop }\n',
      'app.ts:1: TypeScript enum is not supported in strip-only mode',
    ],
  ])('says in one line that an app %s', async (_, text, message) => {
    using folder = new Folder();
    const { code, stderr } = await gatewright(['synth', folder.write('app.ts', text)]);
    expect(code).toBe(1);
    expect(stderr).toContain(`error ${folder.shown(message)}`);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

const APP = `import { App, Chart } from 'cdk8s';
import { Namespace } from 'cdk8s-plus-25';
const app = new App();
new Namespace(new Chart(app, 'shop'), 'namespace', { metadata: { name: 'shop' } });
`;

const ROUTED = `import { App } from 'cdk8s';
import { allNamespaces, exact, http, PlatformChart, SharedGateway, service, TeamRoute } from 'gatewright';
export const app = new App();
const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
const shared = new SharedGateway(platform, 'gw', { listeners: { web: http(80, { routes: allNamespaces() }) } });
const route = new TeamRoute(platform, 'route', { on: shared.listener('web'), hostnames: ['a.example.com'] });
route.rule({ path: exact('/a') }).to(service('a', 80));
export default app;
`;

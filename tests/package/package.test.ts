/** The package as users get it: packed, installed into an empty folder outside the checkout, and used by a team. */
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { served } from './served.ts';

const CHECKOUT = resolve('.');
/** What the team has installed beside the package: its peers and its own tools. Linked, since they are not what is tested. */
const INSTALLED = [
  'cdk8s',
  'cdk8s-plus-25',
  'constructs',
  'typescript',
  'jest',
  '@jest/globals',
  'expect',
  '@types/node',
  '@pulumi/pulumi',
  '@pulumi/kubernetes',
];

const PLATFORM = `import { App } from 'cdk8s';
import { http, PlatformChart, SharedGateway, Team } from 'gatewright';

export const app = new App();
const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
export const shop = new Team(platform, 'shop');
const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
export const shopEdge = shared.grant(shop, { hostnames: ['shop.example.com'] });
`;

const TEAM = `import { prefix, service, TeamChart, TeamRoute } from 'gatewright';
import { app, shop, shopEdge } from './platform.js';

const chart = new TeamChart(app, 'shop', { team: shop });
const cart = new TeamRoute(chart, 'cart', { on: shopEdge, hostnames: ['shop.example.com'] });
cart.rule({ path: prefix('/cart') }).to(service('cart', 8080));

app.synth();
export default app;
`;

const TEST = `import { expect, test } from '@jest/globals';
import { synthesize } from 'gatewright';
import 'gatewright/jest';
import app from './team.js';

test('the cart has a route', () => {
  const routes = synthesize(app).objects.filter(({ object }) => object.kind === 'HTTPRoute');
  expect(routes.map(({ path }) => path)).toEqual(['shop/cart']);
  expect(app).toRoute('GET http://shop.example.com/cart', { headers: { 'x-tier': 'gold' } }).to('shop/cart').withShare(1);
  expect(app).toRoute('http://shop.example.com/').toReject(404);
  expect(app).toHaveNoShadowedRules();
});
`;

/** In a stack that is none, and with a cluster that is not there. */
const STACK = `import { log, runtime } from '@pulumi/pulumi';
import { AppResources, previewTraffic } from 'gatewright/pulumi';
import app from './team.js';

process.env.KUBECONFIG = 'nowhere';
await runtime.setMocks({
  newResource: ({ name, inputs }) => ({ id: name, state: inputs }),
  call: ({ inputs }) => inputs,
});
let told = '';
log.warn = async (text) => { told += text; };
const traffic = await previewTraffic(app);
const { resources } = new AppResources('shop', { app });
await new Promise((resolve) => traffic.deployedWith(resources.values()).apply(resolve));
const said = told.startsWith('traffic is not compared: ') ? 'first deployment' : told;
console.log(said, [...resources.keys()].find((name) => name.startsWith('HTTPRoute/')));
`;

/** Two that fail: one at its line, one at its end. */
const FAILING_TEST = `import { expect, test } from '@jest/globals';
import 'gatewright/jest';
import app from './team.js';

test('says what is not so', () => {
  expect(app).toRoute('http://shop.example.com/cart').to('shop/trolley');
});

test('says nothing', () => {
  expect(app).toRoute('http://shop.example.com/cart');
});

// @ts-expect-error a Routed has no such word
const wrong = () => expect(app).toRoute('http://shop.example.com/').toBe(1);
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'out',
  },
  include: ['src'],
};

let folder = '';
const file = (name: string) => join(folder, name);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(command: string, args: readonly string[], cwd = folder): Promise<Ran> {
  // Not jest's options, and this Node, whichever is the machine's.
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', PATH: path };
  try {
    return { code: 0, ...(await promisify(execFile)(command, args, { cwd, env })) };
  } catch (error) {
    return error as Ran;
  }
}
const node = (...args: string[]) => run(process.execPath, args);
const jest = (name: string) =>
  node(
    ...['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--rootDir', 'out'],
    ...['--transform', '{}', '--no-cache', name],
  );
const gatewright = (...args: string[]) => run(file('node_modules/.bin/gatewright'), args);

describe('the package', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatewright-package-'));
    const packed = await run('npm', ['pack', '--pack-destination', folder], CHECKOUT);
    expect(packed).toMatchObject({ code: 0 });
    const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    writeFileSync(file('package.json'), JSON.stringify({ name: 'team', private: true, type: 'module' }));
    const quick = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--legacy-peer-deps'];
    expect(await run('npm', ['install', ...quick, `./${tarball}`])).toMatchObject({ code: 0 });
    for (const name of INSTALLED) {
      mkdirSync(dirname(file(`node_modules/${name}`)), { recursive: true });
      symlinkSync(join(CHECKOUT, 'node_modules', name), file(`node_modules/${name}`));
    }
    mkdirSync(file('src'));
    writeFileSync(file('tsconfig.json'), JSON.stringify(TSCONFIG));
    writeFileSync(file('src/platform.ts'), PLATFORM);
    writeFileSync(file('src/team.ts'), TEAM);
    writeFileSync(file('src/team.test.ts'), TEST);
    writeFileSync(file('src/failing.test.ts'), FAILING_TEST);
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("lets a team's program compile, and not one that names a host of others", async () => {
    const tsc = ['node_modules/typescript/bin/tsc', '-p', '.'];
    expect(await node(...tsc)).toMatchObject({ code: 0, stdout: '' });
    const stray = TEAM.replace("hostnames: ['shop.example.com']", "hostnames: ['media.example.com']");
    writeFileSync(file('src/stray.ts'), stray);
    const refused = await node(...tsc, '--noEmit');
    rmSync(file('src/stray.ts'));
    expect(refused.code).not.toBe(0);
    expect(refused.stdout).toMatch(/^src\/stray\.ts\(5,\d+\): error TS2322: .*media\.example\.com/);
  });

  it('has types that compile on their own, for who does not skip those of libraries', async () => {
    const exports = ['.', '/runtime', '/jest', '/pulumi'].map(
      (path) => `import 'gatewright${path.replace('.', '')}';\n`,
    );
    writeFileSync(file('exports.ts'), exports.join(''));
    const strict = ['--ignoreConfig', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--strict'];
    const tsc = ['node_modules/typescript/bin/tsc', ...strict, '--types', 'node', 'exports.ts'];
    expect(await node(...tsc)).toMatchObject({ code: 0, stdout: '' });
  });

  it('synthesizes with node, with gatewright, and in the same bytes', async () => {
    expect(await node('out/team.js')).toMatchObject({ code: 0, stdout: '' });
    const written = readFileSync(file('dist/shop.k8s.yaml'), 'utf8');
    expect(written).toContain('kind: HTTPRoute');
    expect(await gatewright('synth', 'out/team.js', '-o', 'yaml')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('wrote yaml/shop.k8s.yaml'),
    });
    expect(readFileSync(file('yaml/shop.k8s.yaml'), 'utf8')).toBe(written);
  });

  it('explains, as everywhere', async () => {
    const explained = await gatewright('explain', 'out/team.js', 'http://shop.example.com/cart');
    expect(explained).toMatchObject({ code: 0, stdout: expect.stringContaining('Service shop/cart:8080') });
  });

  it('passes a jest test of the team', async () => {
    const tested = await jest('team');
    expect(tested).toMatchObject({ code: 0, stderr: expect.stringContaining('1 passed') });
  });

  it('fails one that the app does not hold, with the explanation, and one that says nothing', async () => {
    const { code, stderr } = await jest('failing');
    expect(code).toBe(1);
    expect(stderr).toContain('Tests:       2 failed, 2 total');
    expect(stderr).toContain('Received: to Service shop/cart:8080');
    expect(stderr).toContain('Answer      Served by HTTPRoute shop/cart spec.rules[0].');
    expect(stderr).toMatch(/says nothing yet: where does the request go\?[^●]*failing\.test\.js:8:/);
  });

  /** The repository that `init` made, with what is installed here. */
  const installed = (name: string) => symlinkSync(file('node_modules'), file(`${name}/node_modules`));

  it('begins a repository of a platform and one of a team, which compile, pass their tests and preview', async () => {
    expect(await gatewright('init', 'platform', 'platform')).toMatchObject({ code: 0, stderr: '' });
    installed('platform');
    for (const script of ['test', 'grants'])
      expect(await run('npm', ['run', script], file('platform'))).toMatchObject({ code: 0 });
    const grants = file('platform/grants/shop.ts');
    const { stdout } = await gatewright('init', 'team', 'shop', '--grants', grants, '--json');
    const { files } = JSON.parse(stdout) as { files: string[] };
    expect(readdirSync(file('shop'), { recursive: true })).toEqual(expect.arrayContaining(files));
    // Of the example nothing was left out or altered, for the team that it is of.
    for (const name of readdirSync('examples/team-shop', { recursive: true, encoding: 'utf8' }).filter(
      (each) => /\.\w+$/.test(each),
    ))
      expect([name, readFileSync(file(`shop/${name}`), 'utf8')]).toEqual([
        name,
        readFileSync(`examples/team-shop/${name}`, 'utf8'),
      ]);
    const { dependencies } = JSON.parse(readFileSync(file('shop/package.json'), 'utf8'));
    expect(dependencies.gatewright).toMatch(/^file:\.\.\/gatewright-[\d.]+\.tgz$/);
    installed('shop');
    expect(await run('npm', ['test'], file('shop'))).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('2 passed'),
    });
    const synthesized = await run('npm', ['run', 'synth'], file('shop'));
    expect(synthesized).toMatchObject({ code: 0 });
    expect(readdirSync(file('shop/dist'))).toEqual(['shop.k8s.yaml']);
    expect(await served(file('shop'), 'shop.example.com', '/cart')).toMatch(/^Hostname: cart$/m);

    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], file('shop'));
    for (const args of [
      ['init', '-q'],
      ['add', '.'],
      ['commit', '-qm', 'first'],
    ])
      expect(await git(...args)).toMatchObject({ code: 0 });
    const app = readFileSync(file('shop/app.ts'), 'utf8');
    writeFileSync(file('shop/app.ts'), app.replace("prefix('/')", "prefix('/home')"));
    const preview = await run('npm', ['run', '--silent', 'preview', '--', 'HEAD'], file('shop'));
    expect(preview).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/^LOST: [\s\S]*\nREFUSED: 1 of 1 change \(--refuse lost,cross-team\)\n/),
    });
    const approved = readFileSync(file('shop/approved.yaml'), 'utf8');
    writeFileSync(file('shop/approved.yaml'), `${approved}- { host: shop.example.com, why: it moved }\n`);
    expect((await run('npm', ['run', '--silent', 'preview', '--', 'HEAD'], file('shop'))).code).toBe(0);
    const again = await gatewright('init', 'team', 'shop', '--grants', grants);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(
      'error shop has app.ts, preview.ts, app.test.ts and 11 more already, so nothing was written.',
    );
  }, 120_000);

  it("previews the traffic of a team's Pulumi program", async () => {
    writeFileSync(file('out/stack.js'), STACK);
    const ran = await node('out/stack.js');
    expect(ran).toMatchObject({ code: 0, stdout: 'first deployment HTTPRoute/shop/cart\n' });
  });

  it('imports only what it declares', () => {
    const root = file('node_modules/gatewright');
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    // Itself by name: in programs that it writes.
    const declared = new Set([
      manifest.name,
      ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    ]);
    // Those that `init` writes are the user's.
    const modules = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('examples'),
    );
    const imported = modules
      .filter((name) => name.endsWith('.js'))
      .flatMap((name) => [
        ...readFileSync(join(root, 'dist', name), 'utf8').matchAll(
          /(?:from|import\(|^import) ?'([^.'\s][^'\s]*)'/gm,
        ),
      ])
      .map(([, specifier]) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier!)![0]);
    const packages = new Set(
      imported.filter((name) => !name.startsWith('node:') && !builtinModules.includes(name)),
    );
    expect([...packages].filter((name) => !declared.has(name))).toEqual([]);
    expect(packages.size).toBeGreaterThan(3);
    expect(modules.some((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toBe(false);
  });
});

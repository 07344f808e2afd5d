import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

const OBJECTS = documents(
  GATEWAY,
  service('cart', 8080),
  service('cart-gold', 8080),
  route(
    'store',
    'shop.example.com',
    `    - matches: [{ path: { value: /cart }, headers: [{ name: x-tier, value: gold }] }]
      filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-lane, value: fast }] } }]
      backendRefs: [{ name: cart-gold, port: 8080 }]
    - matches: [{ path: { value: /cart } }]
      backendRefs: [{ name: cart, port: 8080, weight: 3 }, { name: cart-gold, port: 8080 }]
`,
  ),
  route('lost', 'lost.example.com', '    - backendRefs: [{ name: nowhere, port: 80 }]\n'),
  route('stray', 'stray.example.com', '    - {}\n').replace(
    'name: shared-gw,',
    'name: shared-gw, sectionName: nope,',
  ),
);

describe('gatewright explain', () => {
  it('says where a request goes and why, and assumes what may be in the cluster', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', OBJECTS);
    const { code, stdout, stderr } = await gatewright([
      'explain',
      file,
      'GET',
      'https://shop.example.com/cart',
      '-H',
      'x-tier: gold',
    ]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'Taken to be in the cluster: Secret/infra/wildcard, Service/shop/nowhere (not with --strict).\n',
    });
    expect(stdout).toContain('Served by HTTPRoute shop/store spec.rules[0].');
    expect(stdout).toMatch(/the match with the\s+most\s+headers goes first/);
    expect(stdout).toContain('Service shop/cart-gold:8080');
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
  });

  it('gives the same as JSON', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', OBJECTS);
    const { code, stdout } = await gatewright([
      'explain',
      file,
      'http://shop.example.com:8080/cart',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      gateway: 'infra/shared-gw',
      request: { method: 'GET', host: 'shop.example.com', path: '/cart', port: 80 },
      backends: [
        { name: 'Service shop/cart:8080', share: 75 },
        { name: 'Service shop/cart-gold:8080', share: 25 },
      ],
      refused: [],
    });
  });

  it('says which route would have served a 404, and why it does not', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', OBJECTS);
    const { code, stdout } = await gatewright(['explain', file, 'GET', 'http://stray.example.com/']);
    expect(code).toBe(1);
    expect(stdout).toContain('Answered 404');
    expect(stdout).toMatch(/^Refused {5}HTTPRoute\/shop\/stray \(NoMatchingParent\)$/m);
  });

  it('ends with 1 where a rule, or a share of it, answers with an error', async () => {
    using folder = new Folder();
    const half = '    - backendRefs: [{ name: cart, port: 8080 }, { name: nowhere, port: 80 }]\n';
    const file = folder.write('all.yaml', documents(OBJECTS, route('half', 'half.example.com', half)));
    const whole = await gatewright(['explain', '--strict', file, 'http://lost.example.com/']);
    expect(whole).toMatchObject({ code: 1, stdout: expect.stringContaining('500') });
    const partly = await gatewright(['explain', '--strict', file, 'http://half.example.com/']);
    expect(partly.code).toBe(1);
    const redirect = '    - filters: [{ type: RequestRedirect, requestRedirect: { scheme: https } }]\n';
    folder.write('all.yaml', documents(OBJECTS, route('to', 'to.example.com', redirect)));
    expect((await gatewright(['explain', file, 'http://to.example.com/'])).code).toBe(0);
  });

  it('names the Gateway where there are two, and shows the one that serves', async () => {
    using folder = new Folder();
    const other = GATEWAY.replace('name: shared-gw', 'name: another-gw');
    const file = folder.write('all.yaml', documents(other, OBJECTS));
    const { code, stdout } = await gatewright(['explain', file, 'http://shop.example.com/cart']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Gateway infra\/shared-gw\nGET http:\/\/shop\.example\.com\/cart\n/);
    expect(stdout).toMatch(/^Gateway infra\/another-gw: answered 404: .*\.$/m);
  });

  it('says of a route without a parent whether the parent was refused', async () => {
    using folder = new Folder();
    const refused = GATEWAY.replace('name: shared-gw', 'name: broken-gw').replace('listeners:', 'listenrs:');
    const to = (name: string) =>
      route(name, `${name}.example.com`, '    - {}\n').replace('name: shared-gw,', `name: ${name},`);
    const file = folder.write('all.yaml', documents(OBJECTS, refused, to('broken-gw'), to('absent')));
    const broken = await gatewright(['explain', file, 'http://broken-gw.example.com/']);
    expect(broken.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'HTTPRoute/shop/broken-gw (ParentNotFound) spec.parentRefs[0]: it names Gateway/infra/broken-gw, which was refused: the error above says why.',
    );
    const absent = await gatewright(['explain', file, 'http://absent.example.com/']);
    expect(absent.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'HTTPRoute/shop/absent (ParentNotFound) spec.parentRefs[0]: Gateway infra/absent does not exist;',
    );
  });

  it.each([
    ['no URL', ['GET', '/cart'], 2, 'found "/cart", expected a method and a URL'],
    ['no files', ['GET', 'http://shop.example.com/'], 2, 'no such file or folder'],
    [
      'a port that no listener has',
      ['FILE', 'http://shop.example.com:99/'],
      1,
      'no listener of infra/shared-gw has port 99. There are: 80, 443.',
    ],
    [
      'a Gateway that is not there',
      ['FILE', 'http://a/', '--gateway', 'infra/x'],
      1,
      'no Gateway infra/x. There is: infra/shared-gw.',
    ],
    [
      'a header without colon',
      ['FILE', 'http://a/', '-H', 'x'],
      2,
      'found the header "x", expected a name, a colon and a value',
    ],
  ])('refuses %s', async (_, args, code, message) => {
    using folder = new Folder();
    const file = folder.write('all.yaml', OBJECTS);
    const result = await gatewright(['explain', ...args.map((arg) => (arg === 'FILE' ? file : arg))]);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(`error ${''}`) });
    expect(result.stderr).toContain(message);
  });
});

describe('gatewright status', () => {
  it("says each object's conditions in words", async () => {
    using folder = new Folder();
    const { code, stdout } = await gatewright(['status', folder.write('all.yaml', OBJECTS)]);
    expect(code).toBe(1);
    expect(stdout.replaceAll(`${folder.shown('')}/`, '')).toMatchInlineSnapshot(`
"Gateway infra/shared-gw  all.yaml document 1
  accepted, programmed, references resolved
  listener web, 2 routes: accepted, programmed, references resolved
  listener secure, 2 routes: accepted, programmed, references resolved
HTTPRoute shop/lost  all.yaml document 5
  on Gateway infra/shared-gw: accepted, references not resolved (BackendNotFound)
      spec.rules[0].backendRefs[0]: Service shop/nowhere does not exist. Create it, or correct the name or namespace.
  example GET http://lost.example.com/
HTTPRoute shop/store  all.yaml document 4
  on Gateway infra/shared-gw: accepted, references resolved
HTTPRoute shop/stray  all.yaml document 6
  on Gateway infra/shared-gw listener nope: references resolved, not accepted (NoMatchingParent)
      spec.parentRefs[0]: Gateway infra/shared-gw has no listener with sectionName nope; those that take HTTPRoute objects of namespace shop: web (port 80), secure (port 443). Set sectionName to one of web, secure.
  warning spec.rules[0].backendRefs: found no backend, so requests that match get 500. Fix: add a backendRef, or a RequestRedirect filter.
  example GET http://stray.example.com/

4 objects, 2 with something refused.
"
`);
  });

  it('counts what could not be read, and says of nothing that all is well', async () => {
    using folder = new Folder();
    const { code, stdout, stderr } = await gatewright(['status', folder.write('app.ts', 'const oops = ;\n')]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '\n0 objects, and 1 error above.\n' });
    expect(stderr).toContain('Expression expected');
  });

  it('takes missing Secrets as missing with --strict, and gives everything as JSON', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', documents(OBJECTS, 'kind: HTTPRout\n'));
    const { code, stdout, stderr } = await gatewright(['status', file, '--strict', '--json']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      assumed: [],
      problems: [expect.stringMatching(/^error .*apiVersion/)],
    });
    const { objects } = JSON.parse(stdout) as {
      objects: { kind: string; status: { listeners: unknown[] } }[];
    };
    const gateway = objects.find(({ kind }) => kind === 'Gateway')!;
    expect(gateway.status.listeners[1]).toMatchObject({
      name: 'secure',
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'ResolvedRefs', status: 'False', reason: 'InvalidCertificateRef' }),
      ]),
    });
  });
});

describe('gatewright synth', () => {
  it('writes one file per chart, the same bytes each time', async () => {
    using folder = new Folder();
    const written = async (name: string) => {
      const output = folder.file(name);
      const { code, stdout } = await gatewright(['synth', 'examples/storefront/app.ts', '-o', output]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      return readdirSync(output).map((file) => [file, readFileSync(`${output}/${file}`, 'utf8')]);
    };
    const first = await written('first');
    expect(first.map(([file]) => file)).toEqual(
      expect.arrayContaining(['platform.k8s.yaml', 'shop.k8s.yaml']),
    );
    expect(await written('second')).toEqual(first);
  });

  it('prints Namespaces before what lives in them, and every object once', async () => {
    const { code, stdout } = await gatewright(['synth', 'examples/storefront/app.ts']);
    const kinds = parseAllDocuments(stdout)
      .map((document) => document.toJS().kind as string)
      .filter((kind) => kind !== 'CustomResourceDefinition');
    const namespaces = kinds.filter((kind) => kind === 'Namespace').length;
    expect({ code, namespaces }).toEqual({ code: 0, namespaces: 5 });
    expect(kinds.slice(0, namespaces)).toEqual(Array(namespaces).fill('Namespace'));
    expect(kinds.length).toBeGreaterThan(30);
  });

  it('names the construct and what was asked and granted, and writes nothing', async () => {
    using folder = Folder.copyOf('examples/storefront');
    const shop = readFileSync(folder.file('shop.ts'), 'utf8');
    const stray =
      "new TeamRoute(chart, 'stray', { on: shopEdge, hostnames: ['media.example.com' as never] })";
    folder.write('shop.ts', `${shop}${stray}.rule().to(cart);\n`);
    const { code, stdout, stderr } = await gatewright(['synth', folder.file('app.ts')]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error \S+shop\.ts:\d+ shop\/stray: hostnames\[0\]: hostname media\.example\.com is outside .*granted: shop\.example\.com, \*\.shop\.example\.com/m,
    );
    expect(stderr).toMatch(/^error nothing was written: 1 error in /m);
  });
});

describe('gatewright', () => {
  it.each(['serve', 'synth', 'explain', 'status', 'diff', 'replay', 'owners', 'init'])(
    'teaches %s with examples, within 80 columns',
    async (command) => {
      const { code, stdout } = await gatewright([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`Examples:\\n  gatewright ${command} `));
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );

  it.each([
    [['serve'], "missing required argument 'path'"],
    [['serve', 'x.yaml', '--port-offset', 'many'], 'Expected 0 to 64000, or free.'],
    [['serve', 'x.yaml', '--admin', 'here'], 'Expected address:port'],
    [['serve', 'x.yaml', '--backend', 'cart=http://a'], 'expected namespace/service:port=http://host:port'],
    [
      ['serve', 'x.yaml', '--backend', 'shop/cart:80=https://a'],
      'a BackendTLSPolicy for Service shop/cart decides whether it is reached over TLS',
    ],
    [['serve', 'x.yaml', '--backend', 'shop/cart:80=https://[::1]:9'], 'and shop/cart:80=http://[::1]:9'],
    [['serve', 'x.yaml', '--backend', 'shop/cart:80=ftp://a'], 'ftp://a has the scheme ftp: expected'],
    [['serve', 'no-such-file.yaml'], 'error no-such-file.yaml: no such file or folder.'],
    [['synth', 'package.json'], 'expected a TypeScript or JavaScript module with a cdk8s App'],
    [['serve', 'x.yaml', '--adres', '::1'], "unknown option '--adres'\n(Did you mean --address?)"],
    [['examples/storefront/app.ts'], 'Fix: gatewright serve examples/storefront/app.ts.'],
    [['sreve'], "unknown command 'sreve'\n(Did you mean serve?)"],
  ])('%j is a mistake: exit code 2, and what was expected', async (args, message) => {
    const { code, stdout, stderr } = await gatewright(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it.each(['-v', '-V', '--version'])('%s says the version', async (flag) => {
    const { code, stdout } = await gatewright([flag]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('has no colour where output is not a terminal', async () => {
    const { stdout, stderr } = await gatewright(['status', 'examples/storefront/app.ts']);
    expect(stdout + stderr).not.toContain('\u001b');
  });
});

/** What the command line says of routes that do not serve: with explain, status, serve and synth. */
import { describe, expect, it } from '@jest/globals';
import type { Explained } from '../../gateway-runtime/explain/explanation.ts';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

const APP = `
  import { App } from 'cdk8s';
  import { exact, http, PlatformChart, service, SharedGateway, Team, TeamChart, TeamRoute } from 'gatewright';
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop');
  const gateway = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
  const edge = gateway.grant(shop, { hostnames: ['shop.example.com', '*.shop.example.com'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  const cart = new TeamRoute(chart, 'cart', { on: edge, hostnames: ['media.example.com'] });
  cart.rule({ path: exact('/cart') }).to(service('cart', 8080));
  export default app;
`;

const flat = (text: string) => text.replaceAll(/\s+/g, ' ');

describe('explain, of a host that', () => {
  it('no grant allows, says which grant of which team lacks it, right under the answer', async () => {
    using folder = new Folder();
    const file = folder.write('app.js', APP);
    const { code, stdout } = await gatewright(['explain', file, 'http://media.example.com/cart']);
    expect(code).toBe(1);
    const [, answer] = stdout.split('\n\n');
    expect(flat(answer!)).toMatch(
      /^Answer Answered 404: .*?\. Refused HTTPRoute\/shop\/cart \(RefusedAtSynth\) hostnames\[0\]: hostname media\.example\.com is outside grant platform\/shared-gw\/shop \(granted: shop\.example\.com, \*\.shop\.example\.com\)\. Missing: a grant of hostname media\.example\.com at gateway infra\/shared-gw to team shop\. In .*app\.js(:\d+)? shop\/cart\. Listener /,
    );
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
    const json = await gatewright(['explain', file, 'http://media.example.com/cart', '--json']);
    expect((JSON.parse(json.stdout) as Explained).refused).toEqual([
      expect.objectContaining({
        route: 'HTTPRoute/shop/cart',
        reason: 'RefusedAtSynth',
        origin: expect.stringContaining(' shop/cart'),
      }),
    ]);
  }, 30_000);

  it('a route names without the namespace of its Gateway says which to add', async () => {
    using folder = new Folder();
    const lost = route('lost', 'lost.example.com', '    - {}\n').replace(', namespace: infra', '');
    const file = folder.write('all.yaml', documents(GATEWAY, lost));
    const { stdout } = await gatewright(['explain', file, 'http://lost.example.com/']);
    expect(flat(stdout)).toContain(
      'Gateway infra/shared-gw does, and takes routes of every namespace. Fix: add namespace: infra to the reference.',
    );
    const status = await gatewright(['status', file]);
    expect(flat(status.stdout)).toContain('add namespace: infra to the reference.');
    expect(status.stdout).toContain('\n  example GET http://lost.example.com/\n');
  });

  it('a route that was refused for its fields may have had says so', async () => {
    using folder = new Folder();
    const typo = route('typo', 'typo.example.com', '    - {}\n').replace('hostnames:', 'hostname:');
    const file = folder.write('all.yaml', documents(GATEWAY, typo));
    const { stdout } = await gatewright(['explain', file, 'http://typo.example.com/']);
    expect(flat(stdout)).toMatch(/HTTPRoute\/shop\/typo \(InvalidField\) spec\.hostname: .* In .*all\.yaml/);
  });

  it('a route serves says nothing of refused ones', async () => {
    using folder = new Folder();
    const good = route('good', 'shop.example.com', '    - backendRefs: [{ name: cart, port: 8080 }]\n');
    const bad = route('bad', 'shop.example.com', '    - {}\n').replace(', namespace: infra', '');
    const file = folder.write('all.yaml', documents(GATEWAY, service('cart', 8080), good, bad));
    const { code, stdout } = await gatewright(['explain', file, 'http://shop.example.com/', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ gateway: 'infra/shared-gw', others: [], refused: [] });
  });
});

describe('status', () => {
  it('says what a Gateway is accepted without, what only warns, and requests that show it', async () => {
    using folder = new Folder();
    const raw = GATEWAY.replace('listeners:', 'listeners:\n    - { name: raw, port: 9000, protocol: TCP }');
    const broken = route(
      'broken',
      'a.example.com',
      '    - matches: [{ path: { value: /cart }, headers: [{ name: x-tier, value: gold }] }]\n      backendRefs: [{ name: none, port: 80 }]\n    - {}\n',
    );
    const file = folder.write('all.yaml', documents(raw, broken));
    const { code, stdout } = await gatewright(['status', file]);
    expect(code).toBe(1);
    expect(flat(stdout)).toContain('accepted (ListenersNotValid), programmed');
    expect(flat(stdout)).toContain("Listeners that can't be served: raw. Served: web, secure.");
    expect(flat(stdout)).toContain(
      'warning spec.rules[1].backendRefs: found no backend, so requests that match get 500.',
    );
    expect(stdout).toContain(
      "  example GET http://a.example.com/cart -H 'x-tier: gold'\n  example GET http://a.example.com/\n",
    );
    const { objects } = JSON.parse((await gatewright(['status', file, '--json'])).stdout) as {
      objects: { name: string; diagnostics: object[] }[];
    };
    expect(objects.find(({ name }) => name === 'broken')!.diagnostics).toEqual([
      expect.objectContaining({
        severity: 'error',
        code: 'route/backend-not-found',
        field: 'spec.rules[0].backendRefs[0]',
        example: {
          method: 'GET',
          url: 'http://a.example.com/cart',
          headers: [{ name: 'x-tier', value: 'gold' }],
        },
      }),
      expect.objectContaining({ severity: 'warning', code: 'route/no-backends' }),
    ]);
  });
});

describe('synth', () => {
  it('names rules by the path of their field, and shows what is said by a request', async () => {
    using folder = new Folder();
    const file = folder.write('app.js', APP.replace("'media.example.com'", "'shop.example.com'"));
    const { code, stderr } = await gatewright(['synth', file]);
    expect(code).toBe(0);
    expect(flat(stderr)).toMatch(
      /spec\.rules\[0\]\.backendRefs\[0\]: Service shop\/cart does not exist\. .*Example: GET http:\/\/shop\.example\.com\/cart\./,
    );
  }, 30_000);
});

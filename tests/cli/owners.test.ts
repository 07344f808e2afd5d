/** Who may use what, by Grants, by listeners and by constructs; and who has a URL, however it is spelt. */
import { describe, expect, it } from '@jest/globals';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, route, service } from './support/objects.ts';

const GATEWAY = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: shared-gw, namespace: infra, annotations: { gatewright.dev/granted-listeners: web } }
spec:
  gatewayClassName: gatewright
  allowedListeners: { namespaces: { from: All } }
  listeners:
    - { name: web, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }
    - { name: open, port: 80, protocol: HTTP, hostname: open.example.com, allowedRoutes: { namespaces: { from: All } } }
`;

const listenerSet = (
  team: string,
  hostname: string,
  namespaces: string,
) => `apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: { name: shared-gw-${team}, namespace: infra, labels: { gatewright.dev/team: ${team} } }
spec:
  parentRef: { name: shared-gw }
  listeners:
    - name: web
      hostname: '${hostname}'
      port: 80
      protocol: HTTP
      allowedRoutes:
        namespaces: { from: Selector, selector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: [${namespaces}] }] } }
`;

const grant = (team: string, entry: string, of = 'shop') => `apiVersion: gatewright.dev/v1alpha1
kind: Grant
metadata: { name: shared-gw-${team}, namespace: infra, labels: { gatewright.dev/team: ${team} } }
spec:
  gatewayName: shared-gw
  team: ${team}
  namespace: ${team}
  grants:
    - name: ${team}
      kinds: [HTTPRoute]
      listeners: [{ kind: ListenerSet, name: shared-gw-${of}, sectionNames: [web] }]
${entry}`;

/** shop has the wildcard, and gave /checkout of it to payments; media has a host inside it. */
const OBJECTS = documents(
  GATEWAY,
  listenerSet('shop', '*.example.com', 'shop, payments'),
  grant(
    'shop',
    "      hostnames: ['*.example.com']\n      delegated: [{ path: /checkout, hostnames: ['*.example.com'], team: payments, namespace: payments }]\n",
  ),
  grant('payments', "      hostnames: ['*.example.com']\n      paths: [/checkout]\n"),
  listenerSet('media', 'media.example.com', 'media'),
  service('cart', 8080),
  route('store', 'shop.example.com', '    - backendRefs: [{ name: cart, port: 8080 }]\n').replace(
    'name: shared-gw,',
    'kind: ListenerSet, group: gateway.networking.k8s.io, name: shared-gw-shop,',
  ),
);

interface Report {
  readonly owners: readonly Record<string, unknown>[];
  readonly claimedBySeveral: readonly unknown[];
}

async function asked(objects: string, ...args: string[]) {
  using folder = new Folder();
  folder.write('all.yaml', objects);
  return await gatewright(['owners', 'all.yaml', ...args], folder.path);
}

const narrow = (text: string) => text.split('\n').filter((line) => line.length > 80);

describe('gatewright owners', () => {
  it('tells ports, which are of no host, from the hosts of a grant', async () => {
    const db =
      '    - { name: db, port: 5432, protocol: TCP, allowedRoutes: { namespaces: { from: Selector, selector: { matchLabels: { kubernetes.io/metadata.name: media } } } } }\n';
    const entry = '      hostnames: [media.example.com]\n';
    const { stdout } = await asked(
      documents(
        GATEWAY.replace('listeners: web', 'listeners: "web,db"') + db,
        listenerSet('media', 'media.example.com', 'media'),
        grant('media', entry, 'media')
          .replace('[HTTPRoute]', '[HTTPRoute, TCPRoute]')
          .replace('}]\n', '}, { kind: Gateway, name: shared-gw, sectionNames: [db] }]\n'),
      ),
      '--team',
      'media',
    );
    expect(stdout.split('\n').filter((line) => line.startsWith('  media'))).toEqual([
      expect.stringMatching(/^ {2}media {2}media\.example\.com {2}\/\* +80 +none yet$/),
      expect.stringMatching(/^ {2}media {2}- +- +5432 +not served$/),
    ]);
  });

  it('lists what Grants say, what was given on, and what listeners admit by themselves', async () => {
    const { code, stdout } = await asked(OBJECTS);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Gateway infra/shared-gw

  TEAM      HOST               PATH         PORTS  ROUTES
  -         open.example.com   /*           80     none yet
      open to any namespace
      inside *.example.com of shop
      all.yaml document 1 Gateway/infra/shared-gw
  media     media.example.com  /*           80     none yet
      inside *.example.com of shop
      all.yaml document 5 ListenerSet/infra/shared-gw-media
  payments  *.example.com      /checkout/*  80     none yet
      all.yaml document 4 Grant/infra/shared-gw-payments grant payments
  shop      *.example.com      /*           80     store
      /checkout/* is given on to payments
      all.yaml document 3 Grant/infra/shared-gw-shop grant shop

4 hosts and paths of 3 teams: 3 without routes, none claimed by several.
`,
    });
  });

  it('names constructs and their lines, in 80 columns', async () => {
    const { code, stdout } = await gatewright(['owners', 'examples/storefront/app.ts']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      / {2}shop {3}shop\.example\.com {6}\/\* {4}80, 443 {2}store\n {2}shop {3}\*\.shop\.example\.com {4}\/\* {4}80, 443 {2}whoami\n {6}examples\/storefront\/platform\.ts:\d+ platform\/shared-gw\/shop\n/,
    );
    expect(narrow(stdout)).toEqual([]);
  });

  it('gives everything as JSON, of a team or a host', async () => {
    const { code, stdout } = await asked(OBJECTS, '--team', 'shop', '--json');
    expect(code).toBe(0);
    const { owners } = JSON.parse(stdout) as Report;
    expect(owners).toEqual([
      expect.objectContaining({
        team: 'shop',
        gateway: 'infra/shared-gw',
        host: '*.example.com',
        path: '/',
        grant: 'shop',
        object: 'Grant/infra/shared-gw-shop',
        namespaces: ['shop'],
        kinds: ['HTTPRoute'],
        listeners: [expect.objectContaining({ listener: 'web', port: 80, protocol: 'HTTP', isServed: true })],
        routes: [expect.objectContaining({ route: 'HTTPRoute/shop/store' })],
        delegated: [expect.objectContaining({ path: '/checkout', team: 'payments' })],
      }),
    ]);
    const ofHost = await asked(OBJECTS, '--host', 'MEDIA.example.com.', '--json');
    expect((JSON.parse(ofHost.stdout) as Report).owners.map(({ team, host }) => [team, host])).toEqual([
      ['shop', '*.example.com'],
      ['payments', '*.example.com'],
      ['media', 'media.example.com'],
    ]);
  });

  it('ends with 1 where two have what none of them gave to the other', async () => {
    // As before, but the Grant of shop does not say that it gave /checkout on.
    const undelegated = OBJECTS.replace(/ {6}delegated: .*\n/, '');
    expect(undelegated).not.toBe(OBJECTS);
    const { code, stdout } = await asked(undelegated);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `
claimed by several: *.example.com /checkout/* of Gateway infra/shared-gw is
  for payments and shop. Fix: grant it to one of them, and have that team
  delegate paths of it.
`,
    );
    const atOpen = (namespace: string) =>
      route(`at-${namespace}`, 'open.example.com', '    - {}\n').replace(
        'namespace: shop',
        `namespace: ${namespace}`,
      );
    const open = await asked(documents(OBJECTS, atOpen('blue'), atOpen('green')), '--json');
    expect((JSON.parse(open.stdout) as Report).claimedBySeveral).toEqual([
      {
        gateway: 'infra/shared-gw',
        host: 'open.example.com',
        path: '/',
        holders: ['namespace blue', 'namespace green'],
      },
    ]);
  });

  it.each([
    ['https://shop.example.com/', 'no listener of infra/shared-gw has port 443. There is: 80.', 1],
    ['shop.example.com', 'expected a URL such as https://shop.example.com/checkout', 2],
  ])('says of --url %s what is wrong', async (url, message, expected) => {
    const { code, stdout, stderr } = await asked(OBJECTS, '--url', url);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('says which teams there are where one is not known, without who has the gateway itself', async () => {
    const ofTheGateway = OBJECTS.replaceAll('{ from: All } } }', '{ from: Same } } }');
    const { code, stderr } = await asked(ofTheGateway, '--team', 'shpo');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error nothing is granted for team shpo. Teams with grants: media, payments, shop.\n',
    });
  });
});

describe('the owner of a URL', () => {
  it('is told with who answers, where that is another', async () => {
    const { code, stdout } = await asked(OBJECTS, '--url', 'http://SHOP.example.com.:8080/a/../checkout/x');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `http://SHOP.example.com.:8080/a/../checkout/x
Read as   http://shop.example.com/checkout/x

Gateway   infra/shared-gw
Owner     team payments
By        *.example.com /checkout/* (all.yaml document 4
          Grant/infra/shared-gw-payments grant payments)
Inside    *.example.com /* (all.yaml document 3 Grant/infra/shared-gw-shop grant
          shop), of team shop
Listener  web of ListenerSet infra/shared-gw-shop
Answer    Served by HTTPRoute shop/store spec.rules[0]. The route is of team
          shop.
`,
    });
  });

  it('is whom it was given on to, where that is all that is known of them', async () => {
    const [, , , theirs] = OBJECTS.split('---\n');
    expect(theirs).toContain('name: shared-gw-payments');
    const alone = OBJECTS.replace(`${theirs}---\n`, '').replace(
      'labels: { gatewright.dev/team: shop }',
      "labels: { gatewright.dev/team: shop }, annotations: { gatewright.dev/granted-listeners: '*' }",
    );
    const { code, stdout } = await asked(alone, '--url', 'http://shop.example.com/checkout', '--json');
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Report).owners.map(({ team, path }) => [team, path])).toEqual([
      ['payments', '/checkout'],
      ['shop', '/'],
    ]);
  });

  it.each([
    ['http://MÜNCHEN.example.com/', 'shop'],
    ['http://media.example.com/checkout', 'media'],
    ['http://media.example.com.:80/', 'media'],
    ['http://media.example.com.evil.example/', undefined],
    ['http://shop.example.com/x/..%2fcheckout', undefined],
  ])('of %s is %s', async (url, team) => {
    const { code, stdout } = await asked(OBJECTS, '--url', url, '--json');
    const { owners } = JSON.parse(stdout) as Report;
    expect({ code, team: owners[0]?.team }).toEqual({ code: team === undefined ? 1 : 0, team });
  });
});

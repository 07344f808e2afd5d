/** The report of a Pulumi program about requests: what it compares with, what it tells, and what it refuses. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isSecret, log, unknown as notKnown, output, runtime } from '@pulumi/pulumi';
import { ApiObject, App } from 'cdk8s';
import {
  http,
  PlatformChart,
  prefix,
  SharedGateway,
  service,
  synthesize,
  Team,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import type { Approval, TrafficOptions } from 'gatewright/pulumi';
import { KINDS, type KindName } from '../../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { pluralOf } from '../../../gateway-runtime/control/cluster/resources.ts';
import type { ComparedRegion } from '../../../gateway-runtime/preview/compared.ts';
import { judged, type TrafficPolicy } from '../../../gateway-runtime/preview/traffic-policy.ts';

const { previewTraffic } = await import('gatewright/pulumi');
const { Kubectl } = await import('../../../pulumi/kubectl.ts');
const { unpacked } = await import('../../../pulumi/traffic/last-deployed.ts');

const MOVED = {
  region: {
    severity: 'moved',
    requests: { path: { type: 'PathPrefix', value: '/cart' } },
    extents: [{ hosts: ['shop.example.com'] }],
    touched: [],
  },
} as unknown as ComparedRegion;
const policy = (refuse: TrafficPolicy['refuse'], ...approve: Approval[]): TrafficPolicy => ({
  refuse,
  approve,
});
const approval = (host: string, path?: string) => ({ host, ...(path ? { path } : {}), why: 'it is meant' });

/** Team shop has a cart and team media a site; `change` is what the next deployment is to have instead. */
function appWith({
  cart = 'cart',
  site = '/site' as `/${string}`,
  help = false,
  secret = false,
  port = 80,
} = {}) {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shop = new Team(platform, 'shop');
  const media = new Team(platform, 'media');
  const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(port) } });
  const edge = shared.grant(shop, { hostnames: ['shop.example.com'] });
  const other = shared.grant(media, { hostnames: ['media.example.com'] });
  const chart = new TeamChart(app, 'shop', { team: shop });
  new TeamRoute(chart, 'cart', { on: edge, hostnames: ['shop.example.com'] })
    .rule({ path: prefix('/cart') })
    .to(service(cart, 8080));
  if (help) {
    new TeamRoute(chart, 'help', { on: edge, hostnames: ['shop.example.com'] })
      .rule({ path: prefix('/help') })
      .to(service('help', 8080));
  }
  new TeamRoute(new TeamChart(app, 'media', { team: media }), 'site', {
    on: other,
    hostnames: ['media.example.com'],
  })
    .rule({ path: prefix(site) })
    .to(service('site', 8080));
  if (secret) {
    new ApiObject(platform, 'secret', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'wildcard' } });
  }
  return app;
}
const objectsOf = (app: App) => synthesize(app).objects.map(({ object }) => object);

let folder: string;
let told: { readonly how: string; readonly text: string }[];
const path = process.env.PATH;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewright-'));
  told = [];
  for (const how of ['info', 'warn', 'error'] as const) {
    jest.spyOn(log, how).mockImplementation(async (text) => {
      told.push({ how, text });
    });
  }
});
afterEach(() => {
  process.env.PATH = path;
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const saying = (words: string) => `echo '${words}' >&2; exit 1`;
const NOT_FOUND = saying('Error from server (NotFound): the server could not find the requested resource');

const VERSION = '/version) echo "{}";;';

/** A kubectl that answers as one does whose cluster has these objects. It notes what it is asked for. */
function clusterOf(objects: readonly RawObject[], otherwise: Readonly<Record<string, string>> = {}): void {
  const cases = Object.entries(KINDS).map(([kind, { group }]) => {
    const plural = pluralOf(kind as KindName);
    const items = objects.filter((each) => each.kind === kind);
    const file = join(folder, `${plural}.json`);
    writeFileSync(file, JSON.stringify({ metadata: {}, items }));
    const isThere = items.length > 0 || group === '';
    return `*/${plural}\\?*) ${otherwise[plural] ?? (isThere ? `cat ${file}` : NOT_FOUND)};;`;
  });
  kubectl(`case "$3" in ${VERSION} ${cases.join('\n')} *) ${NOT_FOUND};; esac`);
}

function kubectl(script: string): void {
  const programs = join(folder, 'programs');
  mkdirSync(programs, { recursive: true });
  const file = join(programs, 'kubectl');
  writeFileSync(file, `#!/bin/sh\necho "$@" >>${join(folder, 'asked')}\n${script}\n`);
  chmodSync(file, 0o755);
  process.env.PATH = [programs, path].join(delimiter);
}

/** Runs a program in a stack whose last deployment had this output. */
async function inStack<T>(program: () => Promise<T>, outputs: Record<string, unknown> = {}): Promise<T> {
  await runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
      call: ({ token, inputs }) =>
        token === 'pulumi:pulumi:readStackOutputs' ? { ...inputs, outputs } : inputs,
    },
    'project',
    'test',
    true,
    'organization',
  );
  try {
    return await program();
  } finally {
    await runtime.disconnect();
  }
}

/** The output of a stack that deployed an app. */
async function deployed(app: App): Promise<{ deployedTraffic: string }> {
  clusterOf([]);
  const traffic = await inStack(() => previewTraffic(app));
  return { deployedTraffic: await valueIn(traffic.deployedWith([])) };
}
const valueIn = <T>(output: { apply(callback: (value: T) => void): unknown }) =>
  new Promise<T>((resolve) => output.apply(resolve));

describe('what a Pulumi program tells of requests', () => {
  it('is what changes against the cluster, what is lost or moved as a warning', async () => {
    clusterOf(objectsOf(appWith({ help: true })));
    const { regions } = await inStack(() => previewTraffic(appWith({ cart: 'basket', help: true })));
    expect(regions).toMatchObject([{ severity: 'moved', authors: ['shop'] }]);
    expect(told.filter(({ how }) => how === 'warn')).toEqual([
      {
        how: 'warn',
        text: [
          'traffic: 1 moved',
          'MOVED: answered by another backend or redirect',
          '  shop.example.com /cart/*',
          '    before    shop/cart:8080',
          '              HTTPRoute shop/cart spec.rules[0] (cluster)',
          '    after     shop/basket:8080',
          '              HTTPRoute shop/cart spec.rules[0] (shop/cart)',
          '    try       GET http://shop.example.com/cart',
        ].join('\n'),
      },
    ]);
  });

  it('does not take what others have in the cluster for lost, and does what it had itself', async () => {
    const { deployedTraffic } = await deployed(appWith({ help: true }));
    const foreign: RawObject = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { namespace: 'media', name: 'guests' },
      spec: {
        parentRefs: [{ kind: 'ListenerSet', name: 'shared-gw-media', namespace: 'infra' }],
        rules: [{ matches: [{ path: { value: '/guests' } }], backendRefs: [{ name: 'site', port: 8080 }] }],
      },
    };
    clusterOf([...objectsOf(appWith({ help: true })), foreign]);
    const { regions } = await inStack(() => previewTraffic(appWith()), { deployedTraffic });
    expect(regions.map(({ severity, requests }) => [severity, requests])).toEqual([['lost', '/help/*']]);
  });

  it('counts all of a Namespace that the stack takes away as gone', async () => {
    const foreign = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'media' } };
    const before = appWith();
    new ApiObject(before.node.tryFindChild('platform')!, 'ns', foreign);
    const record = await deployed(before);
    clusterOf(objectsOf(before));
    const without = new App();
    new PlatformChart(without, 'platform', { namespace: 'infra' });
    const { regions } = await inStack(() => previewTraffic(without), record);
    expect(regions.map(({ severity }) => severity)).toEqual(['lost', 'lost']);
  });

  it('is nothing where nothing changes, and at the first deployment', async () => {
    clusterOf(objectsOf(appWith()));
    const record = await deployed(appWith());
    told = [];
    clusterOf(objectsOf(appWith()));
    expect(await inStack(() => previewTraffic(appWith()), record)).toMatchObject({ regions: [] });
    expect(told).toEqual([{ how: 'info', text: 'traffic: no request goes another way' }]);
    told = [];
    clusterOf([]);
    await inStack(() => previewTraffic(appWith(), { refuse: ['lost', 'cross-team'] }));
    expect(told).toEqual([{ how: 'info', text: expect.stringContaining('first deployment') }]);
  });

  it('is told against the last deployment where the cluster can not be read', async () => {
    const record = await deployed(appWith({ help: true }));
    kubectl(saying('Unable to connect to the server: dial tcp: no route to host'));
    const { regions } = await inStack(() => previewTraffic(appWith()), record);
    expect(regions).toMatchObject([{ severity: 'lost', requests: '/help/*' }]);
    expect(told.map(({ text }) => text.replaceAll('\n', ' '))).toEqual([
      'first deployment: there is no Gateway yet, so no request can go another way',
      expect.stringMatching(/^the cluster could not be read \(Unable to connect.*last/),
      expect.stringMatching(/^traffic: 1 lost/),
    ]);
  });

  it('counts a cluster as not read where one kind may not be listed, or an answer takes too long', async () => {
    const record = await deployed(appWith());
    const forbidden = saying('Error from server (Forbidden): httproutes is forbidden');
    clusterOf(objectsOf(appWith()), { httproutes: forbidden });
    await inStack(() => previewTraffic(appWith()), record);
    expect(told.at(-2)).toMatchObject({
      how: 'warn',
      text: expect.stringMatching(/httproutes\.gateway\.networking\.k8s\.io\s+may\s+not\s+be\s+listed/),
    });
    clusterOf(objectsOf(appWith()), { httproutes: 'exec sleep 600' });
    await inStack(() => previewTraffic(appWith(), { timeout: 1 }), record);
    expect(told.at(-2)).toMatchObject({ text: expect.stringMatching(/did not answer within\s1 s/) });
  });

  it.each<[string, string, RegExp]>([
    [
      'knows nothing of Kubernetes',
      NOT_FOUND,
      /is no Kubernetes API: it has no namespaces\. .*asks localhost:8080/,
    ],
    [
      'knows a version and nothing else',
      `case "$3" in ${VERSION} *) ${NOT_FOUND};; esac`,
      /it has no namespaces\./,
    ],
    ['answers with a page', 'echo "<html>"', /found no JSON at \/version/],
    ['answers with other JSON', 'echo "{}"', /is no Kubernetes API: found no list at \/api/],
    [
      'wants to know who asks',
      'printf "Please enter Username: "; read name && echo "{}" || { echo "error: EOF" >&2; exit 1; }',
      /kubeconfig names no user/,
    ],
  ])('counts a cluster as not read where what answers %s', async (_, script, why) => {
    kubectl(script);
    await inStack(() => previewTraffic(appWith()));
    expect(told).toEqual([{ how: 'warn', text: expect.any(String) }]);
    const text = told[0]!.text.replaceAll('\n', ' ');
    expect(text).toMatch(/^traffic is not compared: the cluster could not be read/);
    expect(text).toMatch(why);
  });

  it('gives up a cluster that does not answer at all, sooner than one that takes its time', async () => {
    kubectl(`case "$3" in /version) exec sleep 600;; *) ${NOT_FOUND};; esac`);
    const access = await inStack(() => Kubectl.connect());
    await expect(access.reach(undefined, 50)).rejects.toThrow('it did not answer within 0.05 s');
    kubectl(saying('Error from server (Forbidden): you may not'));
    await expect(access.reach()).resolves.toBeUndefined();
  });

  it('asks for no Secret, and puts none into the record', async () => {
    clusterOf(objectsOf(appWith()));
    const app = appWith({ secret: true });
    const traffic = await inStack(() => previewTraffic(app));
    expect(readFileSync(join(folder, 'asked'), 'utf8')).not.toContain('secret');
    const output = traffic.deployedWith([]);
    expect(await isSecret(output)).toBe(true);
    const record = unpacked(await valueIn(output));
    expect(record?.objects.map(({ kind }) => kind)).toContain('HTTPRoute');
    expect(record?.objects.map(({ kind }) => kind)).not.toContain('Secret');
    expect([...record!.own.keys()]).toContain('HTTPRoute/shop/cart');
  });

  it('is given the kubeconfig and context that the provider has, and says where one is still to be made', async () => {
    clusterOf([]);
    const access = { kubeconfig: 'apiVersion: v1', context: 'production' };
    await inStack(() => previewTraffic(appWith(), access));
    const [reached, ...asked] = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
    expect(reached).toMatch(/^get --raw \/version --kubeconfig=\S+ --context=production$/);
    expect(asked).not.toEqual([]);
    for (const each of asked) expect(each).toMatch(/^get --raw \S+ --kubeconfig=\S+ --context=production$/);
    const unknown = { kubeconfig: output(notKnown as unknown as string) };
    await inStack(() => previewTraffic(appWith(), unknown));
    expect(told.at(-1)?.text.replaceAll('\n', ' ')).toContain('its kubeconfig is not known yet');
  });
});

describe('what a policy refuses', () => {
  const refusalOf = (app: App, options: TrafficOptions, record = {}) =>
    inStack(() => previewTraffic(app, options), record).then(
      () => undefined,
      (error: Error) => error.message,
    );
  beforeEach(() => clusterOf(objectsOf(appWith({ help: true }))));

  it('fails, with what and whose it is, and how it is approved', async () => {
    const { deployedTraffic } = await deployed(appWith({ help: true }));
    clusterOf(objectsOf(appWith({ help: true })));
    const refused = await refusalOf(appWith(), { refuse: ['lost', 'cross-team'] }, { deployedTraffic });
    expect(refused).toBe(
      [
        '1 of 1 changes of traffic are refused (refuse: lost, cross-team)',
        '  lost: shop.example.com /help/*',
        '    now shop/help:8080; then 404: no rule matches',
        '    of shop',
        '    changed by shop',
        'Nothing has been changed. What is meant is approved in the program:',
        '  previewTraffic(app, { approve: [',
        "    { host: 'shop.example.com', path: '/help', why: '...' },",
        '  ] })',
      ].join('\n'),
    );
  });

  it.each<[string, TrafficPolicy, boolean]>([
    ['names others', policy(['lost', 'altered', 'new', 'cross-team']), false],
    ['names it', policy(['moved']), true],
    ['approves its host', policy(['moved'], approval('SHOP.example.com')), false],
    ['approves all of above', policy(['moved'], approval('*.example.com', '/cart/')), false],
    ['approves another path', policy(['moved'], approval('*', '/car')), true],
    ['approves what is below', policy(['moved'], approval('*', '/cart/gold')), true],
    ['approves another host', policy(['moved'], approval('media.example.com')), true],
  ])('is a moved path where it %s: %#', (_, each, isRefused) => {
    expect(judged([MOVED], each).refused).toEqual(isRefused ? [MOVED] : []);
  });

  it('is what concerns a listener as a whole, unless the host is approved without a path', () => {
    const { requests: _, ...region } = MOVED.region;
    const whole = { ...MOVED, region };
    const refused = (approve: Approval) => judged([whole], policy(['moved'], approve)).refused.length;
    expect(refused(approval('shop.example.com', '/cart'))).toBe(1);
    expect(refused(approval('shop.example.com'))).toBe(0);
  });

  it('is a change at several hosts until each is approved', () => {
    const extents = [{ hosts: ['a.example.com', '*.example.org'] }];
    const both = { ...MOVED, region: { ...MOVED.region, extents } } as unknown as ComparedRegion;
    const refused = (...approve: Approval[]) => judged([both], policy(['moved'], ...approve)).refused.length;
    expect(refused(approval('a.example.com'))).toBe(1);
    expect(refused(approval('a.example.com'), approval('b.example.org'))).toBe(1);
    expect(refused(approval('a.example.com'), approval('*.example.org'))).toBe(0);
  });

  it('is what touches a team that changed nothing, where it says cross-team', async () => {
    const refused = await refusalOf(appWith({ port: 8080, help: true }), { refuse: ['cross-team'] });
    expect(refused).toMatch(/^ {4}changed by infra\n {4}touches (media|shop), which changed nothing$/m);
  });

  it('is everything where there is nothing to compare with, unless all is approved', async () => {
    kubectl(saying('Unable to connect to the server'));
    const refused = await refusalOf(appWith(), { refuse: ['lost'] });
    expect(refused).toMatch(/^refuse \(lost\) can't be held to anything: the cluster could not be read/);
    const approve = [{ host: '*', why: 'first deployment' }];
    expect(await refusalOf(appWith(), { refuse: ['lost'], approve })).toBeUndefined();
    expect(await refusalOf(appWith(), {})).toBeUndefined();
  });

  it('is told of approvals that concern nothing any more', async () => {
    const approve = [approval('shop.example.com', '/cart'), approval('old.example.com')];
    await refusalOf(appWith({ cart: 'basket', help: true }), { refuse: ['moved'], approve });
    const warnings = told.filter(({ text }) => text.includes('take it out'));
    expect(warnings.map(({ text }) => text)).toEqual([
      expect.stringContaining('no request of old.example.com'),
    ]);
  });

  it.each<[string, object, RegExp]>([
    ['a severity', { refuse: ['losst'] }, /refuse\[0\], this is "losst"/],
    ['a word', { refuses: ['lost'] }, /does not know refuses: did you mean refuse\?/],
    ['an approval without a reason', { approve: [{ host: 'a.example.com' }] }, /approve\[0\].*why/],
    [
      'an approval with more',
      { approve: [{ ...approval('*'), until: '2030' }] },
      /approve\[0\]\.until: found a field of this name/,
    ],
    ['a path without a slash', { approve: [approval('*', 'cart')] }, /a path that begins with/],
    ['a time', { timeout: 0 }, /above 0 as timeout/],
  ])('is checked: %s that is not understood', async (_, options, message) => {
    expect(await refusalOf(appWith(), options)).toMatch(message);
  });
});

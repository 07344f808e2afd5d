/** What a real API server says to teams, under their own credentials, and to who may do everything. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import { http, https, PlatformChart, SharedGateway, secretRef, synthesize, Team } from 'gatewright';
import { GATEWAY_GROUP, OWN_GROUP } from '../../../gateway-runtime/api/names.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { fixture, TEAMS } from '../../roles/fixture.ts';
import { VIOLATIONS } from '../../roles/violations/index.ts';
import { gatewayApi, httpRoute, listenersOf } from '../../roles/violations/violation.ts';
import { ApiServer } from './api-server.ts';
import type { Answer, People, Person } from './impersonation.ts';
import { gatewayClass, namespace, OWN_LISTENER } from './objects.ts';
import { install, prepare, settled } from './platform.ts';
import { Replica } from './replica.ts';

type TeamName = keyof typeof TEAMS;

let server: ApiServer;
let people: People;
let control: Replica;

const PROBES = {
  refused: httpRoute({ hostnames: ['elsewhere.example.net'] }),
  taken: httpRoute({ hostnames: ['shop.example.com'] }),
};

beforeAll(async () => {
  server = await ApiServer.start();
  people = await prepare(server);
  await install(people, fixture().app, PROBES);
  await people.put(namespace('guests'), gatewayClass);
  // Which references were consented to, and what policies can say, is for the control plane to say.
  control = new Replica(server.connection);
  await settled(people, { ...PROBES, refused: toMedia('feed') });
  await settled(people, {
    taken: policyOf({ maxRequestBytes: 1_048_576 }),
    refused: policyOf({ maxRequestBytes: 1_048_577 }),
  });
});

afterAll(async () => {
  await control?.stop();
  people?.close();
  await server?.stop();
});

const backend = (name: string) => ({ name, namespace: 'media', port: 8080 });
const toMedia = (...names: string[]) => httpRoute({ rules: [{ backendRefs: names.map(backend) }] });

const policyOf = (values: object): RawObject => ({
  apiVersion: `${OWN_GROUP}/v1alpha1`,
  kind: 'RoutePolicy',
  metadata: { name: 'p', namespace: 'shop' },
  spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'r' }], ...values },
});

const member = (team: TeamName): Person => ({
  user: `somebody-of-${team}`,
  groups: [TEAMS[team].group, 'system:authenticated'],
});
const tried = (person: Person, object: RawObject) => people.apply(person, object, { dryRun: true });
const namespaceOf = ({ metadata }: RawObject) => (metadata as { namespace?: string }).namespace;
const isTaken = ({ status }: Answer) => status < 300;
/** Of a field rule of Gateway API itself. */
const isInvalid = ({ status }: Answer) => status === 422;

describe('a violation', () => {
  for (const { name, by, objects, admission, missing } of VIOLATIONS) {
    if (admission && 'why' in admission) {
      it(`that is not seen: ${name}, since ${admission.why}`, async () => {
        for (const object of objects) expect(await tried(member(by), object)).toMatchObject({ message: '' });
      });
      continue;
    }
    it(`is refused: ${name}`, async () => {
      const answers = [];
      for (const object of objects) answers.push(await tried(member(by), object));
      const [first] = answers as [Answer];
      expect(isTaken(first)).toBe(false);
      const right = admission ? `resource "${admission.lacks}"` : rightOf(missing);
      if (right !== undefined) {
        expect(first.message).toMatch(/User "somebody-of-\w+" cannot patch resource /);
        expect(first.message).toContain(right);
        return;
      }
      // What the team may not write at all, a policy refuses to those who may.
      for (const object of objects) {
        if (namespaceOf(object) === TEAMS[by].namespace) answers.push(await tried(undefined, object));
      }
      const said = answers.filter((each) => !isTaken(each));
      if (isInvalid(first)) expect(first.message).toContain(missing.match(/hostname (\S+)/)![1]!);
      else expect(said.map(({ message }) => message).join('\n')).toContain(missing);
    });
  }

  it('is none that a policy did not see for want of being the first to look', () => {
    const unseen = VIOLATIONS.filter(({ admission }) => admission && 'why' in admission);
    expect(unseen.map(({ name }) => name)).toEqual(['parent-by-reference']);
  });
});

/** What the API server says of a right that there is not. */
function rightOf(missing: string): string | undefined {
  const [, namespace] = /^the right to write into namespace (\w+), /.exec(missing) ?? [];
  const [, kind] = /^the right to write (\w+), /.exec(missing) ?? [];
  if (namespace) return `in the namespace "${namespace}"`;
  return kind && `resource "${kind.toLowerCase()}"`;
}

const rule = (type: string, value: string) => ({
  matches: [{ path: { type, value } }],
  backendRefs: [{ name: 'cart', port: 8080 }],
});
const PATHS = ['/', '/check', '/checkouts', '/a%20b', '/a/', '/.well-known/x'];

const ALLOWED: readonly { readonly name: string; readonly by: TeamName; readonly object: RawObject }[] = [
  { name: 'a granted hostname', by: 'shop', object: httpRoute() },
  {
    name: 'hostnames below a granted wildcard, with a path of their own',
    by: 'shop',
    object: httpRoute({
      hostnames: ['a.apps.example.com', 'b.c.apps.example.com'],
      rules: [rule('PathPrefix', '/cart')],
    }),
  },
  {
    name: 'the granted wildcard itself',
    by: 'shop',
    object: httpRoute({ hostnames: ['*.apps.example.com'] }),
  },
  { name: 'no hostname, so those of its listeners', by: 'shop', object: httpRoute({ hostnames: undefined }) },
  {
    name: 'sections',
    by: 'shop',
    object: httpRoute({
      parentRefs: [
        listenersOf('shop', 'web.shop.example.com'),
        listenersOf('shop', 'secure.shop.example.com'),
        listenersOf('shop-pay', 'secure.pay.example.com'),
      ],
      hostnames: ['shop.example.com', 'pay.example.com'],
    }),
  },
  {
    name: 'paths around one that was delegated',
    by: 'shop',
    object: httpRoute({ rules: PATHS.map((path) => rule('PathPrefix', path)) }),
  },
  {
    name: 'an expression that is elsewhere than what was delegated',
    by: 'shop',
    object: httpRoute({ rules: [rule('RegularExpression', '/cart/[0-9]+')] }),
  },
  {
    name: 'a delegated path, and an expression below it',
    by: 'payments',
    object: httpRoute({
      namespace: 'payments',
      rules: [
        rule('PathPrefix', '/checkout/'),
        rule('Exact', '/checkout/pay'),
        rule('RegularExpression', '/checkout/[a-z]+'),
      ],
    }),
  },
  {
    name: 'a gateway that nothing is known of',
    by: 'shop',
    object: httpRoute({
      parentRefs: [{ name: 'other', namespace: 'elsewhere' }],
      hostnames: ['a.example.net'],
    }),
  },
  {
    name: 'the own gateway, with hostnames for it',
    by: 'shop',
    object: httpRoute({
      parentRefs: [listenersOf('shop'), { name: 'other', namespace: 'elsewhere' }],
      hostnames: ['shop.example.com', 'a.example.net'],
    }),
  },
  {
    name: 'a listener of its own',
    by: 'media',
    object: OWN_LISTENER,
  },
  {
    name: 'a route on it, beside the listeners of the platform',
    by: 'media',
    object: httpRoute({
      namespace: 'media',
      parentRefs: [
        { ...listenersOf('media-brand') },
        { kind: 'ListenerSet', name: 'own', namespace: 'media' },
      ],
      hostnames: ['brand.example.com'],
    }),
  },
  {
    name: 'a port',
    by: 'media',
    object: {
      apiVersion: `${GATEWAY_GROUP}/v1`,
      kind: 'TCPRoute',
      metadata: { name: 'r', namespace: 'media' },
      spec: {
        parentRefs: [{ kind: 'Gateway', name: 'ports-gw', namespace: 'infra', sectionName: 'db' }],
        rules: [{ backendRefs: [{ name: 'feed', port: 8080 }] }],
      },
    },
  },
];

describe('what was granted', () => {
  it.each(ALLOWED)('is taken: $name', async ({ by, object }) => {
    expect(await tried(member(by), object)).toMatchObject({ message: '' });
  });
});

describe('a namespace without a grant', () => {
  const guest = (object: RawObject) => ({ ...object, metadata: { name: 'r', namespace: 'guests' } });

  it('is told so, whoever writes there', async () => {
    expect(await tried(undefined, guest(httpRoute()))).toMatchObject({
      status: 403,
      message: expect.stringContaining(
        'Missing: a grant of hostname shop.example.com at gateway infra/shared-gw to team of namespace guests',
      ),
    });
  });

  it('may use gateways that are not ours', async () => {
    const elsewhere = httpRoute({ parentRefs: [{ name: 'other', namespace: 'elsewhere' }] });
    expect(await tried(undefined, guest(elsewhere))).toMatchObject({ message: '' });
  });
});

describe('a Service of another team', () => {
  const consent = gatewayApi(
    'ReferenceGrant',
    { name: 'to-shop', namespace: 'media' },
    {
      from: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: 'shop' }],
      to: [{ group: '', kind: 'Service', name: 'feed' }],
    },
  );

  it('may be referred to as soon as its owner consents, and no other', async () => {
    expect(await people.apply(member('media'), consent)).toMatchObject({ message: '' });
    await settled(people, { taken: toMedia('feed'), refused: toMedia('feed', 'archive') });
  });

  it('is no reason to refuse what else changes, once the owner has taken it back; nor is it let in anew', async () => {
    const there = { ...toMedia('feed'), metadata: { name: 'there', namespace: 'shop' } };
    await people.put(there);
    await people.remove(consent);
    await settled(people, { ...PROBES, refused: toMedia('feed') });
    const patch = async (spec: object) =>
      people.call(member('shop'), 'PATCH', await people.pathOf(there), {
        body: { spec },
        contentType: 'application/merge-patch+json',
      });
    const rules = (...names: string[]) => [{ name: 'x', backendRefs: names.map(backend) }];
    expect(await patch({ rules: rules('feed') })).toMatchObject({ status: 200 });
    expect(await patch({ rules: rules('feed', 'archive') })).toMatchObject({
      status: 403,
      message: expect.stringContaining('Service media/archive is not of team shop'),
    });
    expect(await patch({ rules: [{ backendRefs: [{ name: 'cart', port: 8080 }] }] })).toMatchObject({
      status: 200,
    });
    expect(await patch({ rules: rules('feed') })).toMatchObject({ status: 403 });
    await people.remove(there);
  });
});

describe('what a policy of a team can say', () => {
  const enforcing = (maxRequestBytes: number) => {
    const made = new App();
    const platform = new PlatformChart(made, 'platform', { namespace: 'infra' });
    const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
    shared.enforce({ maxRequestBytes });
    return synthesize(made).objects.find(({ object }) => object.kind === 'GatewayPolicy')!.object;
  };

  it('follows what the platform enforces', async () => {
    await people.put(enforcing(100));
    await settled(people, {
      taken: policyOf({ maxRequestBytes: 100 }),
      refused: policyOf({ maxRequestBytes: 101 }),
    });
    await people.put(enforcing(1000));
    await settled(people, {
      taken: policyOf({ maxRequestBytes: 1000 }),
      refused: policyOf({ maxRequestBytes: 1001 }),
    });
  });

  it('is more where a gateway without such a bound lets its routes in, whoever made it', async () => {
    const open = gatewayApi(
      'Gateway',
      { name: 'open', namespace: 'guests' },
      {
        gatewayClassName: 'gatewright',
        listeners: [
          { name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
        ],
      },
    );
    const beyond = policyOf({ maxRequestBytes: 1001 });
    await people.put(open);
    await settled(people, { ...PROBES, taken: beyond });
    await people.remove(open);
    await settled(people, { ...PROBES, refused: beyond });
  });
});

describe('a grant that changes', () => {
  it('lets be what was there before, but not what is made of it; a new team needs nothing by hand', async () => {
    const kept = {
      ...httpRoute(),
      metadata: { name: 'kept', namespace: 'shop', finalizers: ['example.com/x'] },
    };
    await people.put(kept);
    const narrowed = fixture();
    // The platform of before without what shop had, and with another team.
    const app = new App();
    const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
    const shared = new SharedGateway(platform, 'shared-gw', {
      listeners: {
        web: http(80),
        secure: https(443, secretRef('wildcard')),
      },
    });
    shared.grant(narrowed.shop, { hostnames: ['other.example.com'] });
    shared.grant(new Team(platform, 'annex'), { hostnames: ['annex.example.com'] });
    const annex = {
      ...httpRoute({ parentRefs: [listenersOf('annex')], hostnames: ['annex.example.com'] }),
      metadata: { name: 'r', namespace: 'annex' },
    };
    await install(people, app, { refused: httpRoute(), taken: annex });
    const path = await people.pathOf(kept);
    const patch = (body: unknown) =>
      people.call(undefined, 'PATCH', path, { body, contentType: 'application/merge-patch+json' });
    expect(await patch({ metadata: { labels: { a: 'b' } } })).toMatchObject({ status: 200 });
    expect(await patch({ spec: { hostnames: ['shop.example.com', 'a.apps.example.com'] } })).toMatchObject({
      status: 403,
      message: expect.stringContaining('Missing: a grant of hostname'),
    });
    expect(await patch({ spec: { hostnames: ['other.example.com'] } })).toMatchObject({ status: 200 });
    await people.call(undefined, 'DELETE', path);
    expect(await patch({ metadata: { finalizers: null } })).toMatchObject({ status: 200 });
  });

  it('is missed where it is gone: then nothing is taken', async () => {
    const grant = {
      apiVersion: 'gatewright.dev/v1alpha1',
      kind: 'Grant',
      metadata: { name: 'shared-gw-annex', namespace: 'infra' },
    };
    await people.remove(grant);
    const annex = {
      ...httpRoute({ parentRefs: [listenersOf('annex')], hostnames: ['annex.example.com'] }),
      metadata: { name: 'r', namespace: 'annex' },
    };
    await settled(people, { refused: annex, taken: httpRoute({ hostnames: ['other.example.com'] }) });
  });
});

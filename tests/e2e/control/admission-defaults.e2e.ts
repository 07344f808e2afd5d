/** What a real API server says of `useDefaultGateways` where a SharedGateway is a default one, as that of the fixture is: of teams with grants there, and of others. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { http, SharedGateway, Team } from 'gatewright';
import { OWN_GROUP } from '../../../gateway-runtime/api/names.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { fixture } from '../../roles/fixture.ts';
import { GATEWAY, httpRoute, listenersOf, route } from '../../roles/violations/violation.ts';
import { ApiServer } from './api-server.ts';
import type { People } from './impersonation.ts';
import { gatewayClass, namespace, OWN_LISTENER } from './objects.ts';
import { install, prepare } from './platform.ts';

let server: ApiServer;
let people: People;

const using = (object: RawObject, useDefaultGateways: 'All' | 'None'): RawObject => ({
  ...object,
  spec: { ...(object.spec as object), useDefaultGateways },
});
const of = (object: RawObject, home: string, name = 'r'): RawObject => ({
  ...object,
  metadata: { name, namespace: home },
});

/** There before the policies are. */
const BEFORE = of(using(httpRoute({ parentRefs: [] }), 'All'), 'shop', 'before');

beforeAll(async () => {
  server = await ApiServer.start();
  people = await prepare(server);
  await people.put(namespace('shop'), namespace('guests'), gatewayClass, BEFORE);
  const { app, platform } = fixture();
  const inner = new SharedGateway(platform, 'inner-gw', { listeners: { web: http(80) } });
  inner.grant(new Team(platform, 'annex'), { hostnames: ['annex.example.com'] });
  await install(people, app, {
    refused: httpRoute({ hostnames: ['elsewhere.example.net'] }),
    taken: httpRoute(),
  });
});

afterAll(async () => {
  people?.close();
  await server?.stop();
});

const tried = (object: RawObject) => people.apply(undefined, object, { dryRun: true });
const REFUSAL =
  'spec.useDefaultGateways: found All, and gateway infra/shared-gw is a default one: a route of a team with grants there names its gateways in spec.parentRefs';

describe('a team with grants of a default gateway', () => {
  it.each([
    ['alone', using(httpRoute({ parentRefs: [] }), 'All')],
    ['beside what was granted', using(httpRoute(), 'All')],
    [
      'beside another gateway',
      using(httpRoute({ parentRefs: [{ name: 'other', namespace: 'far' }] }), 'All'),
    ],
    ['in a TLSRoute', using(route('TLSRoute', { parentRefs: [] }), 'All')],
    ['by what was delegated', of(using(httpRoute({ parentRefs: [] }), 'All'), 'payments')],
  ])('uses no default Gateways: %s', async (_, object) => {
    expect(await tried(object)).toMatchObject({ status: 403, message: expect.stringContaining(REFUSAL) });
  });

  it.each<[string, RawObject]>([
    ['a route that says None', using(httpRoute(), 'None')],
    ['a route that says nothing of it', httpRoute()],
    [
      'a RoutePolicy',
      {
        apiVersion: `${OWN_GROUP}/v1alpha1`,
        kind: 'RoutePolicy',
        metadata: { name: 'p', namespace: 'shop' },
        spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'r' }], requestTimeout: '30s' },
      },
    ],
    ['a ListenerSet', OWN_LISTENER],
  ])('may apply %s', async (_, object) => {
    expect(await tried(object)).toMatchObject({ message: '' });
  });

  it('changes what a route is not for, where it used them before, and nothing else while it does', async () => {
    const path = await people.pathOf(BEFORE);
    const patch = (body: unknown) =>
      people.call(undefined, 'PATCH', path, { body, contentType: 'application/merge-patch+json' });
    expect(await patch({ metadata: { labels: { a: 'b' } } })).toMatchObject({ status: 200 });
    expect(await patch({ spec: { hostnames: ['a.apps.example.com'] } })).toMatchObject({
      status: 403,
      message: expect.stringContaining(REFUSAL),
    });
    expect(
      await patch({ spec: { parentRefs: [listenersOf('shop')], useDefaultGateways: null } }),
    ).toMatchObject({ status: 200 });
  });
});

describe('a team with grants of another gateway', () => {
  const parentRefs = [{ kind: 'ListenerSet', name: 'inner-gw-annex', namespace: 'infra' }] as const;
  const annex = (...hostnames: string[]) => httpRoute({ namespace: 'annex', parentRefs, hostnames });

  it('may have hostnames for the default ones in its routes', async () => {
    const both = annex('annex.example.com', 'annex.example.net');
    expect(await tried(using(both, 'All'))).toMatchObject({ message: '' });
    expect(await tried(using(both, 'None'))).toMatchObject({
      status: 403,
      message: expect.stringContaining(
        'Missing: a grant of hostname annex.example.net at gateway infra/inner-gw',
      ),
    });
  });

  it('is held at its own to listeners that were opened to it', async () => {
    const stray = httpRoute({ namespace: 'annex', parentRefs: [{ ...GATEWAY, name: 'inner-gw' }] });
    expect(await tried(using(stray, 'All'))).toMatchObject({
      status: 403,
      message: expect.stringContaining('infra/inner-gw is not opened to team annex'),
    });
  });
});

describe('a namespace without a grant', () => {
  const guest = (object: RawObject) => of(object, 'guests');

  it('uses default Gateways, which may be others', async () => {
    expect(await tried(guest(using(httpRoute({ parentRefs: [] }), 'All')))).toMatchObject({ message: '' });
  });

  it('is refused what it names, as ever', async () => {
    expect(await tried(guest(using(httpRoute(), 'All')))).toMatchObject({
      message: expect.stringContaining('guests holds no grant of gateway infra/shared-gw'),
    });
  });
});

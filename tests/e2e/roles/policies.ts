/** What the platform enforces and what a team says within it, in the cluster: by the answers of the gateway, and by what statuses say of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import {
  type DefaultPolicy,
  type EnforcedPolicy,
  http,
  PlatformChart,
  type PolicyValues,
  RoutePolicy,
  SharedGateway,
} from 'gatewright';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { PATIENCE } from '../waiting.ts';
import { member, objectsOf, type TenantCluster, tenantApp } from './tenant-cluster.ts';

const MEDIA = 'https://media.example.com';
const SHOP = 'https://shop.example.com';

/** The GatewayPolicy of the shared gateway, in place of the one that the platform of the fixture has. */
function ofPlatform({ enforce, defaults }: { enforce?: EnforcedPolicy; defaults?: DefaultPolicy }) {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
  if (enforce) shared.enforce(enforce);
  if (defaults) shared.defaults(defaults);
  return objectsOf({ app }).find(({ kind }) => kind === 'GatewayPolicy')!;
}

/** The RoutePolicy of team media for its site. */
function ofTeam(values: PolicyValues): RawObject {
  const made = tenantApp();
  new RoutePolicy(made.mediaChart, 'own', { route: made.site, ...values });
  return objectsOf(made).find(({ kind }) => kind === 'RoutePolicy')!;
}

const header = (value: string) => ({ responseHeaders: { set: { 'x-platform': value } } });
const ENFORCED: EnforcedPolicy = {
  httpsRedirect: 301,
  minTlsVersion: 'TLSv1.3',
  maxRequestBytes: 1024,
  requestTimeout: '500ms',
  ...header('first'),
};
const POLICY = ofPlatform({ enforce: ENFORCED });
const OWN = ofTeam({ maxRequestBytes: 10 });
/** Its name comes first, so that only its age can put it behind the other. */
const NEWER = {
  ...ofPlatform({ enforce: { maxRequestBytes: 5, ...header('newer') } }),
  metadata: { name: 'a-newer', namespace: 'infra' },
};

export function policyTests(cluster: () => TenantCluster): void {
  const apply = (...objects: RawObject[]) => cluster().api.applyAll(objects);
  /** With the rights of team media, and no others. */
  const applyOwn = async (object: RawObject) => {
    const { status, body } = await cluster().api.apply(object, { as: member('media') });
    if (status >= 300) throw new Error(body);
  };
  const refused = async (object: RawObject, words: string) => {
    const { status, body } = await cluster().api.apply(object, { as: member('media') });
    expect({ status, message: (JSON.parse(body) as { message: string }).message }).toEqual({
      status: 403,
      message: expect.stringContaining(words),
    });
  };
  const ask = (url: string, more: Parameters<TenantCluster['ask']>[1] = {}) => cluster().ask(url, more);
  const soon = (attempt: () => Promise<void>) => eventually(PATIENCE, attempt);
  const said = (object: RawObject, words: RegExp) =>
    soon(async () => expect(await cluster().saidOf(object)).toMatch(words));
  const labelled = (value: string | undefined) =>
    soon(async () => expect((await ask(MEDIA)).headers['x-platform']).toBe(value));

  /** How bodies of so many octets are answered. */
  async function bodies(url: string, ...octets: number[]): Promise<number[]> {
    const statuses = [];
    for (const each of octets)
      statuses.push((await ask(url, { method: 'POST', content: 'x'.repeat(each) })).status);
    return statuses;
  }

  const gateway = () => cluster().object('Gateway', 'infra', 'shared-gw');
  const site = () => cluster().object('HTTPRoute', 'media', 'site');
  const store = () => cluster().object('HTTPRoute', 'shop', 'store');

  describe('policies', () => {
    beforeAll(async () => {
      expect(await bodies(MEDIA, 1025)).toEqual([200]);
      expect((await ask(MEDIA, { maxVersion: 'TLSv1.2' })).status).toBe(200);
      await apply(POLICY);
      await labelled('first');
    }, 2 * PATIENCE);
    afterAll(async () => {
      for (const each of [POLICY, NEWER, OWN]) await cluster().takeBack(each);
    });

    describe('what the platform enforces', () => {
      it('holds for every team: redirect, TLS version, size, time, header', async () => {
        for (const host of ['media.example.com', 'shop.example.com', 'a.apps.example.com']) {
          const location = `https://${host}/cart`;
          expect(await ask(`http://${host}/cart`)).toMatchObject({ status: 301, headers: { location } });
        }
        for (const url of [MEDIA, SHOP]) {
          expect((await ask(url)).headers['x-platform']).toBe('first');
          await expect(ask(url, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert protocol version/);
          expect(await bodies(url, 1024, 1025)).toEqual([200, 413]);
          expect((await ask(`${url}/never`)).status).toBe(504);
        }
      });

      it('is told in the statuses of the policy, the gateway and routes', async () => {
        await said(POLICY, /^Accepted=True Accepted: /m);
        await said(POLICY, /^Programmed=True Programmed: /m);
        for (const each of [gateway(), site(), store()])
          await said(each, /^gatewright.dev\/GatewayPolicyAffected=True .*infra\/shared-gw/m);
      });

      it('keeps out who comes from elsewhere, before anything else is said to him; and is what it was changed to', async () => {
        await apply(ofPlatform({ enforce: { ...ENFORCED, ipAllow: ['192.0.2.0/24'] } }));
        await soon(async () => expect((await ask(MEDIA)).status).toBe(403));
        expect((await ask('http://shop.example.com')).status).toBe(403);
        const open = { ...ENFORCED, ...header('second'), ipAllow: ['0.0.0.0/0', '::/0'] };
        await apply(ofPlatform({ enforce: open }));
        await labelled('second');
        expect((await ask(MEDIA)).status).toBe(200);
        await apply(POLICY);
        await labelled('first');
      });
    });

    describe('what a team says', () => {
      it('holds within what is enforced, for its own route', async () => {
        await applyOwn(OWN);
        await soon(async () => expect(await bodies(MEDIA, 10, 11)).toEqual([200, 413]));
        expect(await bodies(SHOP, 1024, 1025)).toEqual([200, 413]);
        await said(OWN, /^Programmed=True Programmed: /m);
        await said(site(), /^gatewright.dev\/RoutePolicyAffected=True .*media\/site/m);
      });

      it('is refused where it is beyond what is enforced; what is narrowed later holds, and its status says so', async () => {
        await refused(
          ofTeam({ maxRequestBytes: 4096 }),
          'at most 1024. Missing: a wider bound by GatewayPolicy infra/shared-gw',
        );
        await applyOwn(ofTeam({ maxRequestBytes: 1000 }));
        await apply(ofPlatform({ enforce: { ...ENFORCED, maxRequestBytes: 512 } }));
        await said(OWN, /^Programmed=False Overridden: .*1000.*infra\/shared-gw.*512/m);
        await soon(async () => expect(await bodies(MEDIA, 512, 513)).toEqual([200, 413]));
      });

      it('takes the place of a default, up to its bound', async () => {
        await cluster().api.remove(OWN);
        const within = (max: number) =>
          ofPlatform({ defaults: { maxRequestBytes: { default: 16, max }, ...header('default') } });
        await apply(within(64));
        await labelled('default');
        for (const url of [MEDIA, SHOP]) expect(await bodies(url, 16, 17)).toEqual([200, 413]);
        // As soon as it is listed that nothing is forced any more.
        await soon(() => applyOwn(ofTeam({ maxRequestBytes: 32, ...header('own') })));
        await labelled('own');
        expect(await bodies(MEDIA, 32, 33)).toEqual([200, 413]);
        expect(await bodies(SHOP, 16, 17)).toEqual([200, 413]);
        await refused(
          ofTeam({ maxRequestBytes: 4096 }),
          '(spec.defaults.maxRequestBytes.max) does not let it be so: at most 64.',
        );
        await apply(within(24));
        await said(OWN, /^Programmed=True PartiallyProgrammed: .*32.*infra\/shared-gw.*24/m);
        await soon(async () => expect(await bodies(MEDIA, 24, 25)).toEqual([200, 413]));
        // What stays as it was is not refused with what changes.
        await applyOwn(ofTeam({ maxRequestBytes: 32, ...header('changed') }));
        await labelled('changed');
        await cluster().api.remove(OWN);
        await apply(POLICY);
        await labelled('first');
      });
    });

    describe('of two policies for one gateway', () => {
      interface Created {
        readonly metadata: { readonly creationTimestamp: string };
      }
      const created = async (object: RawObject) =>
        (await cluster().api.get<Created>(await cluster().api.pathOf(object))).metadata.creationTimestamp;

      it('the older one holds, and the status of the other says so', async () => {
        // Ages are in whole seconds.
        await soon(async () => {
          await apply(NEWER);
          if ((await created(NEWER)) !== (await created(POLICY))) return;
          await cluster().api.remove(NEWER);
          throw new Error('both are of the same second');
        });
        await said(NEWER, /^Accepted=False Conflicted: .*GatewayPolicy infra\/shared-gw/m);
        await said(POLICY, /^Accepted=True Accepted: /m);
        await labelled('first');
        expect(await bodies(MEDIA, 6, 1025)).toEqual([200, 413]);
      });

      it('the other holds once that is gone, and nothing of it is left', async () => {
        await cluster().api.remove(POLICY);
        await labelled('newer');
        await said(NEWER, /^Accepted=True Accepted: /m);
        expect(await bodies(MEDIA, 5, 6)).toEqual([200, 413]);
        expect((await ask('http://media.example.com')).status).toBe(200);
        expect((await ask(MEDIA, { maxVersion: 'TLSv1.2' })).status).toBe(200);
      });

      it('nothing is left when both are gone', async () => {
        await cluster().api.remove(NEWER);
        await labelled(undefined);
        expect(await bodies(MEDIA, 1025)).toEqual([200]);
        await soon(async () => {
          for (const each of [gateway(), site(), store()])
            expect(await cluster().saidOf(each)).not.toContain('PolicyAffected');
        });
      });
    });
  });
}

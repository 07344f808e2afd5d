/** What teams and operators change while clients are served: routes, a certificate, a grant. No request fails but those that are to. */
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { ask } from '../runtime/edge.ts';
import { PATIENCE } from '../waiting.ts';
import { failuresOf } from './load.ts';
import { BACKEND, backendObjects, HOST, Site } from './site.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open();
}, 5 * PATIENCE);
afterEach(() => site?.endLoads());
afterAll(() => site?.close(), 3 * PATIENCE);

const statusOf = async (path: string, host = HOST): Promise<number> =>
  (await ask({ address: site.address, host, path })).status;

/** The status, once it is this one. */
const answers = (status: number, path: string, host = HOST) =>
  eventually(PATIENCE, async () => expect(await statusOf(path, host)).toBe(status));

/** Load by HTTP/1.1 and by HTTP/2. */
const both = () => site.loads();

const exact = (value: string) => [{ path: { type: 'Exact', value } }];

describe('under load', () => {
  it(
    'a route is edited twenty times: no request fails, and every edit is served',
    async () => {
      const loads = await both();
      const rest = { matches: [{ path: { type: 'Exact', value: '/' } }], backendRefs: [BACKEND] };
      for (let step = 1; step <= 20; step++) {
        const backendRefs = [{ ...BACKEND, weight: step }];
        const moving = { matches: exact(`/step-${step}`), backendRefs };
        await site.api.applyAll([
          site.route('shop', step % 2 ? [rest, moving] : [moving, { ...rest, backendRefs }]),
        ]);
        await answers(200, `/step-${step}`);
        await answers(404, `/step-${step - 1}`);
        for (const load of loads) await load.goesOn(10);
      }
      for (const load of loads) expect(failuresOf(await load.stop())).toEqual([]);
    },
    3 * PATIENCE,
  );

  it(
    'a certificate is replaced: no request and no handshake fails, and new connections are shown the new one',
    async () => {
      const before = fingerprint(await site.renewCertificate());
      const loads = [await site.load({ tls: true }), await site.load({ tls: true, protocol: 'h2' })];
      const after = fingerprint(await site.renewCertificate());
      for (const load of loads) {
        await eventually(PATIENCE, async () => expect((await load.progress()).certificate).toBe(after));
        await load.goesOn(100);
        const tally = await load.stop();
        expect(failuresOf(tally)).toEqual([]);
        expect(tally.certificates.slice(-2)).toEqual([before, after]);
      }
    },
    2 * PATIENCE,
  );

  it(
    'a new route goes from 404 to 200 with nothing between',
    async () => {
      const load = await site.load();
      for (let number = 1; number <= 10; number++) {
        const host = `new-${number}.example.com`;
        const seen: number[] = [await statusOf('/', host)];
        // A Service that no route has named before. Where a control plane hears of the route before it hears of the endpoints there is a 503 until it does.
        const service = { ...BACKEND, name: `new-${number}` };
        await site.api.applyAll([serviceNamed(service.name)]);
        await eventually(PATIENCE, () => hasEndpoints(service.name));
        await isHeard(number);
        await site.api.applyAll([site.route(service.name, [{ backendRefs: [service] }], { host })]);
        await eventually(PATIENCE, async () => {
          const status = await statusOf('/', host);
          if (seen.at(-1) !== status) seen.push(status);
          expect(status).toBe(200);
        });
        for (let more = 0; more < 10; more++) {
          const status = await statusOf('/', host);
          if (seen.at(-1) !== status) seen.push(status);
        }
        // Two data planes take it up each in its own moment, so that 404 and 200 may take turns; nothing else may come.
        expect([...new Set(seen)]).toEqual([404, 200]);
      }
      expect(failuresOf(await load.stop())).toEqual([]);
    },
    4 * PATIENCE,
  );

  it(
    'a ReferenceGrant is revoked: what it allowed is refused within a second, and all else goes on',
    async () => {
      const other = `${site.team}-granted`;
      await site.namespace(other);
      const grant = grantIn(other, site.team);
      await site.api.applyAll([...backendObjects(other), grant]);
      await site.isWhole(`/apis/apps/v1/namespaces/${other}/deployments/backend`);
      const rules = [
        { matches: exact('/'), backendRefs: [BACKEND] },
        { matches: exact('/granted'), backendRefs: [{ ...BACKEND, namespace: other }] },
      ];
      await site.api.applyAll([site.route('shop', rules)]);
      await answers(200, '/granted');
      const loads = await site.loads();
      await site.api.remove(grant);
      const revoked = performance.now();
      // Every data plane counts: the last answer that was still served.
      let served = revoked;
      await eventually(PATIENCE, async () => {
        const asked = performance.now();
        const both = await Promise.all(Array.from({ length: 4 }, () => statusOf('/granted')));
        if (both.includes(200)) served = asked;
        expect(both).toEqual([500, 500, 500, 500]);
      });
      for (let more = 0; more < 20; more++) expect(await statusOf('/granted')).toBe(500);
      expect(served - revoked).toBeLessThan(1000);
      for (const load of loads) expect(failuresOf(await load.stop())).toEqual([]);
    },
    3 * PATIENCE,
  );
});

const fingerprint = (certificate: string) => new X509Certificate(certificate).fingerprint256;

const serviceNamed = (name: string): RawObject => {
  const service = backendObjects(site.team).find(({ kind }) => kind === 'Service')!;
  return { ...service, metadata: { name, namespace: site.team } };
};

async function hasEndpoints(service: string): Promise<void> {
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${site.team}/endpointslices`;
  const { items } = await site.api.get<{ items: { endpoints?: { conditions: { ready: boolean } }[] }[] }>(
    `${slices}?labelSelector=kubernetes.io%2Fservice-name%3D${service}`,
  );
  const ready = items
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions.ready);
  if (ready.length === 0) throw new Error(`${service} has no endpoints`);
}

/**
 * The control plane is told of routes by one watch and of endpoints by another, each in its own order: once endpoints are served that are newer
 * than others, it knows of those too.
 */
async function isHeard(number: number): Promise<void> {
  const [name, host] = [`later-${number}`, `later-${number}.example.com`];
  await site.api.applyAll([serviceNamed(name)]);
  await eventually(PATIENCE, () => hasEndpoints(name));
  await site.api.applyAll([site.route(name, [{ backendRefs: [{ ...BACKEND, name }] }], { host })]);
  await eventually(PATIENCE, async () => {
    // By every data plane, whichever replica of the control plane it is with.
    const all = await Promise.all(Array.from({ length: 8 }, () => statusOf('/', host)));
    expect(all).toEqual(all.map(() => 200));
  });
}

const grantIn = (namespace: string, team: string): RawObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'ReferenceGrant',
  metadata: { name: 'backend', namespace },
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: team }],
    to: [{ group: '', kind: 'Service', name: 'backend' }],
  },
});

/** The runtime in the cluster: from objects applied to requests answered at the Gateway's address, and back to nothing. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { KubeApi } from '../kube-api.ts';
import { observed, PATIENCE } from '../waiting.ts';
import { ask } from './edge.ts';
import { type Conditioned, hasTrue, installRuntime, removeAll } from './installed.ts';
import { authority, HOST, makeShop, routeOf } from './shop.ts';

interface GatewayObject extends Conditioned {
  readonly status?: Conditioned['status'] & {
    readonly addresses?: readonly { readonly value: string }[];
    readonly listeners?: readonly { readonly name: string; readonly attachedRoutes: number }[];
  };
}

interface RouteObject {
  readonly status?: {
    readonly parents?: readonly {
      readonly conditions: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason: string;
      }[];
    }[];
  };
}

const shop = makeShop();
let api: KubeApi;
let uninstall = async () => {};
let address: string;

beforeAll(async () => {
  api = await KubeApi.connect();
  uninstall = await installRuntime(api);
  await api.applyAll(shop.objects);
}, 3 * PATIENCE);

afterAll(async () => {
  await removeAll(api, shop.objects);
  await uninstall();
  api.close();
}, 3 * PATIENCE);

const pathOf = (object: RawObject) => api.pathOf(object);

/** The answer, once it is one of this status: routes are told to data planes in their own time. */
const answered = (status: number, path: string, more: { ca?: string; host?: string } = {}) =>
  eventually(PATIENCE, async () => {
    const answer = await ask({ address, host: HOST, path, ...more });
    expect(answer.status).toBe(status);
    return answer;
  });

describe('a Gateway in the cluster', () => {
  it(
    'is programmed, with an address',
    async () => {
      const path = await pathOf(shop.gateway);
      await observed<GatewayObject, true>(api, path, 'Programmed=True', hasTrue('Programmed'));
      address = (await api.get<GatewayObject>(path)).status!.addresses![0]!.value;
      expect(address).toMatch(/^[\d.]+$/);
    },
    2 * PATIENCE,
  );

  it(
    'serves a team, over HTTP and HTTPS, and nobody else',
    async () => {
      const { body } = await answered(200, '/cart/items?x=1');
      expect(JSON.parse(body)).toMatchObject({ path: '/cart/items?x=1', namespace: shop.team });
      const overTls = await answered(200, '/cart', { ca: authority });
      expect(JSON.parse(overTls.body)).toMatchObject({ path: '/cart', namespace: shop.team });
      await answered(302, '/old');
      await answered(404, '/elsewhere');
      await answered(404, '/cart', { host: 'other.example.com' });
    },
    2 * PATIENCE,
  );

  it(
    'says what is attached, and why the route of another namespace is not',
    async () => {
      const [gateway, foreign] = [await pathOf(shop.gateway), await pathOf(shop.objects.at(-1)!)];
      // Statuses are written after routes are served.
      await eventually(PATIENCE, async () => {
        const { status } = await api.get<GatewayObject>(gateway);
        expect(status!.listeners!.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
          ['web', 1],
          ['secure', 1],
        ]);
      });
      await eventually(PATIENCE, async () => {
        const { status } = await api.get<RouteObject>(foreign);
        expect(status?.parents?.[0]?.conditions).toContainEqual(
          expect.objectContaining({ type: 'Accepted', status: 'False', reason: 'NotAllowedByListeners' }),
        );
      });
    },
    2 * PATIENCE,
  );

  it(
    'follows a change of the route',
    async () => {
      await api.applyAll([
        routeOf(shop.team, shop.infra, 'cart', [
          {
            matches: [{ path: { type: 'Exact', value: '/new' } }],
            backendRefs: [{ name: 'cart', port: 80 }],
          },
        ]),
      ]);
      await answered(200, '/new');
      await answered(404, '/cart');
    },
    2 * PATIENCE,
  );

  it(
    'takes all that was made for it along when it is deleted',
    async () => {
      const made = () =>
        Promise.all(
          GENERATED.map(async ([group, plural]) => {
            const path = `${group}/namespaces/${shop.infra}/${plural}`;
            const list = await api.get<{ items: { metadata: { name: string } }[] }>(
              `${path}?labelSelector=gateway.networking.k8s.io%2Fgateway-name%3Dedge`,
            );
            return [plural, list.items.length] as const;
          }),
        );
      const before = await made();
      expect(before.filter(([, count]) => count === 0)).toEqual([]);
      await api.remove(shop.gateway);
      await eventually(PATIENCE, async () => {
        expect((await made()).filter(([, count]) => count > 0)).toEqual([]);
      });
      // The nodes take rules of a Service away in their own time.
      await eventually(PATIENCE, () => expect(ask({ address, host: HOST, path: '/new' })).rejects.toThrow());
    },
    2 * PATIENCE,
  );

  it(
    'comes back under the same name',
    async () => {
      await api.applyAll([shop.gateway]);
      const path = await pathOf(shop.gateway);
      await observed<GatewayObject, true>(api, path, 'Programmed=True', hasTrue('Programmed'));
      address = (await api.get<GatewayObject>(path)).status!.addresses![0]!.value;
      await answered(200, '/new');
    },
    2 * PATIENCE,
  );
});

/** Kinds that a Gateway has one of at least, by their paths. */
const GENERATED = [
  ['/apis/apps/v1', 'deployments'],
  ['/api/v1', 'services'],
  ['/api/v1', 'serviceaccounts'],
  ['/api/v1', 'pods'],
] as const;

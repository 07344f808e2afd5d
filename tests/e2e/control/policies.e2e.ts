/** GatewayPolicies and RoutePolicies in a real API server: routes are served without their CustomResourceDefinitions; with them, statuses say what holds. */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { GATEWAY_POLICY_DEFINITION } from '../../../gateway-runtime/api/gateway-policy.ts';
import { ROUTE_POLICY_DEFINITION } from '../../../gateway-runtime/api/route-policy.ts';
import { PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import type { HttpRule } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import {
  CRDS,
  gateway,
  gatewayClass,
  installCrds,
  put,
  read,
  remove,
  route,
  type TestObject,
} from './objects.ts';
import { Replica } from './replica.ts';

let server: ApiServer;
let control: Replica | undefined;

beforeAll(async () => {
  server = await ApiServer.start();
  await installCrds(server.client);
});
afterEach(() => control?.stop());
afterAll(() => server?.stop());

const soon = <T>(attempt: () => T | Promise<T>) => eventually(20_000, async () => attempt());

const cart = route('cart', [{ name: 'edge' }]);
const policy = (kind: 'GatewayPolicy' | 'RoutePolicy', spec: object): TestObject => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind,
  metadata: { name: 'p', namespace: 'default' },
  spec,
});
const forced = policy('GatewayPolicy', {
  targetRefs: [{ kind: 'Gateway', name: 'edge' }],
  overrides: { requestTimeout: '10s', ipAllow: ['10.0.0.0/8'] },
});
const own = policy('RoutePolicy', {
  targetRefs: [{ kind: 'HTTPRoute', name: 'cart' }],
  requestTimeout: '1m',
});

const rule = () => {
  const snapshot = control!.cluster.translation.snapshots.get('default/edge');
  return snapshot?.resources.find((each): each is HttpRule => each.type === 'http-rule');
};
const conditionsOf = async (object: TestObject): Promise<string> =>
  JSON.stringify((await read(server.client, object)).status ?? {});

it('hold once the API server knows them, and their statuses and those of routes say so', async () => {
  await put(server.client, gatewayClass, gateway('edge'), cart);
  control = new Replica(server.connection);
  await soon(() => expect(rule()).toBeDefined());
  expect(rule()).not.toHaveProperty('policies');

  for (const definition of [GATEWAY_POLICY_DEFINITION, ROUTE_POLICY_DEFINITION]) {
    await server.client.call('PATCH', `${CRDS}/${definition.metadata.name}?fieldManager=test&force=true`, {
      body: definition,
      contentType: PATCH.apply,
    });
  }
  await soon(() => put(server.client, forced, own));
  await soon(() => expect(rule()).toMatchObject({ timeouts: { request: 10_000 }, allow: ['10.0.0.0/8'] }));
  await soon(async () => expect(await conditionsOf(forced)).toMatch(/"reason":"Programmed"/));
  await soon(async () =>
    expect(await conditionsOf(own)).toMatch(/"reason":"Overridden".*1m|1m.*"reason":"Overridden"/),
  );
  await soon(async () =>
    expect(await conditionsOf(cart)).toMatch(/requests take at most 10s \(overrides.requestTimeout\)/),
  );
  await soon(async () =>
    expect(await conditionsOf(gateway('edge'))).toContain('gatewright.dev/GatewayPolicyAffected'),
  );

  await remove(server.client, forced);
  await soon(() => expect(rule()).not.toHaveProperty('allow'));
  await soon(async () => expect(await conditionsOf(own)).not.toContain('Overridden'));
  await soon(async () => expect(await conditionsOf(cart)).not.toContain('GatewayPolicyAffected'));
  await soon(async () => expect(await conditionsOf(gateway('edge'))).not.toContain('GatewayPolicyAffected'));
}, 120_000);

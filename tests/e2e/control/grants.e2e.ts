/** Grants in a real API server: without their CustomResourceDefinition nobody is let in, and it is said; with it, as they say. */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { GRANT_DEFINITION } from '../../../gateway-runtime/api/grant.ts';
import { GRANTED_LISTENERS } from '../../../gateway-runtime/api/names.ts';
import { PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import {
  CRDS,
  gateway,
  gatewayClass,
  installCrds,
  namespace,
  put,
  read,
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

const soon = (attempt: () => unknown) => eventually(15_000, async () => attempt());

const OPEN = [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }];
const edge: TestObject = {
  ...gateway('edge', OPEN, 'infra'),
  metadata: {
    name: 'edge',
    namespace: 'infra',
    annotations: { [GRANTED_LISTENERS]: '*' },
  } as TestObject['metadata'],
};
const cart = route('cart', [{ name: 'edge', namespace: 'infra' }], {
  rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/cart' } }] }],
});
const grant = (...paths: string[]): TestObject => ({
  apiVersion: 'gatewright.dev/v1alpha1',
  kind: 'Grant',
  metadata: { name: 'edge-shop', namespace: 'infra' },
  spec: {
    gatewayName: 'edge',
    team: 'shop',
    namespace: 'default',
    grants: [
      {
        name: 'shop',
        hostnames: ['cart.example.com'],
        kinds: ['HTTPRoute'],
        listeners: [{ kind: 'Gateway', name: 'edge', sectionNames: ['http'] }],
        paths,
      },
    ],
  },
});

async function accepted(): Promise<string> {
  const { status } = (await read(server.client, cart)) as {
    status?: {
      parents?: readonly { conditions: readonly { type: string; status: string; message: string }[] }[];
    };
  };
  const found = status?.parents?.[0]?.conditions.find(({ type }) => type === 'Accepted');
  return found ? `${found.status}: ${found.message}` : 'none';
}

it('lets nobody in without the kind, and follows Grants when it is there', async () => {
  await put(server.client, namespace('infra'), gatewayClass);
  await put(server.client, edge, cart);
  control = new Replica(server.connectionAt(server.port));
  await soon(async () =>
    expect(await accepted()).toContain(
      'Missing: a grant of hostname cart.example.com at gateway infra/edge to team default',
    ),
  );
  await soon(() => expect(control!.problemCodes).toEqual(['crd/missing grants.gatewright.dev']));
  expect(control.problems[0]!.message).toBe(
    'found none, and Gateway/infra/edge asks for Grants: their listeners admit no team',
  );

  const path = `${CRDS}/${GRANT_DEFINITION.metadata.name}?fieldManager=test&force=true`;
  await server.client.call('PATCH', path, { body: GRANT_DEFINITION, contentType: PATCH.apply });
  await soon(() => put(server.client, grant('/cart')));
  await soon(async () => expect(await accepted()).toContain('True: Attached to http for cart.example.com'));
  await soon(() => expect(control!.problems).toEqual([]));

  await put(server.client, grant('/basket'));
  await soon(async () =>
    expect(await accepted()).toContain(
      'path /cart is outside grant shop at gateway infra/edge (granted: /basket and all below). ' +
        'Missing: a grant of path /cart at gateway infra/edge to team shop',
    ),
  );
});

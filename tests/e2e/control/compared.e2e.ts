/** `gatewright diff` and `replay` against a real API server, and its objects read by kubectl: with the right to list and no more, so by no Secret. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refKey } from '../../../gateway-runtime/api/object.ts';
import { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import { connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { clusterObjects } from '../../../gateway-runtime/preview/cluster-objects.ts';
import { gatewright } from '../../cli/support/command.ts';
import { ApiServer } from './api-server.ts';
import { gateway, gatewayClass, installCrds, put, read, route, service, type TestObject } from './objects.ts';

const { Kubectl } = await import('../../../pulumi/kubectl.ts');

const GATEWAY_API = ['gateway.networking.k8s.io', 'gatewright.dev'];
/** Of whoever compares: in a cluster of others nothing more is needed. */
const READER = {
  metadata: { name: 'reader' },
  rules: [
    { apiGroups: GATEWAY_API, resources: ['*'], verbs: ['list'] },
    { apiGroups: [''], resources: ['namespaces', 'services'], verbs: ['list'] },
  ],
};

const parent = [{ name: 'edge' }];
const to = (name: string, port = 80) => ({ rules: [{ backendRefs: [{ name, port }] }] });
const HTTPS: TestObject = gateway('edge', [
  { name: 'http', port: 80, protocol: 'HTTP' },
  { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'wildcard' }] } },
]);
const SECRET: TestObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'wildcard' },
  stringData: { 'tls.crt': 'not to be seen', 'tls.key': 'not to be seen' },
};

let server: ApiServer;
let folder: string;
const file = (name: string, content: unknown) => {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return join(folder, name);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatewright-compared-'));
  server = await ApiServer.start();
  const { client } = server;
  await installCrds(client);
  await put(client, gatewayClass, SECRET, HTTPS, service('one'), service('two'));
  await put(client, route('cart', parent, to('one')), route('help', parent, to('two')));
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await client.call('POST', `${rbac}/clusterroles`, { body: READER });
  await client.call('POST', `${rbac}/clusterrolebindings`, {
    body: {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
    },
  });
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await client.call('POST', accounts, { body: { metadata: { name: 'reader' } } });
  const { status } = await client.call<{ status: { token: string } }>('POST', `${accounts}/reader/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  process.env.KUBECONFIG = file('kubeconfig', {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'reader' } }],
    clusters: [
      {
        name: 'test',
        cluster: {
          server: String(server.connection.server),
          'certificate-authority-data': Buffer.from(server.connection.ca!).toString('base64'),
        },
      },
    ],
    users: [{ name: 'reader', user: { token: status.token } }],
  });
});

afterAll(async () => {
  await server?.stop();
  delete process.env.KUBECONFIG;
  rmSync(folder, { recursive: true, force: true });
});

describe('a cluster of which all that matters may be listed', () => {
  it('is compared with files, as if they were applied to it', async () => {
    file('cart.json', route('cart', parent, to('two')));
    const { code, stdout, stderr } = await gatewright(['diff', 'cluster', 'cart.json'], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toBe(`MOVED: answered by another backend or redirect
  cart.example.com /*
    before    default/one:80
              HTTPRoute default/cart spec.rules[0] (cluster)
    after     default/two:80
              HTTPRoute default/cart spec.rules[0] (cart.json)
    try       GET http://cart.example.com/

1 moved
`);
    // What an API server filled in is no difference.
    const live = await read(server.client, route('cart', parent));
    const same = file('same.json', { ...live, metadata: { ...route('cart', parent).metadata } });
    expect(await gatewright(['diff', 'cluster', same])).toMatchObject({ code: 0 });
  });

  it('is what a log is replayed against', async () => {
    const line = (host: string, status: number) =>
      `${host} 192.0.2.1 - - [15/Apr/2026:20:17:00 +0000] "GET / HTTP/1.1" ${status} 612 "-" "curl/8.5"\n`;
    const log = file('access.log', line('cart.example.com', 200) + line('gone.example.com', 200));
    const { code, stdout, stderr } = await gatewright([
      ...['replay', log, '--format', 'nginx-vhost', '--against', 'cluster', '--port', '80', '--json'],
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ requests: 2, unchanged: 1 });
  });

  it('is read by kubectl just as by our own client', async () => {
    const client = new ApiClient(connection());
    const own = await clusterObjects((path) => client.get(path));
    client.close();
    const kubectl = await Kubectl.connect({ kubeconfig: process.env.KUBECONFIG! });
    const others = await clusterObjects((path) => kubectl.get(path));
    expect(others).toEqual(own);
    const keys = own.map(({ ref }) => refKey(ref));
    expect(keys).toEqual(expect.arrayContaining(['HTTPRoute/default/cart', 'Gateway/default/edge']));
    expect(keys.filter((key) => key.startsWith('Secret/'))).toEqual([]);
    await expect(kubectl.get('/api/v1/namespaces/default/secrets')).rejects.toMatchObject({ status: 403 });
  });
});

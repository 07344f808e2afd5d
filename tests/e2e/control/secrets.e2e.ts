/** Certificates of listeners and of authorities, read with the rights that the constructs give the control plane, and none more. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CLUSTER_RULES, caBundleRules, LEASE_RULES, secretRules } from '../../../constructs/permissions.ts';
import { GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { ApiClient, isStatus } from '../../../gateway-runtime/control/cluster/client.ts';
import type { Connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import { gateway, gatewayClass, installCrds, put, read, remove, type TestObject } from './objects.ts';
import { Replica } from './replica.ts';

const RBAC = 'rbac.authorization.k8s.io';
const SUBJECT = { kind: 'ServiceAccount', name: 'gatewright', namespace: 'default' };

let server: ApiServer;
let connection: Connection;
let control: Replica | undefined;

const rbac = (kind: 'Role' | 'ClusterRole', name: string, rules: readonly object[]) => {
  const root = `/apis/${RBAC}/v1${kind === 'Role' ? '/namespaces/default' : ''}`;
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind, name },
    subjects: [SUBJECT],
  };
  const role = { apiVersion: `${RBAC}/v1`, kind, metadata: { name }, rules };
  const [roles, bindings] =
    kind === 'Role' ? ['roles', 'rolebindings'] : ['clusterroles', 'clusterrolebindings'];
  return {
    create: async () => {
      await server.client.call('POST', `${root}/${roles}`, { body: role });
      await server.client.call('POST', `${root}/${bindings}`, { body: binding });
    },
    remove: async () => {
      for (const path of [`${root}/${roles}/${name}`, `${root}/${bindings}/${name}`]) {
        await server.client.call('DELETE', path).catch((error) => {
          if (!isStatus(error, 404)) throw error;
        });
      }
    },
  };
};

const secret = (name: string, content = 'QUFB'): TestObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  type: 'kubernetes.io/tls',
  stringData: {
    'tls.crt': `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----\n`,
    'tls.key': `-----BEGIN PRIVATE KEY-----\n${content}\n-----END PRIVATE KEY-----\n`,
  },
});
const https = (certificate: string) =>
  gateway('edge', [
    { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: certificate }] } },
  ]);

const configMap = (name: string, content = 'MAA='): TestObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { 'ca.crt': `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----\n`, other: 'x' },
});
/** Asks clients for certificates of the authorities in a ConfigMap. */
const asking = (name: string): TestObject => {
  const plain = https('cart');
  const caCertificateRefs = [{ group: '', kind: 'ConfigMap', name }];
  const tls = { frontend: { default: { validation: { caCertificateRefs } } } };
  return { ...plain, spec: { ...(plain.spec as object), tls } };
};

const certificates = rbac('Role', 'gatewright-certificates', secretRules(['cart']));

interface Listener {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly message: string;
  }[];
}

const resolvedRefs = async () => {
  const { status } = await read(server.client, https('cart'));
  const { listeners } = status as { listeners?: readonly Listener[] };
  return listeners?.[0]?.conditions.find(({ type }) => type === 'ResolvedRefs');
};

const resolved = (status: 'True' | 'False') =>
  eventually(10_000, async () => {
    const found = await resolvedRefs();
    expect(found).toMatchObject({ status });
    return found!;
  });

beforeAll(async () => {
  server = await ApiServer.start();
  await installCrds(server.client);
  await rbac('ClusterRole', 'gatewright-control-plane', CLUSTER_RULES).create();
  await rbac('Role', 'gatewright-leader-election', LEASE_RULES).create();
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await server.client.call('POST', accounts, { body: { metadata: { name: SUBJECT.name } } });
  const { status } = await server.client.call<{ status: { token: string } }>(
    'POST',
    `${accounts}/${SUBJECT.name}/token`,
    { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } },
  );
  const { certificate: _, key: __, ...rest } = server.connection;
  connection = { ...rest, token: () => status.token };
});

afterAll(() => server?.stop());

afterEach(async () => {
  await control?.stop();
  await remove(server.client, https('cart'), gatewayClass, secret('cart'), secret('other'));
  await remove(server.client, configMap('clients'), configMap('private'));
  await certificates.remove();
});

describe('the Secrets of listeners', () => {
  it('that may not be read make the listener say which Role is missing, until it is there', async () => {
    await put(server.client, gatewayClass, secret('cart'), https('cart'));
    control = new Replica(connection);
    expect((await resolved('False')).message).toContain(
      'Secret default/cart may not be read by the control plane: Role gatewright-certificates in namespace default is missing',
    );
    expect(control.problems).toEqual([]);
    await certificates.create();
    await resolved('True');
    expect(control.cluster.translation.certificates.has('default/cart')).toBe(true);
    // With a Role that names one, no other can be had.
    const client = new ApiClient(connection);
    await expect(client.get('/api/v1/namespaces/default/secrets/other')).rejects.toMatchObject({
      status: 403,
    });
    await expect(client.get('/api/v1/namespaces/default/secrets')).rejects.toMatchObject({ status: 403 });
    client.close();
  });

  it('are known before anything is handed on', async () => {
    await certificates.create();
    await put(server.client, gatewayClass, secret('cart'), https('cart'));
    control = new Replica(connection);
    await eventually(10_000, async () => expect(control!.changes).not.toHaveLength(0));
    const [first] = control.changes;
    expect([...first!.certificates.keys()]).toEqual(['default/cart']);
    expect(first!.deltas[0]!.put).toMatchObject([{ type: 'listener', certificates: ['default/cart'] }]);
    await resolved('True');
  });

  it('take the place of others without a gap, and are let go where nothing refers to them', async () => {
    const both = rbac('Role', 'both', secretRules(['cart', 'other']));
    await both.create();
    await put(server.client, gatewayClass, secret('cart'), secret('other', 'QkJC'), https('cart'));
    control = new Replica(connection);
    await resolved('True');
    const before = control.changes.length;
    await put(server.client, https('other'));
    await eventually(10_000, async () => expect(control!.changes.length).toBeGreaterThan(before));
    const change = control.changes[before]!;
    expect(change.deltas[0]!.remove).toEqual([]);
    expect(change.deltas[0]!.put).toMatchObject([{ type: 'listener', certificates: ['default/other'] }]);
    expect(change.certificates.get('default/other')).toBeDefined();
    expect([...change.certificates]).toContainEqual(['default/cart', undefined]);
    expect([...control.cluster.translation.secrets.keys()]).toEqual(['default/other']);
    await both.remove();
  });

  it('renewed, change the certificate and nothing else', async () => {
    await certificates.create();
    await put(server.client, gatewayClass, secret('cart'), https('cart'));
    control = new Replica(connection);
    await resolved('True');
    const before = control.changes.length;
    await put(server.client, secret('cart', 'Q0ND'));
    await eventually(10_000, async () => expect(control!.changes.length).toBeGreaterThan(before));
    const { certificates: renewed, deltas, statuses } = control.changes[before]!;
    expect(renewed.get('default/cart')!.certificate).toContain('Q0ND');
    expect([deltas, statuses.size]).toEqual([[], 0]);
  });

  it('and the ConfigMaps of authorities: those that are named, as soon as they may be read, and no others', async () => {
    await certificates.create();
    const objects = [secret('cart'), configMap('clients'), configMap('private')];
    await put(server.client, gatewayClass, ...objects, asking('clients'));
    control = new Replica(connection);
    expect((await resolved('False')).message).toContain(
      'ConfigMap default/clients may not be read by the control plane: Role gatewright-certificates in namespace default is missing or does not name it',
    );
    expect(control.problems).toEqual([]);
    await certificates.remove();
    const both = rbac('Role', 'gatewright-certificates', [
      ...secretRules(['cart']),
      ...caBundleRules(['clients']),
    ]);
    await both.create();
    await resolved('True');
    const bundle = () =>
      control!.cluster.translation.snapshots
        .get('default/edge')!
        .resources.find((resource) => resource.type === 'ca-bundle');
    expect(bundle()).toMatchObject({ key: 'ca-bundle/default/clients', configMap: 'clients' });
    expect(JSON.stringify(bundle())).not.toContain('other');
    const before = bundle()!.hash;
    await put(server.client, configMap('clients', 'MAEA'));
    await eventually(10_000, async () => expect(bundle()!.hash).not.toBe(before));
    expect([...control.cluster.translation.configMaps.keys()]).toEqual(['default/clients']);
    const client = new ApiClient(connection);
    for (const path of ['private', '']) {
      await expect(client.get(`/api/v1/namespaces/default/configmaps/${path}`)).rejects.toMatchObject({
        status: 403,
      });
    }
    client.close();
    await put(server.client, https('cart'));
    await eventually(10_000, async () => expect(control!.cluster.translation.configMaps.size).toBe(0));
    expect(bundle()).toBeUndefined();
  });

  it('need rights on objects too: what is missing is said', async () => {
    const cluster = rbac('ClusterRole', 'gatewright-control-plane', CLUSTER_RULES);
    await cluster.remove();
    // The API server hears of that in its own time, and what it let through before is not cut off.
    const client = new ApiClient(connection);
    await eventually(10_000, () =>
      expect(client.get(`/apis/${GATEWAY_GROUP}/v1/httproutes?limit=1`)).rejects.toMatchObject({
        status: 403,
      }),
    );
    client.close();
    control = new Replica(connection);
    const watched = CLUSTER_RULES.filter(({ verbs }) => verbs.includes('watch')).flatMap(
      ({ resources }) => resources,
    );
    await eventually(10_000, async () => expect(control!.problemCodes).toHaveLength(watched.length));
    expect(new Set(control.problemCodes)).toEqual(new Set(['cluster/denied gatewright-control-plane']));
    expect(control.problems.map(({ message }) => message)).toContain(
      `found no right to list and watch httproutes.${GATEWAY_GROUP}; nothing is served anew before it can be read`,
    );
    expect(control.changes).toEqual([]);
    await cluster.create();
    await eventually(10_000, async () => expect(control!.cluster.synced).toBe(true));
    // Definitions are read apart from what is served, and may be there later.
    await eventually(10_000, async () => expect(control!.problems).toEqual([]));
  });
});

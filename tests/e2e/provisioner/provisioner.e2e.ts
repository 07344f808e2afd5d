/** What is made for Gateways in a real cluster, with no more rights than synth gives. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient, PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import { eventually } from '../../cluster/command.ts';
import { poolAddress } from '../../cluster/settings.ts';
import { PATIENCE } from '../waiting.ts';
import { accountConnection, type Provisioning } from './provisioning.ts';
import { Surroundings } from './surroundings.ts';

const OWNED = [
  'plain',
  'other',
  'drift',
  'edited',
  'labelled',
  'tuned',
  'retyped',
  'refused',
  'moved',
  'taken',
  'static',
  'kept',
  'heir',
];
/** Which addresses there are is known of a cluster of our own. */
const whereThePoolIsOurs = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? it : it.skip;

let around: Surroundings;
let control: Provisioning | undefined;

beforeAll(async () => {
  around = await Surroundings.make(OWNED);
});

afterAll(() => around?.remove());

const begin = async () => {
  control = await around.provision();
  return control;
};

afterEach(async () => {
  await control?.stop();
  control = undefined;
  for (const name of [...OWNED, 'stranger']) await around.api.remove(around.gateway(name));
});

const state = (name: string) => control!.stateOf(around.namespace, name);
const waitFor = (check: () => void | Promise<void>) => eventually(PATIENCE, async () => check());

describe('a Gateway', () => {
  it('gets what it needs, owned by it, and an address; after that nothing is written', async () => {
    await begin();
    await around.api.applyAll([around.gateway('plain')]);
    const all = await around.all('plain');
    const gateway = await around.api.get<{ metadata: { uid: string } }>(
      await around.api.pathOf(around.gateway('plain')),
    );
    for (const { metadata } of Object.values(all)) {
      expect(metadata.labels).toMatchObject({
        'gateway.networking.k8s.io/gateway-name': 'plain',
        'gateway.networking.k8s.io/gateway-class-name': around.className,
        'app.kubernetes.io/managed-by': 'gatewright',
      });
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'Gateway', uid: gateway.metadata.uid }]);
    }
    expect(all.Service!.spec).toMatchObject({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      ports: [{ name: 'tcp-80', port: 80, targetPort: 64592 }],
    });
    await waitFor(() => expect(state('plain').addresses).toHaveLength(1));
    const service = (await around.find('Service', 'plain')) as unknown as {
      status: { loadBalancer: { ingress: { ip: string }[] } };
    };
    expect(state('plain')).toMatchObject({
      addresses: [{ type: 'IPAddress', value: service.status.loadBalancer.ingress[0]!.ip }],
    });
    expect(state('plain').problem).toBeUndefined();
    // Pods that the restricted profile of the namespace would refuse would not be there.
    const pods = `/api/v1/namespaces/${around.namespace}/pods?labelSelector=gateway.networking.k8s.io/gateway-name=plain`;
    await waitFor(async () => {
      const { items } = await around.admin.get<{ items: unknown[] }>(pods);
      expect(items).toHaveLength(2);
    });
    await waitFor(() => expect(state('plain').pods).toHaveLength(2));
    const writes = control!.writesTo(around.namespace);
    expect(writes).toHaveLength(5);
    // A change that needs nothing else brings another look at it all.
    await around.api.applyAll([
      {
        ...around.gateway('plain'),
        metadata: { name: 'plain', namespace: around.namespace, labels: { a: 'b' } },
      },
    ]);
    await around.alter('Deployment', 'plain', {
      metadata: { annotations: { 'example.com/note': 'of somebody else' } },
    });
    await waitFor(async () => {
      const found = await around.find('Deployment', 'plain');
      expect(found!.metadata.annotations!['example.com/note']).toBe('of somebody else');
    });
    await around.api.applyAll([around.gateway('other')]);
    await around.all('other');
    expect(control!.writesTo(around.namespace).filter((each) => each.includes('plain'))).toEqual(writes);
  });

  it('has put back what somebody alters or deletes', async () => {
    await begin();
    await around.api.applyAll([around.gateway('drift')]);
    const before = await around.all('drift');
    await around.alter('Deployment', 'drift', { spec: { replicas: 7 } });
    await around.alter('Service', 'drift', { spec: { externalTrafficPolicy: 'Cluster' } });
    await around.alter('ConfigMap', 'drift', { data: { 'ca.crt': 'forged' } });
    await around.alter('ServiceAccount', 'drift', {
      metadata: { labels: { 'app.kubernetes.io/managed-by': null } },
    });
    await around.admin.call('DELETE', around.pathOf('PodDisruptionBudget', around.generated('drift')));
    await waitFor(async () => {
      const after = await around.all('drift');
      expect(after.Deployment!.spec.replicas).toBe(2);
      expect(after.Service!.spec.externalTrafficPolicy).toBe('Local');
      expect(after.ConfigMap!.data).toEqual({ 'ca.crt': 'authority' });
      expect(after.ServiceAccount!.metadata.labels).toEqual(before.ServiceAccount!.metadata.labels);
      expect(after.PodDisruptionBudget!.metadata.uid).not.toBe(before.PodDisruptionBudget!.metadata.uid);
    });
    expect(control!.events.join()).toMatch(
      /Deployment .* was changed by somebody else at spec\.replicas; it is put back/,
    );
  });

  it('keeps its node ports while ports come and go', async () => {
    await begin();
    await around.api.applyAll([around.gateway('edited')]);
    const { Service } = await around.all('edited');
    const [{ nodePort }] = Service!.spec.ports;
    const withPorts = (...ports: number[]) =>
      around.gateway('edited', {
        listeners: ports.map((port) => ({ name: `l${port}`, port, protocol: 'HTTP' })),
      });
    const portsOf = async () => (await around.find('Service', 'edited'))!.spec.ports;
    await around.api.applyAll([withPorts(8080, 80)]);
    await waitFor(async () => expect(await portsOf()).toHaveLength(2));
    const both = await portsOf();
    expect(both.find(({ port }: { port: number }) => port === 80)).toEqual(Service!.spec.ports[0]);
    await around.api.applyAll([withPorts(80, 443)]);
    await waitFor(async () => {
      const ports = await portsOf();
      expect(ports.map(({ name }: { name: string }) => name).sort()).toEqual(['tcp-443', 'tcp-80']);
    });
    const after = (await portsOf()).find(({ port }: { port: number }) => port === 80);
    expect(after.nodePort).toBe(nodePort);
    expect((await around.find('Deployment', 'edited'))!.metadata.uid).toBeDefined();
  });

  it('hands its labels and annotations to all of it, and takes them back', async () => {
    await begin();
    const infrastructure = { labels: { key2: 'value2' }, annotations: { key1: 'value1' } };
    await around.api.applyAll([around.gateway('labelled', { infrastructure })]);
    const all = await around.all('labelled');
    for (const { metadata } of [...Object.values(all), all.Deployment!.spec.template]) {
      expect(metadata).toMatchObject(infrastructure);
    }
    await around.api.applyAll([around.gateway('labelled')]);
    await waitFor(async () => {
      const after = await around.all('labelled');
      for (const { metadata } of [...Object.values(after), after.Deployment!.spec.template]) {
        expect(metadata.labels).not.toHaveProperty('key2');
        expect(metadata.annotations ?? {}).not.toHaveProperty('key1');
      }
    });
  });

  it('runs as its parameters say, and as they say after a change', async () => {
    await begin();
    const parameters = (spec: object) => ({
      apiVersion: 'gatewright.dev/v1alpha1',
      kind: 'GatewayParameters',
      metadata: { name: 'tuned', namespace: around.namespace },
      spec,
    });
    const parametersRef = { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'tuned' };
    await around.api.applyAll([
      parameters({
        autoscaling: { maxReplicas: 4 },
        resources: { requests: { cpu: '0.10', memory: '1024Mi' }, limits: { cpu: 1, memory: '2048Mi' } },
        service: { type: 'ClusterIP', annotations: { 'example.com/a': 'b' } },
        podDisruptionBudget: { minAvailable: '50%' },
        accessLog: true,
      }),
      around.gateway('tuned', { infrastructure: { parametersRef } }),
    ]);
    const all = await around.all('tuned');
    await waitFor(async () => expect(await around.find('HorizontalPodAutoscaler', 'tuned')).toBeDefined());
    const scaler = await around.find('HorizontalPodAutoscaler', 'tuned');
    expect(scaler!.spec).toMatchObject({
      minReplicas: 2,
      maxReplicas: 4,
      scaleTargetRef: { kind: 'Deployment' },
    });
    expect(all.Service!.spec).toMatchObject({ type: 'ClusterIP' });
    expect(all.Service!.metadata.annotations).toMatchObject({ 'example.com/a': 'b' });
    expect(all.PodDisruptionBudget!.spec.minAvailable).toBe('50%');
    const [container] = all.Deployment!.spec.template.spec.containers;
    expect(container.resources).toEqual({
      requests: { cpu: '100m', memory: '1Gi' },
      limits: { cpu: '1', memory: '2Gi' },
    });
    expect(container.env).toContainEqual({ name: 'GATEWRIGHT_ACCESS_LOG', value: 'true' });
    await waitFor(() =>
      expect(state('tuned')).toMatchObject({ addresses: [{ value: all.Service!.spec.clusterIP }] }),
    );
    // Where it is scaled, the number is not ours.
    await around.alter('Deployment', 'tuned', { spec: { replicas: 3 } });
    const writes = control!.writesTo('/deployments/tuned').length;
    await around.api.applyAll([parameters({ replicas: 1, service: { type: 'NodePort' } })]);
    await around.none('tuned', undefined, ['HorizontalPodAutoscaler']);
    await waitFor(async () => {
      expect((await around.find('Deployment', 'tuned'))!.spec.replicas).toBe(1);
      expect((await around.find('Service', 'tuned'))!.spec).toMatchObject({
        type: 'NodePort',
        externalTrafficPolicy: 'Local',
      });
    });
    expect(control!.writesTo('/deployments/tuned')).toHaveLength(writes + 1);
    expect(control!.events).toEqual([]);
  });

  it('has its Service of another type, and back, without a rest of what it was', async () => {
    await begin();
    const withType = (type: string) => [
      {
        apiVersion: 'gatewright.dev/v1alpha1',
        kind: 'GatewayParameters',
        metadata: { name: 'retyped', namespace: around.namespace },
        spec: { service: { type } },
      },
    ];
    const parametersRef = { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'retyped' };
    const specOf = async () => (await around.find('Service', 'retyped'))!.spec;
    await around.api.applyAll([
      ...withType('LoadBalancer'),
      around.gateway('retyped', { infrastructure: { parametersRef } }),
    ]);
    const before = (await around.all('retyped')).Service!.spec;
    await around.api.applyAll(withType('ClusterIP'));
    await waitFor(async () => expect(await specOf()).toMatchObject({ type: 'ClusterIP' }));
    const inside = await specOf();
    expect(inside.ports[0]).not.toHaveProperty('nodePort');
    expect(inside).not.toHaveProperty('externalTrafficPolicy');
    expect(inside.clusterIP).toBe(before.clusterIP);
    await around.api.applyAll(withType('LoadBalancer'));
    await waitFor(async () => {
      expect(await specOf()).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    });
    await waitFor(() => expect(state('retyped').problem).toBeUndefined());
    expect(control!.events).toEqual([]);
  });

  it('that is refused keeps what it has; of another controller it keeps nothing', async () => {
    await begin();
    await around.api.applyAll([around.gateway('refused')]);
    const before = await around.all('refused');
    const hostname = [{ type: 'Hostname', value: 'a.example' }];
    await around.api.applyAll([around.gateway('refused', { addresses: hostname })]);
    await waitFor(() =>
      expect(
        control!.provisioner.accountOf({ namespace: around.namespace, name: 'refused' }),
      ).toBeUndefined(),
    );
    await around.api.applyAll([around.gateway('refused')]);
    await waitFor(() =>
      expect(control!.provisioner.accountOf({ namespace: around.namespace, name: 'refused' })).toBeDefined(),
    );
    const after = await around.all('refused');
    expect(after.Service!.metadata.uid).toBe(before.Service!.metadata.uid);
    await around.api.applyAll([around.gateway('refused', { gatewayClassName: 'of-somebody-else' })]);
    await around.none('refused');
  });

  it('of another of our classes gets new objects; the old ones are deleted once those are ready', async () => {
    await begin();
    await around.api.applyAll([around.gateway('moved')]);
    await around.all('moved');
    await around.api.applyAll([around.gateway('moved', { gatewayClassName: around.otherClass })]);
    // Synth gave no right to objects of this name.
    await waitFor(() =>
      expect(state('moved').problem).toEqual({
        reason: 'NoResources',
        message: expect.stringMatching(
          `no right to write serviceaccounts in namespace ${around.namespace}: Role gatewright-provisioner there is missing or does not name moved-${around.otherClass}`,
        ),
      }),
    );
    expect(await around.find('Deployment', 'moved')).toBeDefined();
    await around.api.remove(around.gateway('moved'));
    // By the garbage collector.
    await around.none('moved');
  });

  it('leaves alone what somebody else made under the name that it needs', async () => {
    await begin();
    const foreign = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: around.generated('taken'), namespace: around.namespace, labels: { app: 'other' } },
    };
    await around.api.applyAll([foreign]);
    const before = await around.find('ServiceAccount', 'taken');
    await around.api.applyAll([around.gateway('taken')]);
    await waitFor(() =>
      expect(state('taken').problem).toEqual({
        reason: 'NoResources',
        message: expect.stringContaining(
          `ServiceAccount ${around.namespace}/${around.generated('taken')} is there already and was not made for Gateway taken`,
        ),
      }),
    );
    expect(await around.find('ServiceAccount', 'taken')).toEqual(before);
    await around.api.remove(foreign);
    await around.all('taken');
    await waitFor(() => expect(state('taken').problem?.reason).not.toBe('NoResources'));
  });

  it('says which Role is missing, and is provided for once it is there', async () => {
    const path = around.pathOf('Role', 'gatewright-provisioner');
    const role = await around.admin.get<{ metadata: { name: string }; rules: object[] }>(path);
    await around.admin.call('DELETE', path);
    try {
      await begin();
      await around.api.applyAll([around.gateway('kept')]);
      await waitFor(() =>
        expect(state('kept').problem).toEqual({
          reason: 'NoResources',
          message: expect.stringMatching(
            /Role gatewright-provisioner there is missing or does not name kept-/,
          ),
        }),
      );
      expect(control!.writesTo(around.namespace)).toEqual([]);
      expect(control!.events.filter((each) => each.includes('gatewright-provisioner'))).toHaveLength(1);
    } finally {
      const { name } = role.metadata;
      await around.admin.call('POST', path.slice(0, path.lastIndexOf('/')), {
        body: {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name },
          rules: role.rules,
        },
      });
    }
    await around.all('kept');
    await waitFor(() => expect(state('kept').problem?.reason).not.toBe('NoResources'));
  });

  it('is made with rights that reach nothing else', async () => {
    const account = new ApiClient(await accountConnection(around.system, 'gatewright'));
    const refused = async (method: 'GET' | 'PATCH' | 'DELETE', path: string, body?: object) =>
      expect(
        account.call(method, path, body ? { body, contentType: PATCH.apply } : {}),
      ).rejects.toMatchObject({ status: 403 });
    for (const kind of ['ServiceAccount', 'ConfigMap', 'Service', 'PodDisruptionBudget', 'Deployment']) {
      const path = around.pathOf(kind, 'of-somebody-else');
      const metadata = { name: 'of-somebody-else', namespace: around.namespace };
      const apiVersion =
        kind === 'Deployment' ? 'apps/v1' : kind === 'PodDisruptionBudget' ? 'policy/v1' : 'v1';
      await refused('PATCH', `${path}?fieldManager=test`, { apiVersion, kind, metadata });
      await refused('DELETE', path);
      // Services can be read everywhere.
      if (kind !== 'Service') await refused('GET', path);
      await refused('PATCH', `${path.replace(around.namespace, 'default')}?fieldManager=test`, {
        apiVersion,
        kind,
        metadata,
      });
    }
    for (const kinds of ['secrets', 'pods']) {
      await refused('GET', `/api/v1/namespaces/${around.namespace}/${kinds}`);
    }
    await refused('GET', around.pathOf('Role', 'gatewright-provisioner'));
    account.close();
  });

  it('that synth does not know gets nothing, and is told so', async () => {
    await begin();
    await around.api.applyAll([around.gateway('stranger')]);
    await waitFor(() => expect(state('stranger').problem?.message).toContain(`does not name stranger-`));
    await around.none('stranger');
  });

  whereThePoolIsOurs('gets the address that it asks for, and says so where it does not', async () => {
    await begin();
    const [good, bad] = [poolAddress(200), '192.0.2.7'];
    await around.api.applyAll([around.gateway('static', { addresses: [{ value: bad }, { value: good }] })]);
    await waitFor(() => expect(state('static').problem).toMatchObject({ reason: 'AddressNotUsable' }));
    expect(state('static').addresses).toBeUndefined();
    expect(state('static').problem!.message).toContain(bad);
    await around.api.applyAll([around.gateway('static', { addresses: [{ value: good }] })]);
    await waitFor(() => expect(state('static').addresses).toEqual([{ type: 'IPAddress', value: good }]));
    expect(state('static').problem).toBeUndefined();
    expect(control!.told).toContain(`${around.namespace}/static`);
  });

  it('is gone on with by the next leader as it is', async () => {
    await begin();
    await around.api.applyAll([around.gateway('heir')]);
    const before = await around.all('heir');
    await control!.stop();
    await around.alter('Service', 'heir', { spec: { externalTrafficPolicy: 'Cluster' } });
    await begin();
    await waitFor(async () => {
      const { Service } = await around.all('heir');
      expect(Service!.spec.externalTrafficPolicy).toBe('Local');
    });
    expect(control!.writesTo(around.namespace)).toEqual([
      `PATCH ${around.pathOf('Service', around.generated('heir'))}`,
    ]);
    const after = await around.all('heir');
    expect(after.Deployment!.metadata.resourceVersion).toBeDefined();
    expect(after.Service!.spec.ports).toEqual(before.Service!.spec.ports);
  });
});

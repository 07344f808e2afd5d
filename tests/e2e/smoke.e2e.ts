/** The cluster itself: pods on every node, a Service with its name, a LoadBalancer address, real traffic to each. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { eventually } from '../cluster/command.ts';
import { ECHO, NODE } from '../cluster/images.ts';
import { KubeApi } from './kube-api.ts';
import { observed, PATIENCE } from './waiting.ts';

/** A cluster of our own has no way out to a registry; any other is expected to have one. */
const clientImage = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? NODE : 'docker.io/library/node:24-slim';

const namespace = `gatewright-smoke-${randomBytes(3).toString('hex')}`;
const labels = { app: 'echo' };

const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  runAsUser: 65532,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

const namespaceObject: RawObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  // The strictest pod security there is: what a data plane has to run under.
  metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

const echo: RawObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'echo', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: labels },
          },
        ],
        containers: [
          {
            name: 'echo',
            image: ECHO,
            ports: [{ containerPort: 3000 }],
            env: [
              { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
            ],
            readinessProbe: { httpGet: { path: '/', port: 3000 }, periodSeconds: 1 },
            securityContext: restricted,
          },
        ],
      },
    },
  },
};

const service = (name: string, spec: object): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: labels, ports: [{ port: 80, targetPort: 3000 }], ...spec },
});

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly phase: string };
}

interface LoadBalanced {
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] } };
}

let api: KubeApi;

beforeAll(async () => {
  api = await KubeApi.connect();
  await api.applyAll([namespaceObject, echo, service('echo', {}), service('edge', { type: 'LoadBalancer' })]);
  await observed<{ status: { readyReplicas?: number } }, true>(
    api,
    await api.pathOf(echo),
    'two ready replicas',
    ({ status }) => status.readyReplicas === 2 || undefined,
  );
});

afterAll(async () => {
  await api.remove(namespaceObject);
  const path = await api.pathOf(namespaceObject);
  await eventually(PATIENCE, async () => expect((await api.call('GET', path)).status).toBe(404));
  api.close();
});

describe('the cluster', () => {
  it('answers at a LoadBalancer address, from every pod of the Service, on every node', async () => {
    const ip = await observed<LoadBalanced, string>(
      api,
      await api.pathOf(service('edge', {})),
      'address',
      ({ status }) => status.loadBalancer.ingress?.[0]?.ip,
    );
    const { items } = await api.get<{ items: Pod[] }>(`/api/v1/namespaces/${namespace}/pods`);
    expect(new Set(items.map(({ spec }) => spec.nodeName)).size).toBe(2);
    const answered = new Set<string>();
    await eventually(PATIENCE, async () => {
      // Each on a connection of its own, so that each is balanced.
      const answer = await fetch(`http://${ip}/some/path?x=1`, { headers: { connection: 'close' } });
      const seen = (await answer.json()) as { path: string; namespace: string; pod: string };
      expect(seen).toMatchObject({ path: '/some/path?x=1', namespace });
      answered.add(seen.pod);
      expect([...answered].sort()).toEqual(items.map(({ metadata }) => metadata.name).sort());
    });
  });

  it('gives pods its name service and their Services', async () => {
    const client: RawObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client', namespace },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'client',
            image: clientImage,
            command: [
              'node',
              '-e',
              `fetch('http://echo.${namespace}.svc.cluster.local/from-a-pod').then((answer) => answer.text()).then(console.log)`,
            ],
            securityContext: restricted,
          },
        ],
      },
    };
    await api.applyAll([client]);
    const path = await api.pathOf(client);
    const phase = await observed<Pod, string>(api, path, 'end', ({ status }) =>
      ['Succeeded', 'Failed'].includes(status.phase) ? status.phase : undefined,
    );
    const { body: log } = await api.call('GET', `${path}/log`);
    expect({ phase, log }).toMatchObject({ phase: 'Succeeded', log: expect.stringContaining('/from-a-pod') });
  });
});

/** The objects around a Gateway: all of them for the plainest one, and what each setting changes. */
import { describe, expect, it } from '@jest/globals';
import type { GatewayParametersSpec } from '../../../gateway-runtime/api/gateway-parameters.ts';
import type { GeneratedKind } from '../../../gateway-runtime/control/provisioner/kinds.ts';
import { generatedObjects } from '../../../gateway-runtime/control/provisioner/objects.ts';
import type { Infrastructure } from '../../../gateway-runtime/translate/translation.ts';
import { needs, SURROUNDINGS } from './needs.ts';

const NAME = 'gateway.networking.k8s.io/gateway-name';
const CLASS = 'gateway.networking.k8s.io/gateway-class-name';
const APPLIED = 'gatewright.dev/applied';
const SELECTOR = { [NAME]: 'edge', [CLASS]: 'ours' };
const LABELS = { ...SELECTOR, 'app.kubernetes.io/managed-by': 'gatewright' };

const made = (change: Partial<Infrastructure> = {}, surroundings = SURROUNDINGS) =>
  generatedObjects(needs(change), surroundings);
// biome-ignore lint/suspicious/noExplicitAny: of whatever kind it is
const one = (kind: GeneratedKind, change: Partial<Infrastructure> = {}): any =>
  made(change).find((object) => object.kind === kind);
const tuned = (parameters: GatewayParametersSpec) => ({ parameters });
// biome-ignore lint/suspicious/noExplicitAny: as above
const podOf = (change: Partial<Infrastructure> = {}): any => one('Deployment', change).spec.template.spec;

describe('the plainest Gateway', () => {
  it('gets these five, all of the same name and owner', () => {
    const objects = made();
    expect(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'v1 ServiceAccount',
      'v1 ConfigMap',
      'v1 Service',
      'policy/v1 PodDisruptionBudget',
      'apps/v1 Deployment',
    ]);
    for (const { metadata } of objects) {
      expect(metadata).toEqual({
        name: 'edge-ours',
        namespace: 'infra',
        labels: LABELS,
        annotations: { [APPLIED]: expect.stringMatching(/^[0-9a-f]{16}$/) },
        ownerReferences: [
          {
            apiVersion: 'gateway.networking.k8s.io/v1',
            kind: 'Gateway',
            name: 'edge',
            uid: 'uid-edge',
            controller: true,
          },
        ],
      });
    }
  });

  it('of this content', () => {
    expect(one('ServiceAccount').automountServiceAccountToken).toBe(false);
    expect(one('ConfigMap').data).toEqual({ 'ca.crt': 'PEM' });
    expect(one('Service').spec).toEqual({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      selector: SELECTOR,
      ports: [{ name: 'tcp-80', port: 80, protocol: 'TCP', targetPort: 64592 }],
    });
    expect(one('PodDisruptionBudget').spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: SELECTOR },
    });
    const { template, ...spec } = one('Deployment').spec;
    expect(spec).toEqual({
      replicas: 2,
      selector: { matchLabels: SELECTOR },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    expect(template.metadata).toEqual({ labels: LABELS, annotations: {} });
  });

  it('whose pods meet the restricted profile and mount no token but that for the control plane', () => {
    const pod = podOf();
    expect(pod).toMatchObject({
      serviceAccountName: 'edge-ours',
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(45);
    const [container, ...others] = pod.containers;
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image: SURROUNDINGS.image,
      args: ['--max-semi-space-size=4', '--no-maglev', '--v8-pool-size=1', '/gatewright/data-plane.js'],
      readinessProbe: { httpGet: { path: '/readyz', port: 'admin' } },
      resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
      securityContext: {
        privileged: false,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    });
    expect(pod.volumes).toEqual([
      { name: 'authorities', configMap: { name: 'edge-ours' } },
      {
        name: 'token',
        projected: {
          sources: [
            {
              serviceAccountToken: {
                audience: 'distribution.gatewright.dev',
                expirationSeconds: 3600,
                path: 'token',
              },
            },
          ],
        },
      },
      { name: 'state', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } },
    ]);
    const spread = pod.topologySpreadConstraints.map((each: { topologyKey: string }) => each.topologyKey);
    expect(spread).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
  });

  it('and which are told everything that a data plane asks for', () => {
    const { env, volumeMounts } = podOf().containers[0];
    const told = Object.fromEntries(
      env.map(({ name, value, valueFrom }: { name: string; value?: string; valueFrom?: object }) => [
        name,
        value ?? valueFrom,
      ]),
    );
    expect(told).toEqual({
      GATEWRIGHT_GATEWAY: 'infra/edge',
      GATEWRIGHT_CONTROL_PLANE: 'gatewright-control-plane.gatewright-system.svc:9903',
      GATEWRIGHT_CA_FILE: '/var/run/gatewright/authorities/ca.crt',
      GATEWRIGHT_TOKEN_FILE: '/var/run/gatewright/token/token',
      GATEWRIGHT_STATE_FOLDER: '/var/lib/gatewright',
      GATEWRIGHT_REPLICA: { fieldRef: { fieldPath: 'metadata.name' } },
      GATEWRIGHT_ACCESS_LOG: 'false',
      MALLOC_ARENA_MAX: '1',
    });
    expect(volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/var/run/gatewright/authorities',
      '/var/run/gatewright/token',
      '/var/lib/gatewright',
    ]);
  });
});

describe('what a Gateway says', () => {
  it('of ports is in the Service, and changes no pod', () => {
    const ports = [
      { port: 80, protocol: 'HTTP' },
      { port: 443, protocol: 'HTTPS' },
      { port: 9902, protocol: 'HTTP' },
    ] as const;
    expect(one('Service', { ports }).spec.ports).toEqual([
      { name: 'tcp-80', port: 80, protocol: 'TCP', targetPort: 64592 },
      { name: 'tcp-443', port: 443, protocol: 'TCP', targetPort: 64955 },
      { name: 'tcp-9902', port: 9902, protocol: 'TCP', targetPort: 64512 },
    ]);
    expect(one('Deployment', { ports })).toEqual(one('Deployment'));
  });

  it('of labels and annotations is on everything, under what we need ourselves', () => {
    const change = {
      labels: { tier: 'edge', [NAME]: 'forged', 'app.kubernetes.io/managed-by': 'forged' },
      annotations: { note: 'x', [APPLIED]: 'forged' },
    };
    for (const { metadata } of [...made(change), one('Deployment', change).spec.template]) {
      expect(metadata.labels).toEqual({ ...LABELS, tier: 'edge' });
      expect(metadata.annotations).toMatchObject({ note: 'x' });
    }
    for (const { metadata } of made(change)) expect(metadata.annotations[APPLIED]).not.toBe('forged');
    expect(one('Deployment', change).spec.selector).toEqual({ matchLabels: SELECTOR });
  });

  it('of addresses is asked of the load balancer, or of the cluster', () => {
    const addresses = [
      { type: 'IPAddress' },
      { type: 'IPAddress', value: '10.0.0.1' },
      { type: 'IPAddress', value: '10.0.0.2' },
    ];
    expect(one('Service', { addresses }).spec.loadBalancerIP).toBe('10.0.0.1');
    const inside = { addresses, ...tuned({ service: { type: 'ClusterIP' } }) };
    expect(one('Service', inside).spec).toMatchObject({ type: 'ClusterIP', clusterIP: '10.0.0.1' });
    expect(one('Service', inside).spec).not.toHaveProperty('externalTrafficPolicy');
    expect(one('Service', { addresses: [{ type: 'IPAddress' }] }).spec).not.toHaveProperty('loadBalancerIP');
  });

  it('changes the mark of what was applied, which nothing else does', () => {
    const mark = (change: Partial<Infrastructure>, kind: GeneratedKind = 'Service') =>
      one(kind, change).metadata.annotations[APPLIED];
    expect(mark({ labels: { a: 'b' } })).not.toBe(mark({}));
    expect(mark({ uid: 'other' })).not.toBe(mark({}));
    expect(mark(tuned({ replicas: 3 }))).toBe(mark({}));
    expect(mark(tuned({ replicas: 3 }), 'Deployment')).not.toBe(mark({}, 'Deployment'));
  });
});

describe('parameters', () => {
  it('say how many, or have it said by a HorizontalPodAutoscaler', () => {
    expect(one('Deployment', tuned({ replicas: 5 })).spec.replicas).toBe(5);
    const scaled = tuned({
      replicas: 5,
      autoscaling: { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 60 },
    });
    expect(one('Deployment', scaled).spec).not.toHaveProperty('replicas');
    expect(one('HorizontalPodAutoscaler', scaled)).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'edge-ours' },
        minReplicas: 2,
        maxReplicas: 9,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
          },
        ],
      },
    });
  });

  it('say how large, as the API server writes it', () => {
    const resources = {
      requests: { cpu: '0.25', memory: '2048Ki' },
      limits: { cpu: '2000m', memory: 1_500_000_000 },
    };
    expect(podOf(tuned({ resources })).containers[0].resources).toEqual({
      requests: { cpu: '250m', memory: '2Mi' },
      limits: { cpu: '2', memory: '1500M' },
    });
    expect(podOf(tuned({ resources: {} })).containers[0].resources).toEqual({});
  });

  it('say what the Service is like', () => {
    const service = one(
      'Service',
      tuned({ service: { type: 'NodePort', externalTrafficPolicy: 'Cluster', annotations: { a: 'b' } } }),
    );
    expect(service.spec).toMatchObject({ type: 'NodePort', externalTrafficPolicy: 'Cluster' });
    expect(service.metadata.annotations).toMatchObject({ a: 'b' });
    const others = made(tuned({ service: { annotations: { a: 'b' } } })).filter(
      ({ kind }) => kind !== 'Service',
    );
    for (const { metadata } of others) expect(metadata.annotations).not.toHaveProperty('a');
  });

  it('say what an eviction leaves, and whether requests are logged', () => {
    expect(one('PodDisruptionBudget', tuned({ podDisruptionBudget: { minAvailable: '50%' } })).spec).toEqual({
      minAvailable: '50%',
      selector: { matchLabels: SELECTOR },
    });
    expect(podOf(tuned({ accessLog: true })).containers[0].env).toContainEqual({
      name: 'GATEWRIGHT_ACCESS_LOG',
      value: 'true',
    });
  });

  it('say how many processes a data plane has, and nothing of it where there is one', () => {
    const environment = (needs: Partial<Infrastructure>) =>
      new Map(
        (podOf(needs).containers[0].env as { name: string; value: string }[]).map(({ name, value }) => [
          name,
          value,
        ]),
      );
    expect(environment(tuned({ workers: 4 })).get('GATEWRIGHT_WORKERS')).toBe('4');
    expect(environment(tuned({})).has('GATEWRIGHT_WORKERS')).toBe(false);
  });
});

/** The control plane as Kubernetes objects: what runs, where data planes find it, and what keeps it from going all at once. */

import { OWN_GROUP } from '../gateway-runtime/api/names.ts';

/** Of the Deployment, the service account, the lease and the label. */
export const NAME = 'gatewright';
/** Of the Service that data planes dial, and of the PodDisruptionBudget. */
export const CONTROL_PLANE = 'gatewright-control-plane';

const PORTS = { distribution: 9903, admin: 9902 };
/** "nonroot" of the image. */
const USER = 65532;
/** Its own token, by which its replicas know each other; of no use at the API server. */
const TOKEN = { folder: '/var/run/secrets/gatewright', audience: `distribution.${OWN_GROUP}`, seconds: 3600 };
/** A selector can't be changed later, so it is not derived from where the construct stands. */
const LABELS = { 'app.kubernetes.io/name': NAME };

export interface ControlPlaneProps {
  readonly namespace: string;
  readonly image: string;
  readonly replicas: number;
}

export const serviceAccount = ({ namespace }: ControlPlaneProps) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: NAME, namespace },
});

export const service = ({ namespace }: ControlPlaneProps) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: CONTROL_PLANE, namespace, labels: LABELS },
  spec: {
    selector: LABELS,
    ports: [
      {
        name: 'distribution',
        port: PORTS.distribution,
        targetPort: 'distribution',
        protocol: 'TCP',
      },
    ],
  },
});

export const disruptionBudget = ({ namespace }: ControlPlaneProps) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: CONTROL_PLANE, namespace, labels: LABELS },
  spec: { maxUnavailable: 1, selector: { matchLabels: LABELS } },
});

export const deployment = ({ namespace, image, replicas }: ControlPlaneProps) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: NAME, namespace, labels: LABELS },
  spec: {
    replicas,
    selector: { matchLabels: LABELS },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      metadata: { labels: LABELS },
      spec: {
        serviceAccountName: NAME,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: USER,
          runAsGroup: USER,
          fsGroup: USER,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        topologySpreadConstraints: [spread('kubernetes.io/hostname'), spread('topology.kubernetes.io/zone')],
        containers: [container(image)],
        volumes: [
          {
            name: 'token',
            projected: {
              sources: [
                {
                  serviceAccountToken: {
                    audience: TOKEN.audience,
                    expirationSeconds: TOKEN.seconds,
                    path: 'token',
                  },
                },
              ],
            },
          },
        ],
      },
    },
  },
});

const spread = (topologyKey: string) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: LABELS },
  // Pods of the last rollout do not count.
  matchLabelKeys: ['pod-template-hash'],
});

const container = (image: string) => ({
  name: 'control-plane',
  image,
  args: ['/gatewright/control-plane.js'],
  env: [
    { name: 'GATEWRIGHT_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'GATEWRIGHT_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'GATEWRIGHT_POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'GATEWRIGHT_TOKEN_FILE', value: `${TOKEN.folder}/token` },
    // Data planes run the same.
    { name: 'GATEWRIGHT_IMAGE', value: image },
  ],
  volumeMounts: [{ name: 'token', mountPath: TOKEN.folder, readOnly: true }],
  ports: Object.entries(PORTS).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
  // Until it is up at all it has a minute.
  startupProbe: { ...probe('/healthz'), periodSeconds: 1, failureThreshold: 60 },
  livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 3 },
  readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 2 },
  // Without a limit of CPU: it needs much for a second or two, where everything is read anew.
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  securityContext: {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: USER,
    runAsGroup: USER,
    capabilities: { drop: ['ALL'] },
  },
});

const probe = (path: string) => ({ httpGet: { path, port: 'admin' }, timeoutSeconds: 2 });

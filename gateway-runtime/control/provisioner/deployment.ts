/** The pods of a Gateway's data planes: without rights, without root, and with a token that only the control plane takes. */
import type { GatewayParametersSpec } from '../../api/gateway-parameters.ts';
import { TOKEN_AUDIENCE } from '../../distribution/messages.ts';
import { ADMIN_PORT } from '../../distribution/ports.ts';
import { gatewayKey } from '../../snapshot/snapshot.ts';
import type { Infrastructure } from '../../translate/translation.ts';
import { REPLICAS } from './availability.ts';
import { BUNDLE_FILE, gatewayLabels, generatedName, selectorLabels } from './names.ts';
import type { Surroundings } from './objects.ts';
import { cpuQuantity, memoryQuantity } from './quantity.ts';

/** "nonroot" of the image. */
const USER = 65532;
/** Seconds: the data plane turns unready, asks clients to leave and drains. */
const GRACE = 60;
/** Seconds after which the kubelet has a new token made; it does so long before. */
const TOKEN_AGE = 3600;
const AUTHORITIES = '/var/run/gatewright/authorities';
const TOKEN = '/var/run/gatewright/token';
const STATE = '/var/lib/gatewright';

export function deploymentSpec(needs: Infrastructure, surroundings: Surroundings) {
  const { gateway, className, labels, annotations, parameters } = needs;
  const selector = selectorLabels(gateway, className);
  return {
    // What scales it says how many.
    ...(parameters?.autoscaling ? {} : { replicas: parameters?.replicas ?? REPLICAS }),
    selector: { matchLabels: selector },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      metadata: { labels: { ...labels, ...gatewayLabels(gateway), ...selector }, annotations },
      spec: {
        serviceAccountName: generatedName(gateway.name, className),
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: GRACE,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: USER,
          runAsGroup: USER,
          fsGroup: USER,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map(
          (topologyKey) => ({
            maxSkew: 1,
            topologyKey,
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: selector },
            // Pods of the last rollout do not count.
            matchLabelKeys: ['pod-template-hash'],
          }),
        ),
        containers: [container(needs, surroundings)],
        volumes: [
          { name: 'authorities', configMap: { name: generatedName(gateway.name, className) } },
          {
            name: 'token',
            projected: {
              sources: [
                {
                  serviceAccountToken: {
                    audience: TOKEN_AUDIENCE,
                    expirationSeconds: TOKEN_AGE,
                    path: 'token',
                  },
                },
              ],
            },
          },
          // In memory: keys of certificates never reach a disk.
          { name: 'state', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } },
        ],
      },
    },
  };
}

/**
 * Of Node. What was made lately and may be garbage takes at most three times so many MiB, in each worker: Node's own limit is 64, which a data
 * plane under load comes to use though it needs few; and with 16 a request is no cheaper, since what is larger than the processor's caches is dear.
 * Of V8's compilers the last but one is left out, whose code soon makes way for the last one's: a request costs the same without. And V8 has one thread beside
 * JavaScript, where it would make four: a worker has one processor, and a collection of garbage waits for all that have a part in it.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4', '--no-maglev', '--v8-pool-size=1'];

/** Of the C library: one heap for all threads. They take little of it, and none could use what is free in another's. */
export const NODE_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };

function container({ gateway, parameters }: Infrastructure, { image, controlPlane }: Surroundings) {
  return {
    name: 'data-plane',
    image,
    args: [...NODE_FLAGS, '/gatewright/data-plane.js'],
    env: [
      { name: 'GATEWRIGHT_GATEWAY', value: gatewayKey(gateway) },
      { name: 'GATEWRIGHT_CONTROL_PLANE', value: `${controlPlane.host}:${controlPlane.port}` },
      { name: 'GATEWRIGHT_CA_FILE', value: `${AUTHORITIES}/${BUNDLE_FILE}` },
      { name: 'GATEWRIGHT_TOKEN_FILE', value: `${TOKEN}/token` },
      { name: 'GATEWRIGHT_STATE_FOLDER', value: STATE },
      { name: 'GATEWRIGHT_REPLICA', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'GATEWRIGHT_ACCESS_LOG', value: `${parameters?.accessLog ?? false}` },
      ...(parameters?.workers ? [{ name: 'GATEWRIGHT_WORKERS', value: `${parameters.workers}` }] : []),
      ...Object.entries(NODE_ENVIRONMENT).map(([name, value]) => ({ name, value })),
    ],
    // Those of listeners come and go without the pod: they are not named here.
    ports: [{ name: 'admin', containerPort: ADMIN_PORT, protocol: 'TCP' }],
    startupProbe: { ...probe('/healthz'), periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 2 },
    resources: parameters?.resources
      ? resources(parameters.resources)
      : { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '512Mi' } },
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'authorities', mountPath: AUTHORITIES, readOnly: true },
      { name: 'token', mountPath: TOKEN, readOnly: true },
      { name: 'state', mountPath: STATE },
    ],
  };
}

const probe = (path: string) => ({ httpGet: { path, port: 'admin', scheme: 'HTTP' }, timeoutSeconds: 2 });

type Resources = NonNullable<GatewayParametersSpec['resources']>;

const resources = ({ requests, limits }: Resources) => ({
  ...(requests ? { requests: amount(requests) } : {}),
  ...(limits ? { limits: amount(limits) } : {}),
});

const amount = ({ cpu, memory }: NonNullable<Resources['requests']>) => ({
  ...(cpu === undefined ? {} : { cpu: cpuQuantity(cpu) }),
  ...(memory === undefined ? {} : { memory: memoryQuantity(memory) }),
});

/** Pods that answer with what they were asked, and a namespace for them. */
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { ECHO } from '../cluster/images.ts';

/** A container's security context that passes the strictest pod security. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  runAsUser: 65532,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** With the strictest pod security: what a data plane has to run under. */
export const restrictedNamespace = (name: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
});

const labels = { app: 'echo' };
const PORT = 3000;

const fromMetadata = (name: string, field: string) => ({
  name,
  valueFrom: { fieldRef: { fieldPath: `metadata.${field}` } },
});

/** Two pods, on two nodes. */
export const echoDeployment = (namespace: string): RawObject => ({
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
            ports: [{ containerPort: PORT }],
            env: [fromMetadata('POD_NAME', 'name'), fromMetadata('NAMESPACE', 'namespace')],
            readinessProbe: { httpGet: { path: '/', port: PORT }, periodSeconds: 1 },
            securityContext: RESTRICTED,
          },
        ],
      },
    },
  },
});

/** A Service for those pods at port 80. */
export const echoService = (namespace: string, name: string, spec: object): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: labels, ports: [{ port: 80, targetPort: PORT }], ...spec },
});

/** What a pod tells of a request. */
export interface Seen {
  readonly path: string;
  readonly namespace: string;
  readonly pod: string;
}

/** A request on a connection of its own, so that each is balanced. */
export async function ask(address: string, path: string): Promise<Seen> {
  const answer = await fetch(`http://${address}${path}`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(2000),
  });
  return (await answer.json()) as Seen;
}

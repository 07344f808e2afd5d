/** The control plane as Kubernetes objects: what runs, where data planes find it, and what keeps it from going all at once. */
import { ApiObject, Duration, JsonPatch, Size } from 'cdk8s';
import {
  Cpu,
  Deployment,
  DeploymentStrategy,
  EnvFieldPaths,
  EnvValue,
  ImagePullPolicy,
  LabelSelector,
  PercentOrAbsolute,
  Probe,
  Protocol,
  Service,
  ServiceAccount,
} from 'cdk8s-plus-25';
import type { Construct } from 'constructs';
import { OWN_GROUP } from '../gateway-runtime/api/names.ts';
import { ADMIN_PORT, CONTROL_PORT } from '../gateway-runtime/snapshot/container-ports.ts';

/** Of the Deployment, the service account, the lease and the label. */
export const NAME = 'gatewright';
/** Of the Service that data planes dial, and of the PodDisruptionBudget. */
export const CONTROL_PLANE = 'gatewright-control-plane';

/** "nonroot" of the image. */
const USER = 65532;
/** Its own token, by which its replicas know each other; of no use at the API server. */
const TOKEN = { folder: '/var/run/secrets/gatewright', audience: `distribution.${OWN_GROUP}`, seconds: 3600 };
/** A selector can't be changed later, so it is not derived from where the construct stands. */
export const LABELS = { 'app.kubernetes.io/name': NAME };

export interface ControlPlaneProps {
  readonly namespace: string;
  readonly image: string;
  readonly replicas: number;
}

export function controlPlane(scope: Construct, props: ControlPlaneProps): void {
  const { namespace } = props;
  const serviceAccount = new ServiceAccount(scope, 'ServiceAccount', { metadata: { name: NAME, namespace } });
  deployment(scope, props, serviceAccount);
  const service = new Service(scope, 'Service', {
    metadata: { name: CONTROL_PLANE, namespace, labels: LABELS },
    ports: [
      {
        name: 'distribution',
        port: CONTROL_PORT,
        targetPort: CONTROL_PORT,
        protocol: Protocol.TCP,
      },
    ],
  });
  for (const [name, value] of Object.entries(LABELS)) service.selectLabel(name, value);
  // cdk8s-plus has no construct for it.
  new ApiObject(scope, 'PodDisruptionBudget', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: CONTROL_PLANE, namespace, labels: LABELS },
    spec: { maxUnavailable: 1, selector: { matchLabels: LABELS } },
  });
}

function deployment(
  scope: Construct,
  { namespace, image, replicas }: ControlPlaneProps,
  serviceAccount: ServiceAccount,
): void {
  const none = PercentOrAbsolute.absolute(0);
  const deployment = new Deployment(scope, 'Deployment', {
    metadata: { name: NAME, namespace, labels: LABELS },
    replicas,
    serviceAccount,
    automountServiceAccountToken: true,
    select: false,
    podMetadata: { labels: LABELS },
    strategy: DeploymentStrategy.rollingUpdate({
      maxUnavailable: none,
      maxSurge: PercentOrAbsolute.absolute(1),
    }),
    securityContext: { ensureNonRoot: true, user: USER, group: USER, fsGroup: USER },
    containers: [
      {
        name: 'control-plane',
        image,
        // A node may have it from elsewhere than a registry.
        imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
        args: ['/gatewright/control-plane.js'],
        envVariables: {
          GATEWRIGHT_NAMESPACE: EnvValue.fromFieldRef(EnvFieldPaths.POD_NAMESPACE),
          GATEWRIGHT_POD: EnvValue.fromFieldRef(EnvFieldPaths.POD_NAME),
          GATEWRIGHT_POD_IP: EnvValue.fromFieldRef(EnvFieldPaths.POD_IP),
          GATEWRIGHT_TOKEN_FILE: EnvValue.fromValue(`${TOKEN.folder}/token`),
          // Data planes run the same.
          GATEWRIGHT_IMAGE: EnvValue.fromValue(image),
        },
        ports: [
          { name: 'distribution', number: CONTROL_PORT, protocol: Protocol.TCP },
          { name: 'admin', number: ADMIN_PORT, protocol: Protocol.TCP },
        ],
        // Until it is up at all it has a minute.
        startup: probe('/healthz', 1, 60),
        liveness: probe('/healthz', 10, 3),
        readiness: probe('/readyz', 2, 2),
        // Without a limit of CPU: it needs much for a second or two, where everything is read anew.
        resources: {
          cpu: { request: Cpu.millis(100) },
          memory: { request: Size.mebibytes(128), limit: Size.mebibytes(512) },
        },
        securityContext: {
          ensureNonRoot: true,
          user: USER,
          group: USER,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          privileged: false,
        },
      },
    ],
  });
  deployment.select(LabelSelector.of({ labels: LABELS }));
  // The first keeps out a label that is derived from where the construct stands; for the others cdk8s-plus has no words.
  const pod = '/spec/template/spec';
  ApiObject.of(deployment).addJsonPatch(
    JsonPatch.replace('/spec/template/metadata/labels', LABELS),
    JsonPatch.add(`${pod}/containers/0/securityContext/capabilities`, { drop: ['ALL'] }),
    JsonPatch.add(`${pod}/containers/0/volumeMounts`, [
      { name: 'token', mountPath: TOKEN.folder, readOnly: true },
    ]),
    JsonPatch.add(`${pod}/securityContext/seccompProfile`, { type: 'RuntimeDefault' }),
    JsonPatch.add(`${pod}/topologySpreadConstraints`, [
      spread('kubernetes.io/hostname'),
      spread('topology.kubernetes.io/zone'),
    ]),
    JsonPatch.add(`${pod}/volumes`, [TOKEN_VOLUME]),
  );
}

const probe = (path: string, seconds: number, failureThreshold: number) =>
  Probe.fromHttpGet(path, {
    port: ADMIN_PORT,
    periodSeconds: Duration.seconds(seconds),
    timeoutSeconds: Duration.seconds(2),
    failureThreshold,
  });

const TOKEN_VOLUME = {
  name: 'token',
  projected: {
    sources: [
      { serviceAccountToken: { audience: TOKEN.audience, expirationSeconds: TOKEN.seconds, path: 'token' } },
    ],
  },
};

const spread = (topologyKey: string) => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: LABELS },
  // Pods of the last rollout do not count.
  matchLabelKeys: ['pod-template-hash'],
});

/**
 * NetworkPolicies (networking.k8s.io/v1) of both planes and of teams. They add up: what one allows no other takes away, so an app that needs more
 * writes another beside them. Defaults are written out as the API server would.
 */
import { NAMESPACE_NAME_LABEL } from '../gateway-runtime/api/names.ts';
import { ADMIN_PORT, CONTROL_PORT, containerPort } from '../gateway-runtime/snapshot/container-ports.ts';
import {
  CLASS_NAME_LABEL,
  GATEWAY_NAME_LABEL,
  labelValue,
  selectorLabels,
} from '../gateway-runtime/snapshot/generated-names.ts';
import type { Gateway, Namespaces } from './network-graph.ts';
import { isPortListener } from './route-kind.ts';

export const NETWORKING = 'networking.k8s.io/v1';

type Labels = Readonly<Record<string, string>>;
type Spec = Record<string, unknown>;

/** The control plane, from the other side. */
export interface ControlPlaneRef {
  readonly namespace: string;
  readonly labels: Labels;
}

const TCP = (port: number) => ({ protocol: 'TCP', port });
const UDP = (port: number) => ({ protocol: 'UDP', port });

/** As the cluster's DNS is labelled since there is one. */
const DNS = {
  namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: 'kube-system' } },
  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
};

const among = (key: string, values: readonly string[]) => ({
  matchExpressions: [{ key, operator: 'In', values }],
});

const namespacesNamed = (names: readonly string[]) => ({
  namespaceSelector: among(NAMESPACE_NAME_LABEL, names),
});

/** The admin ports, for those who collect metrics. The kubelet's probes come from the node, which no policy stops. */
const metrics = (monitoring: readonly string[]) =>
  monitoring.length > 0 ? [{ from: [namespacesNamed(monitoring)], ports: [TCP(ADMIN_PORT)] }] : [];

/** Data planes: reached at the ports of their listeners by anybody, they reach names, the control plane, and pods of these namespaces. */
export function dataPlanePolicy(
  gateway: Gateway,
  backends: Namespaces,
  controlPlane: ControlPlaneRef,
  monitoring: readonly string[],
): Spec {
  const served = Object.values(gateway._specs).filter((each) => !isPortListener(each));
  const ports = [...new Set(served.map(({ port }) => containerPort(port)))].sort((a, b) => a - b);
  const to = [
    ...(backends.names.length > 0 ? [namespacesNamed(backends.names)] : []),
    ...backends.labelled.map((labels) => ({ namespaceSelector: selector(labels) })),
  ];
  return {
    podSelector: { matchLabels: selectorLabels(gateway, gateway.className) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [...(ports.length > 0 ? [{ ports: ports.map(TCP) }] : []), ...metrics(monitoring)],
    egress: [
      { to: [DNS], ports: [UDP(53), TCP(53)] },
      {
        to: [
          {
            namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: controlPlane.namespace } },
            podSelector: { matchLabels: controlPlane.labels },
          },
        ],
        ports: [TCP(CONTROL_PORT)],
      },
      // Targets of Services may have any port, and a route of another repository any Service.
      ...(to.length > 0 ? [{ to }] : []),
    ],
  };
}

/**
 * The control plane: reached by data planes, by its own replicas and for metrics. What it reaches is left open, since the API server
 * is no pod that a policy could name.
 *
 * @param namespaces Those of gateways; undefined for all.
 */
export function controlPlanePolicy(
  labels: Labels,
  classes: readonly string[],
  namespaces: readonly string[] | undefined,
  monitoring: readonly string[],
): Spec {
  const dataPlanes = {
    ...(namespaces ? namespacesNamed(namespaces) : { namespaceSelector: {} }),
    podSelector: among(CLASS_NAME_LABEL, classes.map(labelValue)),
  };
  const own = { podSelector: { matchLabels: labels } };
  return {
    podSelector: { matchLabels: labels },
    policyTypes: ['Ingress'],
    ingress: [
      { from: namespaces?.length === 0 ? [own] : [dataPlanes, own], ports: [TCP(CONTROL_PORT)] },
      ...metrics(monitoring),
    ],
  };
}

/** Pods of a team: reached by each other, by data planes of gateways that send to them, and from these namespaces. */
export const teamPolicy = (gateways: readonly Gateway[], from: readonly string[]): Spec => ({
  podSelector: {},
  policyTypes: ['Ingress'],
  ingress: [
    {
      from: [
        { podSelector: {} },
        ...gateways.map(({ namespace, name }) => ({
          namespaceSelector: { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } },
          podSelector: { matchLabels: { [GATEWAY_NAME_LABEL]: labelValue(name) } },
        })),
        ...(from.length > 0 ? [namespacesNamed(from)] : []),
      ],
    },
  ],
});

const selector = (labels: Labels) => (Object.keys(labels).length > 0 ? { matchLabels: labels } : {});

/** etcd and the control plane of Kubernetes, as the machine's daemons. */
import { join } from 'node:path';
import type { Daemon } from './daemon.ts';
import { API_PORT, type Cluster, FABRIC, POD_CIDR, placeOf, SERVICE_CIDR } from './settings.ts';

const ETCD = 'http://127.0.0.1:2379';
const ETCD_PEER = 'http://127.0.0.1:2380';

/** Flags from names and values; `true` for one without a value. */
const flags = (values: Readonly<Record<string, string | number | true>>) =>
  Object.entries(values).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));

export function controlPlane(cluster: Cluster): Daemon[] {
  const { programs, certificates } = placeOf(cluster);
  const certificate = (name: string) => join(certificates, name);
  const daemon = (name: string, values: Parameters<typeof flags>[0]): Daemon => ({
    name,
    program: join(programs, name),
    args: flags(values),
  });
  return [
    daemon('etcd', {
      'data-dir': join(cluster.folder, 'etcd'),
      // Nothing is to survive a power cut.
      'unsafe-no-fsync': true,
      'log-level': 'warn',
      'listen-client-urls': ETCD,
      'advertise-client-urls': ETCD,
      'listen-peer-urls': ETCD_PEER,
      'initial-advertise-peer-urls': ETCD_PEER,
      'initial-cluster': `default=${ETCD_PEER}`,
    }),
    daemon('kube-apiserver', {
      'etcd-servers': ETCD,
      'bind-address': '0.0.0.0',
      'advertise-address': FABRIC,
      'secure-port': API_PORT,
      'tls-cert-file': certificate('apiserver.crt'),
      'tls-private-key-file': certificate('apiserver.key'),
      'client-ca-file': certificate('ca.crt'),
      'kubelet-client-certificate': certificate('apiserver-kubelet.crt'),
      'kubelet-client-key': certificate('apiserver-kubelet.key'),
      'kubelet-certificate-authority': certificate('ca.crt'),
      'kubelet-preferred-address-types': 'InternalIP',
      'service-account-key-file': certificate('service-accounts.key'),
      'service-account-signing-key-file': certificate('service-accounts.key'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-cluster-ip-range': SERVICE_CIDR,
      'authorization-mode': 'Node,RBAC',
      'enable-admission-plugins': 'NodeRestriction',
      'allow-privileged': true,
      profiling: 'false',
    }),
    daemon('kube-controller-manager', {
      kubeconfig: certificate('kube-controller-manager.kubeconfig'),
      'bind-address': '127.0.0.1',
      'leader-elect': 'false',
      'use-service-account-credentials': true,
      'service-account-private-key-file': certificate('service-accounts.key'),
      'root-ca-file': certificate('ca.crt'),
      'cluster-signing-cert-file': certificate('ca.crt'),
      'cluster-signing-key-file': certificate('ca.key'),
      'allocate-node-cidrs': 'false',
      'service-cluster-ip-range': SERVICE_CIDR,
      'cluster-cidr': POD_CIDR,
      // As few as by default, 20 in a second, a start alone takes seconds.
      'kube-api-qps': 500,
      'kube-api-burst': 500,
    }),
    daemon('kube-scheduler', {
      kubeconfig: certificate('kube-scheduler.kubeconfig'),
      'bind-address': '127.0.0.1',
      'leader-elect': 'false',
    }),
  ];
}

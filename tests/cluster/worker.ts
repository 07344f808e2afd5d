/** The files that a worker node is configured by, and the node as a daemon of the machine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from './daemon.ts';
import { PAUSE } from './images.ts';
import { CNI_PLUGINS } from './prerequisites.ts';
import {
  type Cluster,
  controlGroup,
  DNS_SERVICE,
  POD_CIDR,
  placeOf,
  SOURCES,
  type Worker,
} from './settings.ts';

/** Where images are imported: a socket in the cluster's folder, so that it can be reached from outside. */
export const containerdSocket = (cluster: Cluster, worker: string) =>
  join(cluster.folder, worker, 'containerd.sock');

/** Writes the files; the node starts with these image archives. */
export function workerDaemon(cluster: Cluster, worker: Worker, archives: readonly string[]): Daemon {
  const place = placeOf(cluster);
  const folder = join(cluster.folder, worker.name);
  mkdirSync(join(folder, 'cni'), { recursive: true });
  const write = (name: string, content: unknown) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  write('containerd.toml', containerd(cluster, worker, join(folder, 'cni')));
  write('cni/cluster.conflist', podNetwork(worker));
  write('resolv.conf', '');
  write('kubelet.json', kubelet(cluster, worker, join(folder, 'resolv.conf')));
  write('kube-proxy.json', kubeProxy(worker, place.certificates));
  write('images', archives.map((archive) => `${archive}\n`).join(''));
  return {
    name: worker.name,
    program: join(SOURCES, 'worker.sh'),
    args: ['join'],
    env: {
      WORKER: worker.name,
      ADDRESS: worker.address,
      FOLDER: folder,
      LOGS: place.logs,
      KUBECONFIG: join(place.certificates, `${worker.name}.kubeconfig`),
      CONTROL_GROUP: controlGroup(cluster),
      PATH: `${place.programs}:${process.env.PATH}`,
    },
  };
}

const containerd = (cluster: Cluster, worker: Worker, cni: string) => `
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "${containerdSocket(cluster, worker.name)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  disable_apparmor = true
  # Lowering the score of a pod below that of containerd needs a capability that containers often lack.
  restrict_oom_score_adj = true
  # As newer versions do by themselves: ports below 1024 for pods that are not root.
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_PLUGINS}"
    conf_dir = "${cni}"
`;

const podNetwork = (worker: Worker) => ({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods',
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: '/run/pod-addresses',
        ranges: [[{ subnet: worker.podCidr }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
});

const kubelet = (cluster: Cluster, worker: Worker, resolvConf: string) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  containerRuntimeEndpoint: `unix://${containerdSocket(cluster, worker.name)}`,
  address: worker.address,
  clusterDNS: [DNS_SERVICE],
  clusterDomain: 'cluster.local',
  resolvConf,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: join(placeOf(cluster).certificates, 'ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: join(placeOf(cluster).certificates, `${worker.name}.crt`),
  tlsPrivateKeyFile: join(placeOf(cluster).certificates, `${worker.name}.key`),
  maxPods: 200,
  nodeStatusUpdateFrequency: '5s',
  // Kernel settings are the whole machine's: the kubelet is shown its own in their place.
  protectKernelDefaults: true,
  // An image that was removed could not be pulled again.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  failSwapOn: false,
});

const kubeProxy = (worker: Worker, certificates: string) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  clientConnection: { kubeconfig: join(certificates, 'kube-proxy.kubeconfig') },
  hostnameOverride: worker.name,
  clusterCIDR: POD_CIDR,
  nftables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
  // These settings can't be written in a network namespace.
  conntrack: {
    maxPerCore: 0,
    min: 0,
    tcpEstablishedTimeout: '0s',
    tcpCloseWaitTimeout: '0s',
    udpTimeout: '0s',
    udpStreamTimeout: '0s',
  },
});

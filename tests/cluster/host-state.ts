/** What a cluster could leave on this machine, outside its own namespaces: to be compared before and after. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/image/cache.ts';
import { run } from './command.ts';
import { machineOf } from './leftovers.ts';
import type { Cluster } from './settings.ts';

/** Settings of the whole machine, or of its own network, that parts of a cluster like to change. */
const SETTINGS = [
  ...['overcommit_memory', 'panic_on_oom'].map((name) => `vm/${name}`),
  ...['panic', 'panic_on_oops', 'keys/root_maxkeys', 'keys/root_maxbytes'].map((name) => `kernel/${name}`),
  ...['ip_forward', 'conf/all/route_localnet', 'conf/all/forwarding'].map((name) => `net/ipv4/${name}`),
  ...['nf_conntrack_max', 'netfilter/nf_conntrack_tcp_timeout_established'].map((name) => `net/${name}`),
  'net/bridge/bridge-nf-call-iptables',
  'kernel/hostname',
];

/** Where container runtimes, kubelets and network plugins keep things when nobody tells them otherwise. */
const FOLDERS = [
  ...['/run/netns', '/run/containerd', '/run/runc', '/run/pod-addresses', '/run/flannel'],
  ...['/var/lib/kubelet', '/var/lib/containerd', '/var/lib/cni', '/var/lib/etcd', '/var/log/pods'],
  ...['/var/log/containers', '/etc/cni', '/etc/kubernetes', '/opt/cni'],
];

/** Lifetimes of addresses and routes count down. */
const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/ (valid_lft|preferred_lft|expires) \S+/g, '').trim())
    .filter((line) => line !== '');

const settingNow = (setting: string) =>
  existsSync(`/proc/sys/${setting}`) ? readFileSync(`/proc/sys/${setting}`, 'utf8').trim() : 'absent';

const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : []);

export async function hostState() {
  return {
    links: lines(await run('ip', ['-oneline', 'link'])),
    addresses: lines(await run('ip', ['-oneline', 'address'])),
    routes: [
      ...lines(await run('ip', ['-4', 'route', 'show', 'table', 'all'])),
      ...lines(await run('ip', ['-6', 'route', 'show', 'table', 'all'])),
    ].sort(),
    rules: lines(await run('ip', ['rule'])),
    firewall: lines(await run('nft', ['list', 'ruleset'])),
    mounts: lines(readFileSync('/proc/self/mountinfo', 'utf8')),
    settings: Object.fromEntries(SETTINGS.map((setting) => [setting, settingNow(setting)])),
    folders: Object.fromEntries(FOLDERS.map((folder) => [folder, namesIn(folder)])),
    clusters: namesIn(join(CACHE, 'clusters')),
    controlGroups: readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' })
      .filter((path) => /gatewright|kubepods/.test(path))
      .sort(),
  };
}

const KINDS = ['net', 'mnt', 'pid', 'cgroup', 'uts', 'ipc'];

function namespacesOf(pid: string): string[] {
  try {
    return KINDS.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`));
  } catch {
    // The process ended while we looked.
    return [];
  }
}

const pids = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** A file of a process, with line feeds for zero bytes; empty where the process is gone. */
export function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', '\n');
  } catch {
    return '';
  }
}

/** Every namespace below the machine of a cluster, whoever is in it: workers and containers too. */
export function namespacesBelow(cluster: Cluster): Set<string> {
  const machine = String(machineOf(cluster));
  const parents = new Map(pids().map((pid) => [pid, /^PPid:\s*(\d+)/m.exec(fileOf(pid, 'status'))?.[1]]));
  const isBelow = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === machine || isBelow(parents.get(pid)));
  const own = new Set(namespacesOf('self'));
  const all = [...parents.keys()].filter(isBelow).flatMap(namespacesOf);
  return new Set(all.filter((each) => !own.has(each)));
}

/** Processes that are in one of the namespaces. */
export const inhabitants = (namespaces: ReadonlySet<string>): string[] =>
  pids().filter((pid) => namespacesOf(pid).some((each) => namespaces.has(each)));

/** Processes that have the cluster's folder in their command or environment. */
export const mentioning = (cluster: Cluster): string[] =>
  pids().filter((pid) => ['cmdline', 'environ'].some((name) => fileOf(pid, name).includes(cluster.folder)));

/** Names, addresses and folders of the cluster under test. Versions are those of the go.mod files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/image/cache.ts';

/** The folder of these sources. */
export const SOURCES = import.meta.dirname;

/** A cluster is known by its name, and everything it writes lies in its folder. */
export interface Cluster {
  readonly name: string;
  readonly folder: string;
}

export const DEFAULT_NAME = 'gatewright';

export function clusterNamed(name: string): Cluster {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(`--name: found "${name}", expected 1 to 20 lower-case letters, digits and hyphens`);
  }
  return { name, folder: join(CACHE, 'clusters', name) };
}

/** What is where in a cluster's folder. */
export const placeOf = (cluster: Cluster) => ({
  plan: join(cluster.folder, 'plan.json'),
  programs: join(cluster.folder, 'bin'),
  certificates: join(cluster.folder, 'certificates'),
  kubeconfig: join(cluster.folder, 'certificates', 'admin.kubeconfig'),
  logs: join(cluster.folder, 'logs'),
  /** There once the cluster is up, until it is taken down. */
  ready: join(cluster.folder, 'ready.json'),
});

/** Name of the cluster's control groups. */
export const controlGroup = (cluster: Cluster) => `gatewright-cluster-${cluster.name}`;

/**
 * Addresses exist in the cluster's own network namespaces only, so they are the same for every cluster and can't
 * collide with the machine's.
 */
export const FABRIC = '10.99.0.1';
export const POD_CIDR = '10.244.0.0/16';
export const SERVICE_CIDR = '10.96.0.0/16';
export const API_SERVICE = '10.96.0.1';
export const DNS_SERVICE = '10.96.0.10';
export const API_PORT = 6443;
/** LoadBalancer addresses: 10.99.1.1 to 10.99.1.254. */
export const POOL = '10.99.1.0/24';
export const poolAddress = (index: number) => `10.99.1.${index + 1}`;
export const POOL_SIZE = 254;

/** One worker node of the cluster; the first has index 1. */
export interface Worker {
  readonly name: string;
  readonly address: string;
  readonly podCidr: string;
}

export const MOST_WORKERS = 9;

export const workers = (count: number): Worker[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `n${index + 1}`,
    address: `10.99.0.${11 + index}`,
    podCidr: `10.244.${index + 1}.0/24`,
  }));

/** What `up` has decided and the machine carries out. */
export interface Plan {
  readonly cluster: Cluster;
  readonly workers: readonly Worker[];
  /** Archives of the images that every worker has from its start. */
  readonly images: readonly string[];
}

/** Version of a module in a go.mod, without the `v`: what a build is named by and what its image is tagged with. */
export function moduleVersion(folder: string, module: string): string {
  const text = readFileSync(join(folder, 'go.mod'), 'utf8');
  const line = text.split('\n').find((each) =>
    each
      .replace(/^require /, '')
      .trim()
      .startsWith(`${module} v`),
  );
  const version = line && / v([^ ]+)/.exec(line)?.[1];
  if (!version) throw new Error(`${folder}/go.mod: expected a requirement of ${module}`);
  return version;
}

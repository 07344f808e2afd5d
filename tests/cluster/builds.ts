/**
 * The Go programs of the cluster: built once from the modules that the go.mod files pin, and kept in the cache under
 * a key of sources, versions and platform, so that a warm cache needs no Go.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CACHE } from '../../scripts/image/cache.ts';
import { run } from './command.ts';
import { say, timed } from './progress.ts';
import { withScratch } from './scratch.ts';
import { moduleVersion, SOURCES } from './settings.ts';

export interface Build {
  readonly name: string;
  /** Folder with the go.mod. */
  readonly folder: string;
  readonly package: string;
  readonly version: string;
  /** `test` for a test binary. */
  readonly form?: 'test';
  readonly linkFlags?: string;
  /** What to expect of a first build. */
  readonly lasts?: string;
}

const folderOf = (name: string) => join(SOURCES, 'go', name);
const kubernetes = moduleVersion(folderOf('kubernetes'), 'k8s.io/kubernetes');
const [major, minor] = kubernetes.split('.');
const versionOfKubernetes = { gitVersion: `v${kubernetes}`, gitMajor: major, gitMinor: minor };

export const CONFORMANCE = join(SOURCES, '..', 'conformance');
const gatewayApi = moduleVersion(CONFORMANCE, 'sigs.k8s.io/gateway-api/conformance');

export const builds = {
  etcd: {
    name: 'etcd',
    folder: folderOf('etcd'),
    package: '.',
    version: moduleVersion(folderOf('etcd'), 'go.etcd.io/etcd/server/v3'),
  },
  kubernetes: {
    name: 'kubernetes',
    folder: folderOf('kubernetes'),
    package: '.',
    version: kubernetes,
    linkFlags: Object.entries(versionOfKubernetes)
      .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
      .join(' '),
    lasts: 'about 8 minutes of processor time',
  },
  coredns: {
    name: 'coredns',
    folder: folderOf('coredns'),
    package: '.',
    version: moduleVersion(folderOf('coredns'), 'github.com/coredns/coredns'),
  },
  pause: { name: 'pause', folder: folderOf('pause'), package: '.', version: '1' },
  echo: {
    name: 'echo-basic',
    folder: CONFORMANCE,
    package: 'sigs.k8s.io/gateway-api/conformance/echo-basic',
    version: gatewayApi,
  },
  conformance: {
    name: 'conformance.test',
    folder: CONFORMANCE,
    package: '.',
    version: gatewayApi,
    form: 'test',
    lasts: 'about 2 minutes of processor time',
  },
} as const satisfies Record<string, Build>;

/** What a cluster needs; the suite is built by who runs it. */
export const CLUSTER_BUILDS = [builds.etcd, builds.kubernetes, builds.coredns, builds.pause, builds.echo];

const ENVIRONMENT = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };

function programOf(build: Build): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(build.folder).sort()) {
    if (/\.go$|^go\./.test(file)) hash.update(`${file}\n`).update(readFileSync(join(build.folder, file)));
  }
  hash.update(JSON.stringify([build.package, build.linkFlags, process.arch]));
  const key = `${build.name}-${build.version}-${hash.digest('hex').slice(0, 12)}`;
  return join(CACHE, 'builds', key, build.name);
}

export const isBuilt = (build: Build) => existsSync(programOf(build));

/** The path of the program, which is built first where it is not in the cache. */
export async function built(build: Build): Promise<string> {
  const program = programOf(build);
  if (existsSync(program)) return program;
  if (build.lasts) say(`${build.name} ${build.version} is built once: ${build.lasts}`);
  const folder = dirname(program);
  await withScratch(folder, (scratch) =>
    timed(`building ${build.name} ${build.version}`, async () => {
      const command = build.form === 'test' ? ['test', '-c'] : ['build'];
      const flags = ['-trimpath', '-ldflags', `-s -w ${build.linkFlags ?? ''}`];
      const result = join(scratch, build.name);
      await run('go', [...command, ...flags, '-o', result, build.package], {
        cwd: build.folder,
        env: ENVIRONMENT,
      });
      mkdirSync(folder, { recursive: true });
      renameSync(result, program);
    }),
  );
  return program;
}

/** A folder of manifests that comes with a module, from the cache. */
export async function manifests(source: Manifests): Promise<string> {
  const { name, folder, module, subfolder } = source;
  const target = join(CACHE, 'manifests', `${name}-${moduleVersion(folder, module)}`);
  if (existsSync(target)) return target;
  await withScratch(target, async (scratch) => {
    const answer = await timed(`downloading ${module}`, () =>
      run('go', ['mod', 'download', '-json', module], { cwd: folder, env: ENVIRONMENT }),
    );
    const copy = join(scratch, 'copy');
    cpSync(join((JSON.parse(answer) as { Dir: string }).Dir, subfolder), copy, { recursive: true });
    renameSync(copy, target);
  });
  return target;
}

export interface Manifests {
  readonly name: string;
  /** Folder with the go.mod that pins the module. */
  readonly folder: string;
  readonly module: string;
  readonly subfolder: string;
}

/** The experimental channel of the Gateway API CRDs, with the policy that guards them. */
export const GATEWAY_API_CRDS: Manifests = {
  name: 'gateway-api-experimental',
  folder: CONFORMANCE,
  module: 'sigs.k8s.io/gateway-api',
  subfolder: 'config/crd/experimental',
};

/** The objects that the conformance suite applies. */
export const CONFORMANCE_SUITE: Manifests = {
  name: 'gateway-api-conformance',
  folder: CONFORMANCE,
  module: 'sigs.k8s.io/gateway-api/conformance',
  subfolder: '.',
};

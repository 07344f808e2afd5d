/** What the cluster needs of the machine, and what to do where it is missing. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/image/cache.ts';
import { type Build, isBuilt } from './builds.ts';
import { run } from './command.ts';
import { timed } from './progress.ts';

/** Where Debian's containernetworking-plugins lie. */
export const CNI_PLUGINS = '/usr/lib/cni';

/** Programs, and the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  ip: 'iproute2',
  nsenter: 'util-linux',
  openssl: 'openssl',
};

/** Folders that a worker node has for itself, so that the cache can't lie in them. */
const PRIVATE = ['/proc', '/run', '/sys', '/var/lib', '/var/log'];

/** A socket's path has at most 107 characters, 55 of them below the cache. */
const LONGEST_CACHE = 52;

const OLDEST_GO = [1, 26] as const;

const SEARCHED = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`.split(':');

function onPath(program: string): boolean {
  return SEARCHED.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function missingPackages(): string[] {
  const missing = Object.entries(PROGRAMS).flatMap(([program, name]) => (onPath(program) ? [] : [name]));
  if (!existsSync(join(CNI_PLUGINS, 'bridge'))) missing.push('containernetworking-plugins');
  return [...new Set(missing)].sort();
}

async function goProblem(): Promise<string | undefined> {
  const wanted = `Go ${OLDEST_GO.join('.')} or newer is needed to build the cluster`;
  if (!onPath('go')) return `${wanted}, and there is no go on PATH: see https://go.dev/dl`;
  const version = (await run('go', ['env', 'GOVERSION'])).trim();
  const [major, minor] = version.replace(/^go/, '').split('.').map(Number);
  const old = major === OLDEST_GO[0] && minor! < OLDEST_GO[1];
  return old ? `${wanted}, found ${version}: see https://go.dev/dl` : undefined;
}

async function installPackages(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await timed(`installing ${packages.join(' ')} with apt-get`, async () => {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
  });
}

/** Root is needed by every command: processes of the cluster belong to it. */
export function requireRoot(): void {
  if (process.platform !== 'linux') {
    throw new Error(
      `A cluster of one's own needs Linux, this is ${process.platform}: set KUBECONFIG to use another`,
    );
  }
  if (process.getuid!() !== 0) {
    throw new Error(
      "A cluster of one's own needs root (namespaces, mounts, cgroups): use sudo, or set KUBECONFIG to use another",
    );
  }
}

/** Throws one error that names everything that is missing; `install` gets the Debian packages first. */
export async function requireMachine(needed: readonly Build[], install: boolean): Promise<void> {
  requireRoot();
  const problems: string[] = [];
  if (install && missingPackages().length > 0) await installPackages(missingPackages());
  const packages = missingPackages();
  if (packages.length > 0) {
    problems.push(
      `missing Debian packages: apt-get install ${packages.join(' ')} (or run again with --install)`,
    );
  }
  if (needed.some((build) => !isBuilt(build))) {
    const problem = await goProblem();
    if (problem) problems.push(problem);
  }
  const hiding = PRIVATE.find((folder) => `${CACHE}/`.startsWith(`${folder}/`));
  if (hiding) {
    problems.push(
      `the cache ${CACHE} lies below ${hiding}, which a worker node has for itself: set XDG_CACHE_HOME`,
    );
  }
  if (CACHE.length > LONGEST_CACHE) {
    problems.push(`the cache ${CACHE} has more than ${LONGEST_CACHE} characters: set XDG_CACHE_HOME`);
  }
  if (problems.length > 0) throw new Error(`The cluster can't be brought up:\n  ${problems.join('\n  ')}`);
}

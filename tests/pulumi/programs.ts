/**
 * The programs of Pulumi that a test runs: the official ones where they are on PATH, and otherwise the command line built from
 * its own module, and stand-ins for the two plugins, which come as downloads only. The stand-ins share nothing with `infra/`.
 */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { built } from '../cluster/builds.ts';
import { CLI, LANGUAGE_HOST } from './builds.ts';

const onPath = (name: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder && existsSync(join(folder, name)));

const PROVIDER = 'pulumi-resource-kubernetes';
const isOfficial = {
  cli: onPath(CLI.name),
  host: onPath(LANGUAGE_HOST.name),
  provider: onPath(PROVIDER),
};

const from = (official: boolean, otherwise: string) => (official ? 'official' : otherwise);

/** For the titles of tests: on what they ran. */
export const RAN_ON = [
  `command line: ${from(isOfficial.cli, 'official, built from its module')}`,
  `language host: ${from(isOfficial.host, 'stand-in')}`,
  `Kubernetes provider: ${from(isOfficial.provider, 'stand-in')}`,
].join(', ');

/** What has to be built before the network is gone. */
export const PULUMI_BUILDS = [...(isOfficial.cli ? [] : [CLI]), ...(isOfficial.host ? [] : [LANGUAGE_HOST])];

/** Puts what is not on PATH into a folder, which is to go before PATH. */
export async function putPrograms(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const build of PULUMI_BUILDS) symlinkSync(await built(build), join(folder, build.name));
  if (isOfficial.provider) return;
  const command = [
    process.execPath,
    '--conditions=gatewright-source',
    join(import.meta.dirname, 'kubernetes-provider.ts'),
  ];
  const script = `#!/bin/sh\nexec ${command.map((each) => `'${each}'`).join(' ')} "$@"\n`;
  writeFileSync(join(folder, PROVIDER), script, { mode: 0o755 });
}

/** The Go programs that the Pulumi tests run, where the machine has none of its own. */
import { join } from 'node:path';
import type { Build } from '../cluster/builds.ts';
import { moduleVersion } from '../cluster/settings.ts';

const folderOf = (name: string) => join(import.meta.dirname, 'go', name);
const pulumi = moduleVersion(folderOf('cli'), 'github.com/pulumi/pulumi/pkg/v3');

/** Pulumi's command line and engine, from its own module. */
export const CLI: Build = {
  name: 'pulumi',
  folder: folderOf('cli'),
  package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
  version: pulumi,
  linkFlags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumi}`,
  lasts: 'about 5 minutes of processor time',
};

/** The stand-in for the Node.js language host. */
export const LANGUAGE_HOST: Build = {
  name: 'pulumi-language-nodejs',
  folder: folderOf('language-host'),
  package: '.',
  version: moduleVersion(folderOf('language-host'), 'github.com/pulumi/pulumi/sdk/v3'),
  lasts: 'about 1 minute of processor time',
};

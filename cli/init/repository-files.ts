/** What every repository has, whatever its role: how it is installed, compiled, tested and previewed. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { PackageSource } from './package-source.ts';

/** The examples of this package, which the files are made of. */
const EXAMPLES = new URL('../../examples/', import.meta.url);

export const example = (name: string): string => readFileSync(new URL(name, EXAMPLES), 'utf8');

export interface Scripts {
  /** What is applied. */
  readonly app: string;
  /** What requests are asked of: the same, or with the gateway beside it. */
  readonly preview: string;
  /** Others, by name. */
  readonly others?: Readonly<Record<string, string>>;
}

const DEPENDENCIES = ['cdk8s', 'cdk8s-plus-25', 'constructs'];
const DEV_DEPENDENCIES = ['@jest/globals', '@types/node', 'jest', 'node', 'typescript'];

export function repositoryFiles(
  folder: string,
  source: PackageSource,
  scripts: Scripts,
): Map<string, string> {
  return new Map([
    ['package.json', json(manifest(folder, source, scripts))],
    ['tsconfig.json', json(TSCONFIG)],
    ['jest.types.mjs', JEST_TYPES],
    ['.gitignore', 'node_modules/\ndist/\n'],
    ['preview.sh', example('preview-ci/preview.sh')],
    ['approved.yaml', example('preview-ci/approved.yaml')],
    ['.github/workflows/preview.yaml', example('preview-ci/preview.yaml')],
  ]);
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

function manifest(folder: string, { spec, versions }: PackageSource, { app, preview, others }: Scripts) {
  const versionsOf = (names: readonly string[]) => names.map((name) => [name, versions[name] ?? '*']);
  return {
    name: packageName(folder),
    private: true,
    type: 'module',
    scripts: {
      start: `gatewright serve ${preview}`,
      test: 'tsc && node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js',
      owners: `gatewright owners ${preview}`,
      preview: `sh preview.sh ${preview}`,
      synth: `gatewright synth ${app} -o dist`,
      ...others,
    },
    dependencies: Object.fromEntries([['gatewright', spec], ...versionsOf(DEPENDENCIES)].sort(byName)),
    devDependencies: Object.fromEntries(versionsOf(DEV_DEPENDENCIES)),
    allowScripts: { node: true, '@parcel/watcher': false, backport: false },
    jest: { extensionsToTreatAsEsm: ['.ts'], transform: { '\\.ts$': './jest.types.mjs' } },
  };
}

const byName = ([a = '']: readonly string[], [b = '']: readonly string[]) => (a < b ? -1 : 1);

/** Of the folder's name what npm takes for one. */
const packageName = (folder: string) =>
  basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '') || 'gateways';

/** Node strips types by itself; jest is told to. */
const JEST_TYPES = `import { stripTypeScriptTypes } from 'node:module';

/** jest runs TypeScript as Node does: without its types. The compiler checks them before. */
export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ['*.ts', 'grants/*.ts'],
};

/** The runtime's two programs, each with all that it imports in one file. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = dirname(dirname(import.meta.dirname));

/** By name of the bundle. */
export const PROGRAMS = {
  'control-plane': 'gateway-runtime/control-plane/main.ts',
  'data-plane': 'gateway-runtime/data-plane/main.ts',
} as const;

export interface Bundle {
  readonly text: string;
  /** Source files that are in it, relative to the checkout. */
  readonly inputs: readonly string[];
}

/** Packages in CommonJS call `require` for Node's own modules. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

export async function bundleOf(program: keyof typeof PROGRAMS): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [PROGRAMS[program]],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    banner: { js: REQUIRE },
    legalComments: 'none',
    logLevel: 'silent',
  });
  return { text: outputFiles[0]!.text, inputs: Object.keys(metafile.inputs).sort() };
}

/** Of the packages that bundles have in them, each license in full, as most of them ask. */
export function licensesOf(bundles: readonly Bundle[]): string {
  const packages = new Set(
    bundles.flatMap(({ inputs }) =>
      inputs.flatMap((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []),
    ),
  );
  const texts = [...packages].sort().map((name) => {
    const folder = join(ROOT, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return `${name} ${version}\n\n${licenseIn(folder)}`;
  });
  return [`gatewright\n\n${licenseIn(ROOT)}`, ...texts].join(`\n${'-'.repeat(80)}\n`);
}

function licenseIn(folder: string): string {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']) {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {}
  }
  throw new Error(`${folder}: found no LICENSE, expected one to put into the image`);
}

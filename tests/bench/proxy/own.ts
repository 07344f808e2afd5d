import { join } from 'node:path';
import { build } from 'esbuild';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../../gateway-runtime/control/provisioner/deployment.ts';
import type { EngineName } from '../../../gateway-runtime/proxy/engines.ts';
import type { Contender } from './contender.ts';

/** In one file of JavaScript, as in the image, so that no compiler stays in memory. */
export async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'data-plane.ts')],
    outfile: join(folder, 'data-plane.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    conditions: ['gatewright-source'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

/** A data plane of Gatewright on one of its engines; `bundle` comes first. */
export const gatewright = (engine: EngineName): Contender => ({
  name: engine === 'http1' ? 'Gatewright' : `Gatewright (${engine})`,
  environment: NODE_ENVIRONMENT,
  command: ({ folder, backendPort, routes, ports }) => [
    process.execPath,
    ...NODE_FLAGS,
    join(folder, 'data-plane.mjs'),
    JSON.stringify({ engine, folder, backendPort, routes, ports }),
  ],
});

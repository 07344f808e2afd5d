/** The image of the runtime: both programs, and the Node that runs them. Which of them a container runs is its argument. */
import { bundleOf, licensesOf } from './bundles.ts';
import { type Image, NONROOT } from './image.ts';
import { NODE_PATH, nodeProgram } from './node-program.ts';
import type { Source } from './tree.ts';

/** The name by which it is loaded where none is given. */
export const DEFAULT_REFERENCE = 'gatewright.test/runtime:dev';

export async function runtimeImage(reference = DEFAULT_REFERENCE): Promise<Image> {
  return {
    references: [reference],
    entrypoint: [NODE_PATH],
    user: NONROOT,
    files: { ...nodeProgram(), ...(await programFiles()) },
  };
}

async function programFiles(): Promise<Record<string, Source>> {
  const controlPlane = await bundleOf('control-plane');
  const dataPlane = await bundleOf('data-plane');
  return {
    '/gatewright/control-plane.js': { text: controlPlane.text },
    '/gatewright/data-plane.js': { text: dataPlane.text },
    '/gatewright/licenses.txt': { text: licensesOf([controlPlane, dataPlane]) },
    // By which Node reads the bundles as modules.
    '/gatewright/package.json': { text: '{ "type": "module" }\n' },
  };
}

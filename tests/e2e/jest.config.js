/** Tests that need a cluster, or root to make one. `node tests/e2e/run.ts` runs them where they can be run. */
import base from '../../jest.config.js';

export default {
  // How tests are compiled is the same for all projects.
  ...(base.projects?.[0] ?? base),
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/{cluster,e2e}/**/*.e2e.ts'],
  testTimeout: 600_000,
};

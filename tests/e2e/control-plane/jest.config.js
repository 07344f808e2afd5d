/** Tests that bring up an API server of their own and need no cluster, nor root. */
import base from '../jest.config.js';

export default { ...base, rootDir: '../../..', testMatch: ['<rootDir>/tests/e2e/control-plane/**/*.e2e.ts'] };

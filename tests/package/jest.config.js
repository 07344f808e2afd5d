/** The package as users install it, its image, and the examples and pages that they follow: `npm run test:package`. */
import base from '../../jest.config.js';

const { projects, testTimeout } = base;

export default {
  ...projects[0],
  testTimeout,
  rootDir: '../..',
  testMatch: ['<rootDir>/tests/package/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};

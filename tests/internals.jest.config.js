/** The live tests and cases on what Node does not document: `npm run test:internals`. */
import { onEngine } from '../jest.config.js';

export default {
  testTimeout: 30_000,
  ...onEngine('http1-internals', ['distribution', 'acks']),
  rootDir: '..',
};

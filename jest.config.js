import { availableParallelism } from 'node:os';
import { join } from 'node:path';

// Most of what a short process does is compiling, cdk8s above all: those that tests start read what those before them compiled.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'gatewright-tests');

const shared = {
  testEnvironment: 'node',
  // What users install has a command of its own, `npm run test:package`: it packs, installs and compiles for a minute.
  testPathIgnorePatterns: ['/node_modules/', '/fixtures/', '<rootDir>/tests/package/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironmentOptions: { customExportConditions: ['gatewright-source', 'node', 'node-addons'] },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

/** What runs the proxy, on an engine that is not the default. */
export const onEngine = (engine, leftOut) => ({
  ...shared,
  displayName: `--engine ${engine}`,
  globals: { GATEWRIGHT_ENGINE: engine },
  testMatch: [
    `<rootDir>/tests/live/!(${leftOut.join('|')})*.test.ts`,
    '<rootDir>/tests/cases-runner/cases.test.ts',
  ],
});

/**
 * Everything that needs no root, no cluster and no package; cluster tests have runners of their own. What runs the proxy runs a second time, on the engine
 * on node:http.
 */
export default {
  // Tests that wait leave a core to those that don't: three take less time on two cores than two do.
  maxWorkers: Math.max(3, availableParallelism() - 1),
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      testMatch: [
        '<rootDir>/tests/**/*.test.ts',
        '<rootDir>/examples/**/*.test.ts',
        '<rootDir>/infra/**/*.test.ts',
      ],
    },
    onEngine('node', ['distribution', 'http2', 'acks', 'own-engine']),
  ],
};

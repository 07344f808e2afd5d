/** Planted bugs of what answers people before a rollout: replays of logs, expectations of tests, and what a Pulumi preview refuses. */
import type { Mutant } from './mutants.ts';

const REPLAY = ['tests/unit/replay'];
const JEST = ['tests/jest/matchers.test.ts'];
const PULUMI = ['tests/unit/pulumi/traffic.test.ts'];

export const ANSWER_MUTANTS: readonly Mutant[] = [
  {
    about: 'A value that a log does not have is taken to be none.',
    file: 'replay/unknown-values.ts',
    find: 'if (isPossible(way)) open.push(way);',
    replace: '',
    tests: REPLAY,
  },
  {
    about: 'An answer from another backend than the log has counts as unchanged.',
    file: 'replay/verdict.ts',
    find: 'name === served.backend && !unresolved)',
    replace: '!unresolved)',
    tests: REPLAY,
  },
  {
    about: 'Two errors count as alike, whatever their status.',
    file: 'replay/verdict.ts',
    find: "return a.status === b.status ? 'unchanged' : 'altered';",
    replace: "return 'unchanged';",
    tests: REPLAY,
  },
  {
    about: 'A share of requests that is not all of them need not be told.',
    file: '../jest/routed.ts',
    find: 'const TOLERANCE = 0.0005 + 1e-9;',
    replace: 'const TOLERANCE = 2;',
    tests: JEST,
  },
  {
    about: 'A redirect counts as a rejection.',
    file: '../jest/routed.ts',
    find: 'each.backend === undefined && each.location === undefined && (each.status ?? 400) >= 400;',
    replace: 'each.backend === undefined;',
    tests: JEST,
  },
  {
    about: 'An app that has objects of others touches only its own team.',
    file: '../jest/touch-only.ts',
    find: 'if (owner === team) return [];',
    replace: 'return [];',
    tests: JEST,
  },
  {
    about: 'An approval of one host lets pass what is refused at others.',
    file: 'preview/traffic-policy.ts',
    find: 'hostsOf(region).every((host) =>',
    replace: 'hostsOf(region).some((host) =>',
    tests: PULUMI,
  },
  {
    about: 'An approved path takes along what only begins like it.',
    file: 'preview/traffic-policy.ts',
    find: "isBelow(requests.path.value, path.replace(/\\/$/, ''))",
    replace: 'requests.path.value.startsWith(path)',
    tests: PULUMI,
  },
  {
    about: 'What a stack takes away stays, as if it were of others.',
    file: '../pulumi/traffic/applied.ts',
    find: 'own.has(key) && !written.has(key)',
    replace: 'false',
    tests: PULUMI,
  },
  {
    about: 'A cluster of which a kind may not be listed counts as one without it.',
    file: 'preview/cluster-objects.ts',
    find: 'if (isStatus(error, 403)) {',
    replace: 'if (isStatus(error, 403)) return [];\n      if (isStatus(error, 403)) {',
    tests: [...PULUMI, 'tests/cli/diff-cluster.test.ts'],
  },
];

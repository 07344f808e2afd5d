/** A report is a success when all that is claimed was run and passed, and in no other case. */
import { describe, expect, it } from '@jest/globals';
import { problems, type Report, summary, type TestList, totals } from './verdict.ts';

const http = { name: 'GATEWAY-HTTP', core: ['Gateway', 'HTTPRoute'], extended: ['Mirror', 'Retry'] };
const list: TestList = {
  profiles: [http],
  tests: [
    { name: 'Plain', features: ['Gateway'] },
    { name: 'Routed', features: ['Gateway', 'HTTPRoute'] },
    { name: 'Mirrored', features: ['HTTPRoute', 'Mirror'] },
    { name: 'MirroredAndRetried', features: ['HTTPRoute', 'Mirror', 'Retry'] },
    { name: 'OfAnotherProfile', features: ['Gateway', 'TCPRoute'] },
  ],
};

const statistics = (Passed: number, Failed = 0, Skipped = 0) => ({ Passed, Failed, Skipped });

const reportOf = (core: ReturnType<typeof statistics>, extended?: ReturnType<typeof statistics>): Report => ({
  gatewayAPIVersion: 'v1.6.1',
  gatewayAPIChannel: 'experimental',
  profiles: [
    {
      name: 'GATEWAY-HTTP',
      core: { result: 'success', statistics: core },
      ...(extended
        ? { extended: { result: 'success', statistics: extended, supportedFeatures: ['Mirror'] } }
        : {}),
    },
  ],
});

const CLAIMED = ['Gateway', 'HTTPRoute', 'Mirror'];

describe('the verdict on a report', () => {
  it('counts the tests that the claimed features ask for', () => {
    expect(totals(http, list, CLAIMED)).toEqual({ core: 2, extended: 1 });
    expect(totals(http, list, [...CLAIMED, 'Retry'])).toEqual({ core: 2, extended: 2 });
    // Features of the profile's core are needed, whether they are claimed or not.
    expect(totals(http, list, [])).toEqual({ core: 2, extended: 0 });
  });

  it('is a success where all of them passed', () => {
    expect(problems(reportOf(statistics(2), statistics(1)), list, CLAIMED)).toEqual([]);
    expect(summary(reportOf(statistics(2), statistics(1)), list, CLAIMED)).toBe(
      'GATEWAY-HTTP core 2/2, extended 1/1',
    );
  });

  it('is none where a test failed, was skipped or did not run', () => {
    expect(problems(reportOf(statistics(1, 1), statistics(1)), list, CLAIMED)).toEqual([
      'GATEWAY-HTTP: core: 1 of 2 passed, 1 failed, 0 skipped',
    ]);
    expect(problems(reportOf(statistics(2), statistics(0, 0, 1)), list, CLAIMED)).toEqual([
      'GATEWAY-HTTP: extended: 0 of 1 passed, 0 failed, 1 skipped',
    ]);
    expect(problems(reportOf(statistics(1), statistics(1)), list, CLAIMED)).toEqual([
      'GATEWAY-HTTP: core: 1 of 2 passed, 0 failed, 0 skipped',
    ]);
    expect(problems(reportOf(statistics(2)), list, CLAIMED)).toHaveLength(2);
  });

  it('is none where it is of other features than those claimed, or of another profile', () => {
    expect(problems(reportOf(statistics(2), statistics(2)), list, [...CLAIMED, 'Retry'])).toEqual([
      'GATEWAY-HTTP: the report is of the features Mirror, and claimed are Mirror, Retry',
    ]);
    expect(problems({ ...reportOf(statistics(2)), profiles: [] }, list, CLAIMED)).toEqual([
      'GATEWAY-HTTP: the report has no such profile',
    ]);
  });

  it('is one of every profile', () => {
    const tls = { name: 'GATEWAY-TLS', core: ['Gateway', 'TLSRoute'], extended: [] };
    const both = { ...list, profiles: [http, tls] };
    const report = reportOf(statistics(2), statistics(1));
    expect(problems(report, both, CLAIMED)).toEqual(['GATEWAY-TLS: the report has no such profile']);
    expect(summary(report, both, CLAIMED)).toBe(
      'GATEWAY-HTTP core 2/2, extended 1/1; GATEWAY-TLS core 0/1, extended 0/0',
    );
  });
});

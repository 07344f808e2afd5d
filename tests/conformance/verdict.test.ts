/** A report is a success when all that is claimed was run and passed, and in no other case. */
import { describe, expect, it } from '@jest/globals';
import { ofNoProfile, problems, type Report, summary, type TestList, totals } from './verdict.ts';

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

const NONE: ReadonlySet<string> = new Set();
const CLAIMED = ['Gateway', 'HTTPRoute', 'Mirror'];

describe('the verdict on a report', () => {
  it('counts the tests that the claimed features ask for', () => {
    expect(totals(http, list, CLAIMED)).toEqual({ core: 2, extended: 1 });
    expect(totals(http, list, [...CLAIMED, 'Retry'])).toEqual({ core: 2, extended: 2 });
    // Features of the profile's core are needed, whether they are claimed or not.
    expect(totals(http, list, [])).toEqual({ core: 2, extended: 0 });
  });

  it('is a success where all of them passed', () => {
    expect(problems(reportOf(statistics(2), statistics(1)), list, CLAIMED, NONE)).toEqual([]);
    expect(summary(reportOf(statistics(2), statistics(1)), list, CLAIMED, NONE)).toBe(
      'GATEWAY-HTTP core 2/2, extended 1/1',
    );
  });

  it('is none where a test failed, was skipped or did not run', () => {
    expect(problems(reportOf(statistics(1, 1), statistics(1)), list, CLAIMED, NONE)).toEqual([
      'GATEWAY-HTTP: core: 1 of 2 passed, 1 failed, 0 skipped',
    ]);
    expect(problems(reportOf(statistics(2), statistics(0, 0, 1)), list, CLAIMED, NONE)).toEqual([
      'GATEWAY-HTTP: extended: 0 of 1 passed, 0 failed, 1 skipped',
    ]);
    expect(problems(reportOf(statistics(1), statistics(1)), list, CLAIMED, NONE)).toEqual([
      'GATEWAY-HTTP: core: 1 of 2 passed, 0 failed, 0 skipped',
    ]);
    expect(problems(reportOf(statistics(2)), list, CLAIMED, NONE)).toHaveLength(2);
  });

  it('is none where it is of other features than those claimed, or of another profile', () => {
    expect(problems(reportOf(statistics(2), statistics(2)), list, [...CLAIMED, 'Retry'], NONE)).toEqual([
      'GATEWAY-HTTP: the report is of the features Mirror, and claimed are Mirror, Retry',
    ]);
    expect(problems({ ...reportOf(statistics(2)), profiles: [] }, list, CLAIMED, NONE)).toEqual([
      'GATEWAY-HTTP: the report has no such profile',
    ]);
  });

  it('is one of every profile', () => {
    const tls = { name: 'GATEWAY-TLS', core: ['Gateway', 'TLSRoute'], extended: [] };
    const both = { ...list, profiles: [http, tls] };
    const report = reportOf(statistics(2), statistics(1));
    expect(problems(report, both, CLAIMED, NONE)).toEqual(['GATEWAY-TLS: the report has no such profile']);
    expect(summary(report, both, CLAIMED, NONE)).toBe(
      'GATEWAY-HTTP core 2/2, extended 1/1; GATEWAY-TLS core 0/1, extended 0/0',
    );
  });

  it('requires what needs features of two profiles, which no report counts, of the log', () => {
    const tls = { name: 'GATEWAY-TLS', core: ['Gateway', 'TLSRoute'], extended: [] };
    const both: TestList = {
      profiles: [http, tls],
      tests: [
        ...list.tests,
        { name: 'DisallowedKind', features: ['Gateway', 'HTTPRoute', 'TLSRoute'] },
        { name: 'DisallowedAndRetried', features: ['HTTPRoute', 'TLSRoute', 'Retry'] },
      ],
    };
    const { profiles } = reportOf(statistics(2), statistics(1));
    const report = {
      ...reportOf(statistics(2)),
      profiles: [
        ...profiles,
        { ...profiles[0]!, name: 'GATEWAY-TLS', core: { result: '', statistics: statistics(1) } },
      ],
    };
    expect(ofNoProfile(both, CLAIMED)).toEqual(['DisallowedKind']);
    expect(ofNoProfile(both, [...CLAIMED, 'Retry'])).toEqual(['DisallowedKind', 'DisallowedAndRetried']);
    expect(problems(report, both, CLAIMED, NONE)).toContain(
      'DisallowedKind, which is of no profile, did not pass',
    );
    expect(problems(report, both, CLAIMED, new Set(['Plain']))).toHaveLength(
      problems(report, both, CLAIMED, NONE).length,
    );
    expect(problems(report, both, CLAIMED, new Set(['DisallowedKind'])).join()).not.toContain(
      'of no profile',
    );
    expect(summary(report, both, CLAIMED, NONE)).toMatch(/; of no profile 0\/1: DisallowedKind$/);
    expect(summary(report, both, CLAIMED, new Set(['DisallowedKind']))).toMatch(
      /; of no profile 1\/1: DisallowedKind$/,
    );
  });
});

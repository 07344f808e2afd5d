/**
 * Whether a report is a success: not that nothing failed, but that everything was run and passed that the features which
 * are claimed ask for.
 */

/** What the suite has, by `TestList` of conformance_test.go. */
export interface TestList {
  readonly profile: string;
  /** Features that the profile needs. */
  readonly core: readonly string[];
  /** Features that may be claimed beyond these. */
  readonly extended: readonly string[];
  readonly tests: readonly { readonly name: string; readonly features: readonly string[] }[];
}

interface Results {
  readonly result: string;
  readonly statistics: { readonly Passed: number; readonly Failed: number; readonly Skipped: number };
  readonly failedTests?: readonly string[];
  readonly skippedTests?: readonly string[];
}

export interface Report {
  readonly gatewayAPIVersion: string;
  readonly gatewayAPIChannel: string;
  readonly profiles: readonly {
    readonly name: string;
    readonly core: Results;
    readonly extended?: Results & {
      readonly supportedFeatures?: readonly string[];
      readonly unsupportedFeatures?: readonly string[];
    };
  }[];
}

export interface Totals {
  readonly core: number;
  readonly extended: number;
}

/** Numbers of the profile's tests that an implementation with these features has to pass. */
export function totals(list: TestList, claimed: readonly string[]): Totals {
  const known = new Set([...list.core, ...list.extended.filter((feature) => claimed.includes(feature))]);
  const due = list.tests.filter(({ features }) => features.every((feature) => known.has(feature)));
  const core = due.filter(({ features }) => features.every((feature) => list.core.includes(feature)));
  return { core: core.length, extended: due.length - core.length };
}

/** What keeps the report from being a success, each as a sentence. */
export function problems(report: Report, list: TestList, claimed: readonly string[]): string[] {
  const profile = report.profiles.find(({ name }) => name === list.profile);
  if (!profile) return [`The report has no profile ${list.profile}`];
  const expected = totals(list, claimed);
  const features = list.extended.filter((feature) => claimed.includes(feature)).sort();
  const reported = [...(profile.extended?.supportedFeatures ?? [])].sort();
  return [
    ...shortfall('core', profile.core, expected.core),
    ...shortfall('extended', profile.extended, expected.extended),
    ...(features.join() === reported.join()
      ? []
      : [`The report is of the features ${reported.join(', ')}, and claimed are ${features.join(', ')}`]),
  ];
}

function shortfall(what: string, results: Results | undefined, expected: number): string[] {
  const { Passed: passed, Failed: failed, Skipped: skipped } = results?.statistics ?? NONE;
  if (passed === expected && failed === 0 && skipped === 0) return [];
  const named = [...(results?.failedTests ?? []), ...(results?.skippedTests ?? [])];
  return [
    `${what}: ${passed} of ${expected} passed, ${failed} failed, ${skipped} skipped${named.length > 0 ? `: ${named.join(', ')}` : ''}`,
  ];
}

const NONE = { Passed: 0, Failed: 0, Skipped: 0 };

/** As one line: `core 37/37, extended 30/30`. */
export function summary(report: Report, list: TestList, claimed: readonly string[]): string {
  const profile = report.profiles.find(({ name }) => name === list.profile);
  const expected = totals(list, claimed);
  const passed = (results: Results | undefined) => results?.statistics.Passed ?? 0;
  return `core ${passed(profile?.core)}/${expected.core}, extended ${passed(profile?.extended)}/${expected.extended}`;
}

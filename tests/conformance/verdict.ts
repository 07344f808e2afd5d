/**
 * Whether a report is a success: not that nothing failed, but that everything was run and passed that the features which
 * are claimed ask for.
 */

export interface Profile {
  readonly name: string;
  /** Features that the profile needs. */
  readonly core: readonly string[];
  /** Features that may be claimed beyond these. */
  readonly extended: readonly string[];
}

/** What the suite has, by `TestList` of conformance_test.go. */
export interface TestList {
  readonly profiles: readonly Profile[];
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

/** Numbers of a profile's tests that an implementation with these features has to pass. */
export function totals(
  { core: needed, extended }: Profile,
  { tests }: TestList,
  claimed: readonly string[],
): Totals {
  const known = new Set([...needed, ...extended.filter((feature) => claimed.includes(feature))]);
  const due = tests.filter(({ features }) => features.every((feature) => known.has(feature)));
  const core = due.filter(({ features }) => features.every((feature) => needed.includes(feature)));
  return { core: core.length, extended: due.length - core.length };
}

/**
 * Tests that an implementation with these features has to pass and that no report counts: they need features of several profiles, as
 * HTTPRouteDisallowedKind does, which has an HTTPRoute at a listener for TLSRoutes.
 */
export function ofNoProfile({ profiles, tests }: TestList, claimed: readonly string[]): string[] {
  const needed = profiles.flatMap(({ core }) => core);
  const isKnown = (feature: string) => claimed.includes(feature) || needed.includes(feature);
  return tests
    .filter(({ features }) => features.every(isKnown))
    .filter(
      ({ features }) =>
        !profiles.some(({ core, extended }) =>
          features.every((feature) => core.includes(feature) || extended.includes(feature)),
        ),
    )
    .map(({ name }) => name);
}

/**
 * What keeps the report from being a success, each as a sentence.
 *
 * @param passed names of tests, as the log has them
 */
export function problems(
  report: Report,
  list: TestList,
  claimed: readonly string[],
  passed: ReadonlySet<string>,
): string[] {
  return [
    ...list.profiles.flatMap((profile) =>
      problemsOf(profile, report, list, claimed).map((problem) => `${profile.name}: ${problem}`),
    ),
    ...ofNoProfile(list, claimed)
      .filter((name) => !passed.has(name))
      .map((name) => `${name}, which is of no profile, did not pass`),
  ];
}

function problemsOf(profile: Profile, report: Report, list: TestList, claimed: readonly string[]): string[] {
  const found = report.profiles.find(({ name }) => name === profile.name);
  if (!found) return ['the report has no such profile'];
  const expected = totals(profile, list, claimed);
  const features = profile.extended.filter((feature) => claimed.includes(feature)).sort();
  const reported = [...(found.extended?.supportedFeatures ?? [])].sort();
  return [
    ...shortfall('core', found.core, expected.core),
    ...shortfall('extended', found.extended, expected.extended),
    ...(features.join() === reported.join()
      ? []
      : [`the report is of the features ${reported.join(', ')}, and claimed are ${features.join(', ')}`]),
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

/** As one line: `GATEWAY-HTTP core 37/37, extended 30/30; GATEWAY-TLS ...; of no profile 1/1: HTTPRouteDisallowedKind`. */
export function summary(
  report: Report,
  list: TestList,
  claimed: readonly string[],
  passed: ReadonlySet<string>,
): string {
  const passedOf = (results: Results | undefined) => results?.statistics.Passed ?? 0;
  const profiles = list.profiles.map((profile) => {
    const found = report.profiles.find(({ name }) => name === profile.name);
    const { core, extended } = totals(profile, list, claimed);
    return `${profile.name} core ${passedOf(found?.core)}/${core}, extended ${passedOf(found?.extended)}/${extended}`;
  });
  const others = ofNoProfile(list, claimed);
  const count = others.filter((name) => passed.has(name)).length;
  const rest = others.length > 0 ? [`of no profile ${count}/${others.length}: ${others.join(', ')}`] : [];
  return [...profiles, ...rest].join('; ');
}

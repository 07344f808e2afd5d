/** The kept report is a success, and of what the GatewayClass claims today: a feature is claimed once the suite has seen it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { CONTROLLER_NAME } from '../../gateway-runtime/api/names.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type { Report } from './verdict.ts';

const TESTS: Readonly<Record<string, { readonly core: number; readonly extended: number }>> = {
  'GATEWAY-HTTP': { core: 37, extended: 57 },
  'GATEWAY-TLS': { core: 20, extended: 15 },
};
/** Of both profiles. */
const CORE_FEATURES = ['Gateway', 'HTTPRoute', 'ReferenceGrant', 'TLSRoute'];
const folder = join(import.meta.dirname, 'reports');
const read = (file: string): unknown => parse(readFileSync(join(folder, file), 'utf8'));

const [file, ...others] = globSync('*-report.yaml', { cwd: folder });
const report = read(file!) as Report;
const PROFILES = report.profiles.map((profile) => [profile.name, profile] as const);

function claimedFeatures(): string[] {
  const gatewayClass = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'any' },
    spec: { controllerName: CONTROLLER_NAME },
  };
  const [status] = [...translate([gatewayClass], { regex: re2 }).statuses.values()];
  if (status?.kind !== 'GatewayClass') throw new Error('expected the status of a GatewayClass');
  return status.supportedFeatures.map(({ name }) => name);
}

describe('the kept report', () => {
  it('is one, of the profiles that are ours, of the experimental channel', () => {
    expect(others).toEqual([]);
    expect(PROFILES.map(([name]) => name).sort()).toEqual(Object.keys(TESTS));
    expect(report.gatewayAPIChannel).toBe('experimental');
  });

  it.each(PROFILES)('passed every test of %s, and left out none', (name, { core, extended }) => {
    const { core: inCore, extended: inExtended } = TESTS[name]!;
    expect(core.statistics).toEqual({ Passed: inCore, Failed: 0, Skipped: 0 });
    expect(extended?.statistics).toEqual({ Passed: inExtended, Failed: 0, Skipped: 0 });
    for (const { failedTests = [], skippedTests = [] } of [core, extended!]) {
      expect([...failedTests, ...skippedTests]).toEqual([]);
    }
    expect(extended?.unsupportedFeatures ?? []).toEqual([]);
  });

  // After a feature was added: npm run conformance -- --runs 3 --keep
  it('is of the features that are claimed now', () => {
    const supported = PROFILES.flatMap(([, { extended }]) => extended?.supportedFeatures ?? []);
    expect([...new Set([...CORE_FEATURES, ...supported])].sort()).toEqual(claimedFeatures().sort());
  });

  it('was not luck: three runs in a row passed the same tests', () => {
    const runs = read('runs.yaml') as { result: string }[];
    expect(runs.length).toBeGreaterThanOrEqual(3);
    for (const { result } of runs) {
      for (const [name, { core, extended }] of Object.entries(TESTS)) {
        expect(result).toContain(`${name} core ${core}/${core}, extended ${extended}/${extended}`);
      }
    }
  });
});

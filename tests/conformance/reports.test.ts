/** The kept report is a success, and of what the GatewayClass claims today: a feature is claimed once the suite has seen it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { CONTROLLER_NAME } from '../../gateway-runtime/api/names.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type { Report } from './verdict.ts';

const CORE_TESTS: Readonly<Record<string, number>> = { 'GATEWAY-HTTP': 37, 'GATEWAY-TLS': 20 };
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
    expect(PROFILES.map(([name]) => name).sort()).toEqual(Object.keys(CORE_TESTS));
    expect(report.gatewayAPIChannel).toBe('experimental');
  });

  it.each(PROFILES)(
    'passed every core test of %s, and failed or skipped none of the extended ones',
    (name, profile) => {
      expect(profile.core.statistics).toEqual({ Passed: CORE_TESTS[name], Failed: 0, Skipped: 0 });
      expect(profile.extended!.statistics).toMatchObject({ Failed: 0, Skipped: 0 });
      expect(profile.extended!.statistics.Passed).toBeGreaterThan(0);
    },
  );

  // After a feature was added: npm run conformance -- --runs 3 --keep
  it.each(PROFILES)('is of the features that are claimed now, in %s', (_, profile) => {
    const { supportedFeatures = [], unsupportedFeatures = [] } = profile.extended!;
    const known = [...supportedFeatures, ...unsupportedFeatures];
    const claimed = claimedFeatures().filter((feature) => known.includes(feature));
    expect([...supportedFeatures].sort()).toEqual(claimed.sort());
  });

  it('was not luck: three runs in a row passed the same tests', () => {
    const runs = read('runs.yaml') as { result: string }[];
    expect(runs.length).toBeGreaterThanOrEqual(3);
    for (const { result } of runs) {
      for (const [name, { extended }] of PROFILES) {
        const { Passed: passed } = extended!.statistics;
        const core = CORE_TESTS[name];
        expect(result).toContain(`${name} core ${core}/${core}, extended ${passed}/${passed}`);
      }
    }
  });
});

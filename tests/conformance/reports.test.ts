/** The kept report is a success, and of what the GatewayClass claims today: a feature is claimed once the suite has seen it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { CONTROLLER_NAME } from '../../gateway-runtime/api/names.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type { Report } from './verdict.ts';

const CORE_TESTS = 37;
const folder = join(import.meta.dirname, 'reports');
const read = (file: string): unknown => parse(readFileSync(join(folder, file), 'utf8'));

const [file, ...others] = globSync('*-report.yaml', { cwd: folder });
const report = read(file!) as Report;
const [profile, ...profiles] = report.profiles;

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
  it('is one, of one profile, of the experimental channel', () => {
    expect([others, profiles]).toEqual([[], []]);
    expect(profile!.name).toBe('GATEWAY-HTTP');
    expect(report.gatewayAPIChannel).toBe('experimental');
  });

  it('passed every core test, and failed or skipped none of the extended ones', () => {
    expect(profile!.core.statistics).toEqual({ Passed: CORE_TESTS, Failed: 0, Skipped: 0 });
    expect(profile!.extended!.statistics).toMatchObject({ Failed: 0, Skipped: 0 });
    expect(profile!.extended!.statistics.Passed).toBeGreaterThan(0);
  });

  // After a feature was added: npm run conformance -- --runs 3 --keep
  it('is of the features that are claimed now', () => {
    const { supportedFeatures = [], unsupportedFeatures = [] } = profile!.extended!;
    const known = [...supportedFeatures, ...unsupportedFeatures];
    const claimed = claimedFeatures().filter((feature) => known.includes(feature));
    expect([...supportedFeatures].sort()).toEqual(claimed.sort());
  });

  it('was not luck: three runs in a row passed the same tests', () => {
    const runs = read('runs.yaml') as { result: string }[];
    expect(runs.length).toBeGreaterThanOrEqual(3);
    const passed = profile!.extended!.statistics.Passed;
    for (const { result } of runs) {
      expect(result).toBe(`core ${CORE_TESTS}/${CORE_TESTS}, extended ${passed}/${passed}`);
    }
  });
});

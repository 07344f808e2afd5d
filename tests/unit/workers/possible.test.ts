import { expect, it } from '@jest/globals';
import { possibleWorkers } from '../../../gateway-runtime/workers/possible.ts';

it.each([
  ['linux', '22.11.0', 1],
  ['linux', '22.12.0', 4],
  ['linux', '23.0.0', 1],
  ['linux', '23.1.0', 4],
  ['linux', '24.0.0', 4],
  ['darwin', '24.0.0', 1],
  ['win32', '24.0.0', 1],
])('on %s with Node %s, 4 workers are %i', (platform, version, count) => {
  const possible = possibleWorkers(4, platform, version);
  expect(possible.count).toBe(count);
  expect(possible.why !== undefined).toBe(count === 1);
});

it('one worker is possible anywhere, and nothing is said of it', () => {
  expect(possibleWorkers(1, 'win32', '20.0.0')).toEqual({ count: 1 });
});

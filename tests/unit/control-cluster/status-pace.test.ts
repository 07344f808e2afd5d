/** When an object may be written again. */
import { describe, expect, it } from '@jest/globals';
import { Pace } from '../../../gateway-runtime/control/status-writer-pace.ts';

/** Writes for as long as there is something new all the time, as often as the pace allows. */
function writesIn(milliseconds: number): number {
  const pace = new Pace();
  let writes = 0;
  for (let now = 0; now < milliseconds; now += pace.wait(now, false)) {
    pace.wrote(now);
    writes++;
  }
  return writes;
}

describe('the pace of an object', () => {
  it('lets it be written at once, and few times while it changes all the time', () => {
    expect(new Pace().wait(0, false)).toBe(0);
    expect(writesIn(3_000)).toBeLessThanOrEqual(7);
    expect(writesIn(20_000)).toBeLessThan(20);
  });

  it('does not keep the last of many states for long', () => {
    const pace = new Pace();
    for (let now = 0; now < 60_000; now += pace.wait(now, false)) pace.wrote(now);
    expect(pace.wait(60_000, false)).toBeLessThanOrEqual(1_500);
  });

  it('lets it be written at once again after a while', () => {
    const pace = new Pace();
    pace.wrote(0);
    expect(pace.wait(50, false)).toBe(50);
    expect(pace.wait(10_000, false)).toBe(0);
  });

  it('waits ever longer to repair a state, until there is a new one', () => {
    const pace = new Pace();
    pace.wrote(0);
    const waits = [1, 2, 3, 4].map(() => pace.wait(20_000, true));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(pace.wait(20_000, false)).toBe(0);
    expect(pace.wait(20_000, true)).toBe(1_000);
    for (let times = 0; times < 40; times++) pace.wait(20_000, true);
    expect(pace.wait(20_000, true)).toBe(300_000);
  });

  it('waits after failures, until a write succeeds', () => {
    const pace = new Pace();
    pace.failed(0);
    expect(pace.wait(0, false)).toBeGreaterThanOrEqual(250);
    for (let times = 0; times < 20; times++) pace.failed(0);
    const wait = pace.wait(0, false);
    expect(wait).toBeGreaterThanOrEqual(15_000);
    expect(wait).toBeLessThanOrEqual(30_000);
    pace.wrote(40_000);
    expect(pace.wait(60_000, false)).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import { CompiledRetry } from '../../../gateway-runtime/proxy/pipeline/retries.ts';
import { RetryBudget } from '../../../gateway-runtime/proxy/upstream/retry-budget.ts';

const retry = (backoff: number) => new CompiledRetry({ codes: [500], attempts: 3, backoff });

describe('the time before a retry', () => {
  it('doubles, up to a tenfold, and is never less than the rule says', () => {
    expect([0, 1, 2, 3, 4, 100].map((count) => retry(100).delay(count, 0))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
  });

  it('is spread by up to half of the shortest, in few steps', () => {
    const draws = Array.from({ length: 1000 }, (_, i) => retry(100).delay(0, i / 1000));
    expect([...new Set(draws)]).toEqual([100, 112.5, 125, 137.5]);
  });

  it('is a millisecond at least', () => {
    expect(retry(0).delay(5, 0.99)).toBe(1);
  });
});

describe('a failure is a reason', () => {
  it.each([
    ['connect', 'always', 'POST', true],
    ['connect-timeout', 'always', 'PATCH', true],
    ['reset', 'never', 'GET', true],
    ['timeout', 'never', 'PUT', true],
    ['reset', 'never', 'POST', false],
    ['timeout', 'never', 'PATCH', false],
    ['malformed', 'never', 'GET', false],
    ['overloaded', 'always', 'GET', false],
    ['client-gone', 'never', 'GET', false],
  ] as const)('%s, %s, %s: %s', (failure, repeatable, method, expected) => {
    expect(retry(1).onFailure(failure, repeatable, method)).toBe(expected);
  });
});

describe('the budget of a backend', () => {
  const spent = (budget: RetryBudget, now: number) => {
    let count = 0;
    while (budget.spend(now)) count++;
    return count;
  };

  it('begins full, and is refilled by time', () => {
    const budget = new RetryBudget(0);
    expect(spent(budget, 0)).toBe(RetryBudget.MOST);
    expect(spent(budget, 1_000)).toBe(RetryBudget.PER_SECOND);
    expect(spent(budget, 1_000)).toBe(0);
    expect(spent(budget, 1_000_000)).toBe(RetryBudget.MOST);
  });

  it('is refilled by requests, a fifth for each', () => {
    const budget = new RetryBudget(0);
    spent(budget, 0);
    for (let i = 0; i < 50; i++) budget.earn();
    expect(spent(budget, 0)).toBeGreaterThanOrEqual(9);
    expect(spent(budget, 0)).toBeLessThanOrEqual(10);
  });
});

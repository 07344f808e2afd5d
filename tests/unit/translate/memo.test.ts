import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Derived, type Input, Memo } from '../../../gateway-runtime/translate/memo.ts';

describe('Memo', () => {
  let memo: Memo;
  let numbers: Input<number>;
  let computed: string[];
  let parity: Derived<'even' | 'odd' | 'none'>;
  let report: Derived<string>;
  let told: [before: unknown, after: unknown][];
  const tell = (before: unknown, after: unknown) => told.push([before, after]);

  beforeEach(() => {
    memo = new Memo();
    numbers = memo.input();
    computed = [];
    told = [];
    parity = memo.derive((name) => {
      computed.push(`parity ${name}`);
      const number = numbers.get(name!);
      return number === undefined ? 'none' : number % 2 === 0 ? 'even' : 'odd';
    });
    report = memo.derive((name) => {
      computed.push(`report ${name}`);
      const is = parity.get(name!);
      return is === 'odd' ? `odd beside ${parity.get('other')}` : is;
    });
  });

  it('computes what is observed once, and again only when something it read has changed', () => {
    numbers.set(1, 'a');
    report.observe(tell, 'a');
    memo.settle();
    memo.settle();
    numbers.set(7, 'unread');
    memo.settle();
    expect(computed).toEqual(['report a', 'parity a', 'parity other']);
    expect(told).toEqual([[undefined, 'odd beside none']]);
  });

  it('stops where a recomputed value is the same', () => {
    numbers.set(1, 'a');
    report.observe(tell, 'a');
    memo.settle();
    computed = [];
    numbers.set(3, 'a');
    memo.settle();
    expect(computed).toEqual(['parity a']);
    expect(told).toHaveLength(1);
  });

  it('takes an equal input for no change', () => {
    const lists = memo.input<readonly number[]>();
    const sum = memo.derive(() => {
      computed.push('sum');
      return (lists.get('a') ?? []).reduce((total, each) => total + each, 0);
    });
    lists.set([1, 2], 'a');
    sum.observe(tell);
    memo.settle();
    lists.set([1, 2], 'a');
    memo.settle();
    expect(computed).toEqual(['sum']);
  });

  it('counts the look-up of what is not there as read', () => {
    numbers.set(1, 'a');
    report.observe(tell, 'a');
    memo.settle();
    numbers.set(2, 'other');
    memo.settle();
    expect(told.at(-1)).toEqual(['odd beside none', 'odd beside even']);
  });

  it('forgets what is read no more', () => {
    numbers.set(1, 'a');
    report.observe(tell, 'a');
    memo.settle();
    numbers.set(2, 'a');
    memo.settle();
    computed = [];
    numbers.set(5, 'other');
    memo.settle();
    expect(computed).toEqual([]);
    // Not even its value is kept.
    expect([parity.get('other'), parity.get('other')]).toEqual(['odd', 'odd']);
    expect(computed).toEqual(['parity other', 'parity other']);
    numbers.set(1, 'a');
    memo.settle();
    expect(told.at(-1)).toEqual(['even', 'odd beside odd']);
  });

  it('tells of a value that another computation had brought up to date before', () => {
    numbers.set(1, 'a');
    report.observe(tell, 'a');
    parity.observe(tell, 'a');
    memo.settle();
    expect(told).toEqual([
      [undefined, 'odd beside none'],
      [undefined, 'odd'],
    ]);
    numbers.set(2, 'a');
    memo.settle();
    expect(told.slice(2)).toEqual([
      ['odd', 'even'],
      ['odd beside none', 'even'],
    ]);
  });

  it('tells of the end of an observation at once, and of no value that it never told', () => {
    numbers.set(1, 'a');
    report.observe(tell, 'a');
    report.unobserve('a');
    expect(told).toEqual([]);
    report.observe(tell, 'a');
    memo.settle();
    report.unobserve('a');
    expect(told.at(-1)).toEqual(['odd beside none', undefined]);
    numbers.set(2, 'a');
    memo.settle();
    expect(told).toHaveLength(2);
  });

  it('lets an observer begin another observation', () => {
    numbers.set(1, 'a');
    numbers.set(2, 'b');
    parity.observe(() => parity.observe(tell, 'b'), 'a');
    memo.settle();
    expect(told).toEqual([[undefined, 'even']]);
  });

  it('keeps nothing that nobody observes', () => {
    numbers.set(1, 'a');
    expect(report.get('a')).toBe('odd beside none');
    expect(report.get('a')).toBe('odd beside none');
    expect(computed.filter((each) => each === 'report a')).toHaveLength(2);
    report.observe(tell, 'a');
    memo.settle();
    computed = [];
    expect(report.get('a')).toBe('odd beside none');
    expect(computed).toEqual([]);
    report.unobserve('a');
    memo.settle();
    expect(report.get('a')).toBe('odd beside none');
    expect(computed).toContain('report a');
  });

  it('goes on after a computation that threw', () => {
    let broken = true;
    const fragile = memo.derive(() => {
      if (broken) throw new Error('broken');
      return numbers.get('a') ?? 0;
    });
    fragile.observe(tell);
    expect(() => memo.settle()).toThrow('broken');
    broken = false;
    numbers.set(4, 'a');
    expect(fragile.get()).toBe(4);
  });
});

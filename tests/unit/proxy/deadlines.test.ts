import { expect, it } from '@jest/globals';
import { type Deadline, Deadlines } from '../../../gateway-runtime/proxy/pipeline/deadlines.ts';

function watched() {
  const due: string[] = [];
  const errors: unknown[] = [];
  let arrived = () => {};
  const deadlines = new Deadlines<string>(
    (subject) => {
      due.push(subject);
      arrived();
      if (subject.startsWith('!')) throw new Error(subject);
    },
    (error) => errors.push(error),
  );
  const until = async (count: number) => {
    // What is waited with is not kept alive by what is waited for.
    const alive = setInterval(() => {}, 1000);
    while (due.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    clearInterval(alive);
  };
  return { due, errors, deadlines, until };
}

it('come due in the order of their times, and not before', async () => {
  const { due, deadlines, until } = watched();
  const start = performance.now();
  deadlines.set('b', 30);
  deadlines.set('a', 10);
  deadlines.set('c', 30);
  await until(1);
  expect(performance.now() - start).toBeGreaterThanOrEqual(10);
  await until(3);
  expect(performance.now() - start).toBeGreaterThanOrEqual(30);
  expect(due).toEqual(['a', 'b', 'c']);
});

it.each(['first', 'middle', 'last'] as const)(
  'the %s of a queue can be cancelled, twice too',
  async (which) => {
    const { due, deadlines, until } = watched();
    const set: Record<string, Deadline<string>> = {};
    for (const name of ['first', 'middle', 'last']) set[name] = deadlines.set(name, 10);
    set[which]!.cancel();
    set[which]!.cancel();
    await until(2);
    expect(due).toEqual(['first', 'middle', 'last'].filter((name) => name !== which));
  },
);

it('that are cancelled make way for what is set after them', async () => {
  const { due, deadlines, until } = watched();
  for (let i = 0; i < 100; i++) deadlines.set('gone', 10).cancel();
  deadlines.set('stays', 10);
  await until(1);
  expect(due).toEqual(['stays']);
  deadlines.set('again', 10);
  await until(2);
  expect(due).toEqual(['stays', 'again']);
});

it('what one throws keeps no other from coming due', async () => {
  const { due, errors, deadlines, until } = watched();
  deadlines.set('!bad', 5);
  deadlines.set('good', 5);
  await until(2);
  expect(due).toEqual(['!bad', 'good']);
  expect(errors).toEqual([new Error('!bad')]);
});

it('a time longer than timers take is not over at once', async () => {
  const { due, deadlines, until } = watched();
  deadlines.set('far', 99_999 * 3_600_000);
  deadlines.set('near', 20);
  await until(1);
  expect(due).toEqual(['near']);
});

it('can be set for the same subject while it comes due', async () => {
  const due: number[] = [];
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => {}, 1000);
    const deadlines = new Deadlines<number>(
      (count) => {
        due.push(count);
        if (count < 3) deadlines.set(count + 1, 5);
        else {
          clearInterval(alive);
          resolve();
        }
      },
      () => {},
    );
    deadlines.set(1, 5);
  });
  expect(due).toEqual([1, 2, 3]);
});

it('that come due together are seen to in parts, and others have their turn in between', async () => {
  const inTurns: number[] = [];
  let inTurn = 0;
  const deadlines = new Deadlines<number>(
    () => {
      inTurn++;
      // Takes longer than a part may.
      for (const until = performance.now() + 1; performance.now() < until; );
    },
    () => {},
  );
  for (let i = 0; i < 5; i++) deadlines.set(i, 5);
  while (inTurns.length < 5) {
    await new Promise((resolve) => setImmediate(resolve));
    if (inTurn > 0) inTurns.push(inTurn);
    inTurn = 0;
  }
  expect(inTurns).toEqual([1, 1, 1, 1, 1]);
});

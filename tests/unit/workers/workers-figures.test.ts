import { expect, it } from '@jest/globals';
import type { Place } from '../../../gateway-runtime/workers/place.ts';
import { WorkersFigures } from '../../../gateway-runtime/workers/workers-figures.ts';
import { backendKey } from '../../support/gateway.ts';

const [one, two] = [{} as Place, {} as Place];
const [a, b] = [backendKey('a'), backendKey('b')];
const seen = (usable: number, ejected: number, active: number, ejections: number) => ({
  endpoints: { usable, ejected, unreachable: 0, terminating: 0 },
  active,
  ejections,
});

it('endpoints count once, as the worst that a worker knows of them; requests and ejections are added up, also of workers that have ended', () => {
  const figures = new WorkersFigures();
  figures.put(one, [[a, seen(3, 0, 5, 1)]]);
  figures.put(two, [
    [a, seen(2, 1, 7, 2)],
    [b, seen(1, 0, 0, 0)],
  ]);
  expect(new Map(figures.all())).toEqual(
    new Map([
      [a, seen(2, 1, 12, 3)],
      [b, seen(1, 0, 0, 0)],
    ]),
  );
  figures.ended(two);
  expect(new Map(figures.all())).toEqual(new Map([[a, seen(3, 0, 5, 3)]]));
  figures.keep((key) => key === b);
  figures.put(two, [[a, seen(3, 0, 0, 0)]]);
  expect(new Map(figures.all())).toEqual(new Map([[a, seen(3, 0, 0, 0)]]));
});

/** The part of the comparison with other origins (README.md) that needs nothing but Node. SEED and RUNS give another choice, or more of it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REQUEST } from '../property/messages.ts';
import { PICKED } from './messages.ts';
import { nodeOrigin, type Origin } from './origins.ts';
import { compareRequests } from './requests.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 300);

let origin: Origin;
beforeAll(async () => {
  origin = await nodeOrigin();
});
afterAll(() => origin.close());

it(`no message is framed otherwise behind the gateway than before it (seed ${SEED})`, async () => {
  const messages = [
    ...PICKED.map(([what, text]) => ({ what, text })),
    ...fc
      .sample(REQUEST, { numRuns: RUNS, seed: SEED })
      .map((text, index) => ({ what: `generated message ${index}`, text })),
  ];
  const { problems, sent, framed, answers } = await compareRequests([origin], messages, 8);
  expect(problems.slice(0, 3)).toEqual([]);
  // Both kinds are among them: every message has a request behind it that is forwarded, too.
  expect(framed.get(origin.name)! - sent).toBeGreaterThan(50);
  expect(answers.get('4xx')).toBeGreaterThan(100);
}, 60_000);

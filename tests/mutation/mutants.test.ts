/** That the bugs of `npm run mutation` can be planted is known at once, and not only when that has run. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { fileOf, PLANTED, staleness } from './planted.ts';

it('each stand in their file in one place', () => {
  const problems = PLANTED.map((each) => staleness(each, readFileSync(fileOf(each, '.'), 'utf8')));
  expect(problems.filter((each) => each !== undefined)).toEqual([]);
});

it('are as many as the docs say', () => {
  expect(readFileSync('docs/develop.md', 'utf8')).toContain(`plants ${PLANTED.length} bugs, one at a time`);
});

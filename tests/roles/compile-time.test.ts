/** The catalogue before the compiler: what it says, where, and what it can't see. */
import { describe, expect, it } from '@jest/globals';
import * as gatewright from 'gatewright';
import { complaints } from '../types/compiler.ts';
import { fixture } from './fixture.ts';
import { VIOLATIONS } from './violations/index.ts';

const names = (object: object) => Object.keys(object).join(', ');
/** One line, so that the line of the code is the second. `export` keeps the compiler from asking what is used. */
const given = (type: string) =>
  `import type { ApiObjectProps } from 'cdk8s'; import * as gatewright from 'gatewright'; import { fixture } from './fixture.ts'; ` +
  `export const { ${names(gatewright)} } = gatewright as ${type}; ` +
  `export const { ${names(fixture())} } = fixture() as ${type}; ` +
  `declare const objects: ApiObjectProps[]; export { objects };\n`;
const TYPED = given('never').replaceAll(' as never', '');
const ANY = given('any');

const programs = Object.fromEntries(
  VIOLATIONS.flatMap(({ name, code }) => [
    [`${name}.ts`, TYPED + code],
    [`${name}-through-any.ts`, ANY + code],
  ]),
);
const found = complaints(programs, 'tests/roles');

describe('the compiler', () => {
  for (const { name, typescript } of VIOLATIONS) {
    if ('stoppedBy' in typescript) {
      it(`does not see ${name}: ${typescript.why}`, () => {
        expect(found.get(`${name}.ts`)).toEqual([]);
      });
      continue;
    }
    it(`refuses ${name}`, () => {
      const [complaint, ...others] = found.get(`${name}.ts`)!;
      expect(others).toEqual([]);
      expect(complaint).toMatchObject({ at: typescript.at, line: 1 });
      for (const words of typescript.words) expect(complaint!.message).toContain(words);
      expect(complaint!.message.split('\n')[0]!.length).toBeLessThan(400);
    });
  }

  it('sees none of it through any', () => {
    const seen = VIOLATIONS.filter(({ name }) => found.get(`${name}-through-any.ts`)!.length > 0);
    expect(seen.map(({ name }) => found.get(`${name}-through-any.ts`))).toEqual([]);
  });
});

/** All bugs that the mutation check plants. */
import { join } from 'node:path';
import { ANSWER_MUTANTS } from './answer-mutants.ts';
import { DATA_PLANE_MUTANTS } from './data-plane-mutants.ts';
import { DIFF_MUTANTS } from './diff-mutants.ts';
import { GRANT_MUTANTS } from './grant-mutants.ts';
import { MUTANTS, type Mutant } from './mutants.ts';

export const PLANTED: readonly Mutant[] = [
  ...MUTANTS,
  ...GRANT_MUTANTS,
  ...DIFF_MUTANTS,
  ...ANSWER_MUTANTS,
  ...DATA_PLANE_MUTANTS,
];

export const fileOf = ({ file }: Mutant, tree: string): string => join(tree, 'gateway-runtime', file);

/** Why the mutant can't be planted; undefined where it can. */
export function staleness({ file, find }: Mutant, source: string): string | undefined {
  const places = source.split(find).length - 1;
  if (places === 1) return undefined;
  return `gateway-runtime/${file} has ${places} places with ${JSON.stringify(find)}; bring the mutant up to date`;
}

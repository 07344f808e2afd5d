/**
 * Runs the catalogue with two copies of the package: the platform's, from the folder that is given, and the teams', which is this one. Prints
 * what synth says of each, by the name of the violation, and of a route with which nothing is wrong.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as own from 'gatewright';
import { fixture } from './fixture.ts';
import { refusals } from './refusals.ts';
import { VIOLATIONS } from './violations/index.ts';

const [folder] = process.argv.slice(2);
const other: typeof own = folder
  ? await import(pathToFileURL(join(folder, 'constructs', 'index.ts')).href)
  : own;
const allowed = fixture(other, own);
new own.TeamRoute(allowed.shopChart, 'r', { on: allowed.shopEdge, hostnames: ['shop.example.com'] })
  .rule()
  .to(allowed.cart);
process.stdout.write(
  JSON.stringify({
    areTwo: other.TeamRoute !== own.TeamRoute,
    objects: own.synthesize(allowed.app).objects,
    objectsByTheOther: other.synthesize(allowed.app).objects,
    refused: VIOLATIONS.map(({ name, code, objects }) => [
      name,
      refusals(fixture(other, own), own, code, objects),
    ]),
  }),
);

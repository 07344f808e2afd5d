/**
 * How long an edit of the storefront takes, from the save to the traffic. Run: `node tests/bench/edit.ts [edits]`.
 * Prints best, median and worst, of single saves and of the second of two saves in a row.
 */

import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Serving } from '../cli/support/command.ts';
import { Folder } from '../cli/support/folder.ts';

const EDITS = Number(process.argv[2] ?? 5);
/** Milliseconds between two saves in a row. */
const BETWEEN = 60;
/** Milliseconds between edits, in which processes for the next ones start. */
const PAUSE = 3_000;

using folder = Folder.copyOf('examples/storefront');
await using serving = await new Serving([folder.file('app.ts'), '--port-offset', 'free', '--json']).ready();
const shop = readFileSync(folder.file('shop.ts'), 'utf8');
const save = (weight: number) => folder.write('shop.ts', shop.replace('[3, 1]', `[1, ${weight}]`));
const count = (name: string) => serving.events.filter(({ event }) => event === name).length;
let weight = 1;

async function measure(what: string, before: () => Promise<void>): Promise<void> {
  const times: number[] = [];
  while (times.length < EDITS) {
    // As a person's, an edit begins when the one before is done with.
    const checks = count('types');
    await setTimeout(PAUSE);
    await before();
    weight++;
    save(weight);
    const share = ` ${JSON.stringify(Number((100 / (1 + weight)).toFixed(1)))} %`;
    const live = () =>
      serving.events.find(
        ({ event, traffic }) => event === 'changed' && JSON.stringify(traffic).includes(`whoami:80${share},`),
      );
    await serving.until(() => live() !== undefined && count('types') > checks);
    times.push(live()!.milliseconds as number);
  }
  times.sort((a, b) => a - b);
  const shown = [times[0], times[Math.floor(times.length / 2)], times.at(-1)].join(' / ');
  console.log(`${what.padEnd(30)} ${shown} ms`);
}

await serving.until(() => count('types') > 0);
console.log(`${EDITS} edits: best / median / worst, from the save to the traffic`);
await measure('a single save', async () => {});
await measure('the second of two saves', async () => {
  weight++;
  save(weight);
  await setTimeout(BETWEEN);
});

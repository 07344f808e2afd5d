/** `explain` gives one answer, whoever is asked, and it is the proxy's. `npm run explain:random` asks 100,000 times. */
import { expect, it } from '@jest/globals';
import { askRandomly } from './explain-everywhere.ts';

it('the command line, the admin server, the library and the proxy agree', async () => {
  const seen = new Set<string>();
  let sent = 0;
  await askRandomly({ gateways: 60, requests: 40, sent: 1 }, ({ said, isSent }) => {
    if (said !== undefined) seen.add(said.includes('#') ? 'served' : said);
    if (isSent) sent++;
  });
  expect(sent).toBeGreaterThan(100);
  expect(['served', '404', '421', 'unconnected'].filter((kind) => !seen.has(kind))).toEqual([]);
}, 120_000);

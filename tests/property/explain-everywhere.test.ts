/** `explain` gives one answer, whoever is asked, and it is the proxy's. `npm run explain:random` asks 100,000 times. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Everywhere } from './explain-everywhere.ts';
import { gatewayCase, requestCase } from './generators-match.ts';

const GATEWAYS = 60;
const REQUESTS = 40;

it('the command line, the admin server, the library and the proxy agree', async () => {
  const everywhere = await Everywhere.create();
  const seen = new Map<string, number>();
  let sent = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        gatewayCase,
        fc.array(requestCase, { minLength: REQUESTS, maxLength: REQUESTS }),
        async (gateway, requests) => {
          await everywhere.serve(gateway);
          for (const request of requests) {
            const answer = await everywhere.ask(request, true);
            if (!answer) continue;
            const kind = answer.said.includes('#') ? 'served' : answer.said;
            seen.set(kind, (seen.get(kind) ?? 0) + 1);
            if (answer.isSent) sent++;
          }
        },
      ),
      { numRuns: GATEWAYS },
    );
  } finally {
    await everywhere.close();
  }
  expect(sent).toBeGreaterThan(100);
  expect(['served', '404', '421', 'unconnected'].filter((kind) => !seen.has(kind))).toEqual([]);
}, 120_000);

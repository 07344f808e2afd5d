/**
 * `npm run explain:random`: what `explain-everywhere.test.ts` holds, for 100,000 requests, of which one in ten is sent through a proxy.
 *
 *     npm run explain:random -- [--requests 100000] [--seed 1]
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { Everywhere } from './explain-everywhere.ts';
import { gatewayCase, requestCase } from './generators-match.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
/** Of each Gateway. */
const REQUESTS = 100;
const SENT = 10;
/** Gateways between two words about how far it is. */
const PACE = 100;

const gateways = Math.ceil(Number(values.requests) / REQUESTS);
const everywhere = await Everywhere.create();
let asked = 0;
let sent = 0;
let runs = 0;
try {
  await fc.assert(
    fc.asyncProperty(
      gatewayCase,
      fc.array(requestCase, { minLength: REQUESTS, maxLength: REQUESTS }),
      async (gateway, requests) => {
        await everywhere.serve(gateway);
        for (const [index, request] of requests.entries()) {
          const answer = await everywhere.ask(request, index % SENT === 0);
          asked++;
          if (answer?.isSent) sent++;
        }
        if (++runs % PACE === 0) console.log(`${asked} requests, ${sent} of them sent, no difference`);
      },
    ),
    { numRuns: gateways, seed: Number(values.seed) },
  );
} finally {
  await everywhere.close();
}
console.log(
  `${asked} requests at ${gateways} Gateways: command line, admin server and library said the same, and the proxy too for the ${sent} that were sent`,
);

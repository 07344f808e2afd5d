/**
 * `npm run explain:random`: what `explain-everywhere.test.ts` holds, for 100,000 requests, of which one in ten is sent through a proxy.
 *
 *     npm run explain:random -- [--requests 100000] [--seed 1]
 */
import { parseArgs } from 'node:util';
import { askRandomly } from './explain-everywhere.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
/** Of each Gateway. */
const REQUESTS = 100;
/** Requests between two words about how far it is. */
const PACE = 10_000;

const gateways = Math.ceil(Number(values.requests) / REQUESTS);
let asked = 0;
let sent = 0;
await askRandomly({ gateways, requests: REQUESTS, sent: 10, seed: Number(values.seed) }, ({ isSent }) => {
  asked++;
  if (isSent) sent++;
  if (asked % PACE === 0) console.log(`${asked} requests, ${sent} of them sent, no difference`);
});
console.log(
  `${asked} requests at ${gateways} Gateways: command line, admin server and library said the same, and the proxy too for the ${sent} that were sent`,
);

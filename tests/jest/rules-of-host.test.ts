/** A request is answered by the rules for its host as by all of them. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { explain } from '../../gateway-runtime/explain/explain.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { outcomesOf } from '../../jest/outcome.ts';
import { RulesOfHost } from '../../jest/rules-of-host.ts';
import {
  gatewayCase,
  type RequestCase,
  requestCase,
  requestOf,
  snapshotOfCase,
} from '../property/generators-match.ts';
import { regex } from '../property/regex-once.ts';

function answer(snapshot: Snapshot, request: RequestCase): unknown {
  const { port, host, serverName = host } = request;
  const at = port === 443 ? { port, tls: true, serverName } : { port, tls: false };
  const explanation = explain(snapshot, at, requestOf(request), regex);
  const { matches, summary, listeners, backends, status } = explanation;
  const serving = matches.find(({ outcome }) => outcome === 'serves');
  return { outcomes: outcomesOf(explanation), serving, summary, listeners, backends, status };
}

it('whatever the rules and the request', () => {
  let served = 0;
  fc.assert(
    fc.property(gatewayCase, fc.array(requestCase, { minLength: 1, maxLength: 20 }), (gateway, requests) => {
      const snapshot = snapshotOfCase(gateway);
      const parts = new RulesOfHost(snapshot);
      for (const request of requests) {
        const whole = answer(snapshot, request);
        expect(answer(parts.of(request.host), request)).toEqual(whole);
        if ((whole as { serving?: unknown }).serving) served++;
      }
    }),
    { numRuns: 200 },
  );
  expect(served).toBeGreaterThan(20);
});

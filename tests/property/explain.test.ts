/** What explain says is what the router does, and what the connection allows. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { explain } from '../../gateway-runtime/explain/explain.ts';
import { explanationText } from '../../gateway-runtime/explain/text.ts';
import { Router } from '../../gateway-runtime/match/router.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import { asCaseFile, gatewayCase, requestCase, requestOf, snapshotOfCase } from './generators-match.ts';
import { regex } from './regex-once.ts';

it('names the rule that the router chooses, or the status that the proxy gives without one', () => {
  const seen = { served: 0, 404: 0, 421: 0, unconnected: 0 };
  fc.assert(
    fc.property(
      gatewayCase,
      fc.array(requestCase, { minLength: 1, maxLength: 40, size: 'max' }),
      (gateway, requests) => {
        const snapshot = snapshotOfCase(gateway);
        const router = Router.empty({ regex, compile: () => undefined }).with(
          difference(undefined, snapshot),
        );
        for (const each of requests) {
          const request = requestOf(each);
          const { port, host } = each;
          const tls = port === 443;
          const serverName = tls ? (each.serverName ?? host) : undefined;
          const at = { port, tls, ...(serverName === undefined ? {} : { serverName }) };

          const explanation = explain(snapshot, at, request, regex);
          const serving = explanation.matches.find(({ outcome }) => outcome === 'serves');
          const said = serving
            ? `${serving.namespace}/${serving.name}#${serving.rule} match ${serving.match}`
            : (explanation.status ?? 'unconnected');

          const table = router.listener(port, host);
          const handshake = serverName === undefined ? table : router.listener(port, serverName);
          const entry = table?.find(request);
          const isBound = gateway.listeners.some((listener) => listener.port === port);
          let expected: string | number = 'unconnected';
          if (isBound && (handshake || !tls)) {
            if (!table) expected = 404;
            else if (handshake !== table) expected = 421;
            else if (!entry) expected = 404;
            else {
              const { namespace, name, rule } = entry.rule.source;
              expected = `${namespace}/${name}#${rule} match ${entry.rule.matches.indexOf(entry.match)}`;
            }
          }
          if (said !== expected) {
            const file = asCaseFile(gateway, each, undefined);
            throw new Error(
              `explain said ${said}, the router ${expected}\n${explanationText(explanation)}\n\n${file}`,
            );
          }
          seen[serving ? 'served' : (said as 404)]++;
        }
        const last = requests.at(-1)!;
        const explanation = explain(snapshot, { port: last.port }, requestOf(last), regex);
        expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
      },
    ),
    { numRuns: 500 },
  );
  expect(Object.values(seen).filter((times) => times < 20)).toEqual([]);
});

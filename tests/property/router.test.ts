/** The router against the reference matcher, and its increments against a router made at once. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PRECEDENCE } from '../../gateway-runtime/match/precedence.ts';
import { evaluate } from '../../gateway-runtime/match/reference.ts';
import type { MatchRequest } from '../../gateway-runtime/match/request.ts';
import { type RouteEntry, Router } from '../../gateway-runtime/match/router.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import type { HttpRule, Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import {
  asCaseFile,
  editCase,
  edited,
  gatewayCase,
  requestCase,
  requestOf,
  snapshotOfCase,
} from './generators-match.ts';
import { regex } from './regex-once.ts';

const PAIRS = 100_000;

const routerOf = (snapshot: Snapshot) =>
  Router.empty<undefined>({ regex, compile: () => undefined }).with(difference(undefined, snapshot));

const ruleName = ({ source: { namespace, name, rule } }: HttpRule) => `${namespace}/${name}#${rule}`;

/** All that a choice consists of. */
function chosen(router: Router<undefined>, port: number, request: MatchRequest): string {
  const table = router.listener(port, request.host);
  const entry: RouteEntry<undefined> | undefined = table?.find(request);
  const choice = entry && [ruleName(entry.rule), entry.rule.matches.indexOf(entry.match), entry.hostname];
  return `${choice?.join(' ')} at ${table?.listener.key}`;
}

describe('router', () => {
  it(`chooses what the reference chooses, for ${PAIRS} pairs of configuration and request`, () => {
    let pairs = 0;
    let served = 0;
    /** How often each line of precedence told the winner from the next: a line that never did was not tested. */
    const decided = new Map(PRECEDENCE.map(({ id }) => [id, 0]));

    fc.assert(
      fc.property(
        gatewayCase,
        fc.array(requestCase, { minLength: 1, maxLength: 100, size: 'max' }),
        (gateway, requests) => {
          const snapshot = snapshotOfCase(gateway);
          const router = routerOf(snapshot);
          for (const each of requests) {
            const request = requestOf(each);
            const { winner, listener, matches } = evaluate(snapshot, { port: each.port }, request, regex);
            const choice = winner && [ruleName(winner.rule), winner.match, winner.hostname];
            const expected = `${choice?.join(' ')} at ${listener?.key}`;
            const found = chosen(router, each.port, request);
            if (found !== expected) {
              const file = asCaseFile(gateway, each, winner && ruleName(winner.rule));
              throw new Error(`the router chose ${found}, the reference ${expected}\n\n${file}`);
            }
            pairs++;
            if (winner) served++;
            const line = matches[1]?.loss?.line;
            if (line) decided.set(line.id, decided.get(line.id)! + 1);
          }
        },
      ),
      { numRuns: PAIRS / 40 },
    );

    expect(pairs).toBeGreaterThanOrEqual(PAIRS);
    expect(served).toBeGreaterThan(PAIRS / 5);
    expect([...decided].filter(([, times]) => times < 20)).toEqual([]);
  });

  it('is the same after any edits as one made at once, and leaves the one before as it was', () => {
    fc.assert(
      fc.property(
        gatewayCase,
        fc.array(editCase, { minLength: 1, maxLength: 6, size: 'max' }),
        fc.array(requestCase, { minLength: 20, maxLength: 20 }),
        (first, edits, requests) => {
          const choices = (router: Router<undefined>) =>
            requests.map((each) => chosen(router, each.port, requestOf(each)));
          let gateway = first;
          let snapshot = snapshotOfCase(gateway);
          let router = routerOf(snapshot);
          for (const edit of edits) {
            gateway = edited(gateway, edit);
            const next = snapshotOfCase(gateway);
            const before = choices(router);
            const after = router.with(difference(snapshot, next));
            expect(choices(after)).toEqual(choices(routerOf(next)));
            expect(after.problems).toEqual(expect.arrayContaining([...routerOf(next).problems]));
            expect(after.problems).toHaveLength(routerOf(next).problems.length);
            expect(choices(router)).toEqual(before);
            [snapshot, router] = [next, after];
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

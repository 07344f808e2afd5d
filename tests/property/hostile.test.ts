/**
 * What a hostile namespace can write, mutated and huge objects of every kind, beside a team whose traffic must not change by it.
 * SEED and RUNS give another choice, or more of it.
 */

import { beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from '../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { same } from '../../gateway-runtime/translate/same.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { loadCases } from '../cases-runner/load.ts';
import { mutator } from '../e2e/mutation.ts';
import { Pool } from '../e2e/value-pool.ts';
import { generator } from '../support/random.ts';
import {
  gateway,
  gatewayClass,
  http,
  https,
  route,
  service,
  slice,
  tlsSecret,
  to,
} from '../unit/translate/build.ts';
import { hugeObjects } from './huge-objects.ts';

const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 400);
/** Last in the order of names: before it, a ListenerSet may take a place by precedence, and rightly so. */
const HOSTILE = 'zz-hostile';
const OPTIONS = { regex: re2, limits: { rules: 6, matches: 12, regexCharacters: 200 } };

const GATEWAY = { namespace: 'infra', name: 'edge' };
const VICTIM: readonly RawObject[] = [
  gatewayClass('edge'),
  gateway('infra/edge', [http('http'), https('https', 'cert')], {
    gatewayClassName: 'edge',
    allowedListeners: { namespaces: { from: 'All' } },
  }),
  tlsSecret('infra/cert'),
  service('shop/cart'),
  slice('shop/cart-1', 'cart', [{ addresses: ['10.0.0.1'] }]),
  route('shop/cart', 'infra/edge', [to('cart:80')], { hostnames: ['shop.example.com'] }),
  route('shop/lost', 'infra/edge', [to('nowhere:80')]),
];

/** The object as this namespace could write it; undefined for kinds that have none. */
function moved(object: RawObject, name: string): RawObject | undefined {
  if (object.kind === 'GatewayClass' || object.kind === 'Namespace') return undefined;
  const { metadata } = object as { metadata?: object };
  return { ...object, metadata: { ...metadata, namespace: HOSTILE, name, creationTimestamp: undefined } };
}

describe('a hostile namespace', () => {
  let translator: Translator;
  let before: ReturnType<typeof victimIn>;

  const victimIn = () => {
    const { snapshots, statuses, endpoints, certificates } = translator.current;
    const own = (key: string) => !key.includes(HOSTILE);
    return {
      resources: (snapshots.get('infra/edge')?.resources ?? []).filter(({ key }: Resource) => own(key)),
      statuses: [...statuses].filter(([key]) => key.startsWith('HTTPRoute/') && own(key)),
      endpoints: [...endpoints].filter(([key]) => own(key)),
      certificates: [...certificates].filter(([key]) => own(key)),
    };
  };
  const expectUnharmed = () => {
    const after = victimIn();
    if (!same(after, before)) expect(after).toEqual(before);
  };

  beforeEach(() => {
    translator = new Translator(OPTIONS);
    translator.apply(VICTIM.map((set) => ({ set })));
    before = victimIn();
    expect(before.resources.length).toBeGreaterThan(3);
  });

  it(`changes nothing of others with ${RUNS} mutated objects, from seed ${SEED}`, () => {
    const objects = loadCases().flatMap(({ steps }) => steps.flatMap((step) => step.objects));
    const random = generator(SEED);
    const mutate = mutator(new Pool(objects), random);
    const counts = { known: 0, invalid: 0, unknown: 0 };
    const present = new Map<string, RawObject>();
    for (let run = 0; run < RUNS; run++) {
      const object = moved(mutate().object, `n${Math.floor(random() * 60)}`);
      if (!object) continue;
      counts[parse(object).outcome]++;
      present.set(
        `${object.apiVersion} ${object.kind} ${(object.metadata as { name: string }).name}`,
        object,
      );
      translator.apply([{ set: object }]);
      expectUnharmed();
    }
    expect(counts.known).toBeGreaterThan(RUNS / 5);
    expect(counts.invalid).toBeGreaterThan(RUNS / 10);
    const { snapshots, statuses } = translate([...VICTIM, ...present.values()], OPTIONS);
    expect(same(translator.current.snapshots, snapshots)).toBe(true);
    expect(same(translator.current.statuses, statuses)).toBe(true);
    const reasons = [...statuses.values()].flatMap((status) =>
      status.kind === 'HTTPRoute'
        ? status.parents.flatMap((each) => each.conditions.map(({ reason }) => reason))
        : [],
    );
    expect(reasons).toContain('Accepted');
  });

  it.each(
    hugeObjects(GATEWAY, HOSTILE).map(
      (object) => [(object.metadata as { name: string }).name, object] as const,
    ),
  )('changes nothing of others with the largest object: %s', (_, object) => {
    translator.apply([{ set: object }]);
    expectUnharmed();
    // What is shown of it stays readable, and within what the API server takes.
    for (const { message } of translator.current.diagnostics) expect(message.length).toBeLessThan(40_000);
  });
});

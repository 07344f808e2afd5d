/**
 * What teams must not be able to do, in the cluster. With admission nothing of it is taken under their own credentials. Without, what rights alone
 * keep out is refused still; whatever else is taken, or written by somebody who may, changes nobody's answers, and its status says why.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { eventually } from '../../cluster/command.ts';
import { ANSWERS, WITNESSES } from '../../roles/tenant-objects.ts';
import { BOUNDS } from '../../roles/violations/bounds.ts';
import { VIOLATIONS, type Violation } from '../../roles/violations/index.ts';
import { httpRoute } from '../../roles/violations/violation.ts';
import { strays } from '../control/platform.ts';
import type { Answer } from '../kube-api.ts';
import { PATIENCE } from '../waiting.ts';
import { member, type TenantCluster } from './tenant-cluster.ts';
import { Traffic } from './traffic.ts';

const FOREIGN = httpRoute({ hostnames: ['media.example.com'] });

const messageOf = ({ body }: Answer) => (JSON.parse(body) as { message: string }).message;
const WITHOUT_RIGHT = /User "somebody-of-\w+" cannot \w+ resource /;
const isTaken = ({ status }: Answer) => status < 300;
/** By the API's own rules for fields. */
const isInvalid = ({ status }: Answer) => status === 422;

export function catalogueTests(cluster: () => TenantCluster): void {
  const tried = (by: Violation['by'], object: RawObject, dryRun = false) =>
    cluster().api.apply(object, { as: member(by), dryRun });

  describe('with admission', () => {
    beforeAll(
      () =>
        // What policies can say is listed a moment after the policy of the platform is there.
        eventually(PATIENCE, async () => {
          for (const { by, objects } of BOUNDS)
            expect(isTaken(await tried(by, objects[0]!, true))).toBe(false);
        }),
      2 * PATIENCE,
    );

    for (const { name, by, objects, admission, missing } of VIOLATIONS) {
      if (admission && 'why' in admission) continue;
      it(`is refused: ${name}`, async () => {
        const answer = await tried(by, objects[0]!, true);
        expect(isTaken(answer)).toBe(false);
        if (isInvalid(answer) || WITHOUT_RIGHT.test(messageOf(answer))) return;
        expect(messageOf(answer)).toContain(missing);
      });
    }
  });

  describe('without admission', () => {
    let traffic: Traffic;
    let changes = 0;

    beforeAll(async () => {
      const urls = new Set([...WITNESSES, ...VIOLATIONS.map(({ threatens }) => threatens)]);
      const answers = await cluster().answers([...urls]);
      expect(answers).toMatchObject(ANSWERS);
      for (const each of bindings(cluster())) await cluster().api.remove(each);
      await eventually(PATIENCE, async () => {
        for (const object of [FOREIGN, ...strays(cluster().objects).map(({ refused }) => refused)])
          expect(messageOf(await cluster().api.apply(object, { dryRun: true }))).toBeUndefined();
      });
      traffic = new Traffic(cluster(), answers);
    }, 2 * PATIENCE);
    afterAll(async () => {
      await traffic?.end();
      await cluster().api.applyAll(bindings(cluster()));
      await eventually(PATIENCE, async () => {
        expect(messageOf(await cluster().api.apply(FOREIGN, { dryRun: true }))).toContain('Missing: ');
        for (const { refused, saying } of strays(cluster().objects))
          expect(messageOf(await cluster().api.apply(refused, { dryRun: true }))).toContain(saying);
      });
    }, 2 * PATIENCE);

    /** Applies it as the team, and what only rights keep from the team as somebody who has them; undefined where no API server takes it. */
    async function applied(violation: Violation): Promise<{ forbidden: number } | undefined> {
      let forbidden = 0;
      for (const object of violation.objects) {
        const answer = await tried(violation.by, object);
        if (isInvalid(answer)) return undefined;
        if (isTaken(answer)) continue;
        expect(messageOf(answer)).toMatch(WITHOUT_RIGHT);
        forbidden++;
        if (!isForRights(violation, cluster())) await cluster().api.applyAll([object]);
      }
      return { forbidden };
    }

    /** Waits until a change of another team is served, which comes after all that was applied before. */
    async function othersGoOn(): Promise<void> {
      const generation = `${++changes}`;
      await cluster().api.applyAll([tagged(cluster().object('HTTPRoute', 'media', 'site'), generation)]);
      await eventually(PATIENCE, async () => {
        const { headers } = await cluster().ask('http://media.example.com/');
        expect(headers['x-generation']).toBe(generation);
      });
    }

    for (const violation of VIOLATIONS) {
      const { name, objects, missing, runtime } = violation;
      it(`changes nobody's answers: ${name}`, async () => {
        try {
          const outcome = await applied(violation);
          if (!outcome) return;
          const said = async () =>
            (await Promise.all(objects.map((each) => cluster().saidOf(each)))).join('\n');
          if (runtime && 'unseen' in runtime) expect(outcome.forbidden).toBeGreaterThan(0);
          else if (!runtime?.withoutStatus) {
            await eventually(PATIENCE, async () => {
              const all = await said();
              for (const words of runtime?.says ?? [missing]) expect(all).toContain(words);
            });
          }
          await othersGoOn();
          expect(await traffic.others()).toEqual([]);
          // Until it is taken back, that of an object of the name that was there before may stand in it.
          if (runtime && 'says' in runtime && runtime.withoutStatus)
            await eventually(PATIENCE, async () => expect(await said()).toBe(''));
        } finally {
          for (const each of objects.toReversed()) await cluster().takeBack(each);
        }
      });
    }
  });
}

/** Whether rights are all that stops it: written, it does what it says, or gives the rights that are to be missed. */
const isForRights = ({ runtime, objects }: Violation, cluster: TenantCluster) =>
  runtime !== undefined &&
  'unseen' in runtime &&
  (runtime.changes ||
    objects.some((each) => cluster.counterpart(each) || each.kind === 'ClusterRoleBinding'));

/** The API server stops, and begins, to go by one of them a second before another: each gateway and namespace is looked at. */
const bindings = ({ objects }: TenantCluster) =>
  objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');

/** The route with a header in its answers. */
function tagged(route: RawObject, value: string): RawObject {
  const { spec } = route as { spec?: { rules: readonly object[] } };
  const filters = [
    { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'x-generation', value }] } },
  ];
  return { ...route, spec: { ...spec, rules: spec!.rules.map((rule) => ({ ...rule, filters })) } };
}

/** Two configurations as users write them, with policies of the platform and of teams that come, go and change: translated, as `diff` has them. */
import fc from 'fast-check';
import { refOf } from '../../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import { issue } from '../support/certificates.ts';
import { chosen, type Pair } from './diff-pairs.ts';
import { editCase, edited, type GatewayCase, gatewayCase, objectsOfCase } from './generators-match.ts';
import { pick, plain, seldom } from './generators-objects.ts';
import { POLICIES } from './generators-policies.ts';

const GATEWAY_API = 'gateway.networking.k8s.io/v1';
const GATEWAY = { kind: 'Gateway', name: 'edge' };
const { certificate, privateKey } = issue('infra/edge', ['*.a.com']);

/** What routes need. */
const AROUND: readonly RawObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'edge', namespace: 'infra' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': btoa(certificate), 'tls.key': btoa(privateKey) },
  },
  ...['a', 'a-b', 'b'].flatMap((namespace) =>
    ['cart', 'next'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ port: 80 }] },
    })),
  ),
];

const to = (name: string, weight = 1) => ({ name, port: 80, weight });
const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'b.a.com', statusCode: 302 } };
const answering = (name: string) => ({
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { set: [{ name, value: '1' }] },
});
/** Of rules, in the words of routes. */
const WORDS: readonly object[] = [
  { backendRefs: [to('cart')] },
  { backendRefs: [to('cart', 7)] },
  { backendRefs: [to('cart', 5), to('next', 5)] },
  { backendRefs: [to('cart')], timeouts: { request: '3s' } },
  { backendRefs: [to('cart')], filters: [answering('x-own')] },
  { backendRefs: [to('cart'), to('gone')] },
  { backendRefs: [to('gone')] },
  { filters: [redirect], backendRefs: undefined },
];

const section = seldom(pick('l0', 'l1', 'l2'));
const policy: fc.Arbitrary<RawObject> = fc.oneof(
  fc
    .tuple(POLICIES.GatewayPolicy!, section)
    .map(([made, sectionName]) => targeting(made, 'infra', { ...GATEWAY, sectionName })),
  fc.tuple(POLICIES.RoutePolicy!, pick('a/r', 'a/r-a', 'a/s', 'a-b/r', 'b/r')).map(([made, route]) => {
    const [namespace = '', name] = route.split('/');
    return targeting(made, namespace, { kind: 'HTTPRoute', name });
  }),
);
const targeting = ({ metadata, spec, ...rest }: RawObject, namespace: string, target: object): RawObject =>
  plain({
    ...rest,
    metadata: { ...(metadata as object), namespace },
    spec: { ...(spec as object), targetRefs: [target] },
  });
const policies = fc.array(policy, { maxLength: 2 });

function snapshotOf(
  gateway: GatewayCase,
  choose: (key: string) => number,
  others: readonly RawObject[],
): Snapshot {
  const written = objectsOfCase(
    gateway,
    (route, index) => WORDS[choose(`${route} ${index}`) % WORDS.length]!,
  );
  const objects = [...AROUND, ...written.map((each) => ({ apiVersion: GATEWAY_API, ...each })), ...others];
  const distinct = new Map(objects.map((each) => [refKey(refOf(each as RawObject)), each as RawObject]));
  const { snapshots } = translate([...distinct.values()], { regex: re2, classes: 'any' });
  return snapshots.get('infra/edge')!;
}

/** The Gateway is `infra/edge`. */
export const policyPairCase: fc.Arbitrary<Pair> = fc
  .record({
    first: gatewayCase,
    edits: fc.array(editCase, { minLength: 0, maxLength: 2, size: 'max' }),
    seed: fc.nat(1000),
    /** In both, unless there is another of the name. */
    kept: policies,
    before: policies,
    after: policies,
  })
  .map(({ first, edits, seed, kept, before, after }) => {
    const second = edits.reduce((gateway: GatewayCase, edit) => edited(gateway, edit), first);
    const choose = chosen(seed);
    return {
      before: snapshotOf(first, choose, [...kept, ...before]),
      after: snapshotOf(second, choose, [...kept, ...after]),
    };
  });

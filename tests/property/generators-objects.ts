/** How objects are generated: names that meet, and how often a field is there. */
import fc from 'fast-check';
import type { RawObject } from '../../gateway-runtime/api/object.ts';

export const API = 'gateway.networking.k8s.io';
export const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
/** Present three times out of four. */
export const often = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 4 });
/** Every other time. */
export const seldom = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
export const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
export const few = <T>(value: fc.Arbitrary<T>, maxLength = 2) => fc.array(value, { maxLength });
export const some = <T>(value: fc.Arbitrary<T>, maxLength = 3) =>
  fc.array(value, { minLength: 1, maxLength });

export const namespace = pick('infra', 'shop', 'media');
/** Where most objects of a kind are, so that references hit. */
export const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: pick(...others) });
export const home: Record<string, fc.Arbitrary<string>> = {
  Gateway: mostly('infra', 'shop'),
  HTTPRoute: mostly('shop', 'infra', 'media'),
  TLSRoute: mostly('shop', 'infra', 'media'),
  Service: mostly('shop', 'media'),
  EndpointSlice: mostly('shop', 'media'),
  Secret: mostly('infra', 'shop'),
  ConfigMap: mostly('infra', 'shop'),
  BackendTLSPolicy: mostly('shop', 'media'),
  GatewayPolicy: mostly('infra', 'shop'),
  RoutePolicy: mostly('shop', 'infra', 'media'),
  ReferenceGrant: mostly('media', 'shop', 'infra'),
};
export const port = pick(80, 443);
export const hostname = pick('a.example.com', 'b.example.com', '*.example.com', '*.com', 'example.org');
export const generation = seldom(pick(1, 2));
export const created = seldom(pick('2024-01-01T00:00:00Z', '2024-06-01T00:00:00Z', 'no time'));
export const labels = seldom(
  fc.dictionary(pick('team', 'tier', 'gatewright.dev/team'), pick('shop', 'media', '')),
);

/** Undefined fields left out, as JSON has them. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export function objectOf(
  apiVersion: string,
  kind: string,
  name: fc.Arbitrary<string>,
  rest: Record<string, fc.Arbitrary<unknown>>,
  extraLabels: fc.Arbitrary<Record<string, string> | undefined> = fc.constant(undefined),
  annotations: fc.Arbitrary<Record<string, string> | undefined> = fc.constant(undefined),
): fc.Arbitrary<RawObject> {
  return fc
    .record({
      name,
      namespace: home[kind] ?? namespace,
      generation,
      created,
      labels,
      extraLabels,
      annotations,
      rest: fc.record(rest),
    })
    .map((made) =>
      plain({
        apiVersion,
        kind,
        metadata: {
          name: made.name,
          namespace: kind === 'Namespace' || kind === 'GatewayClass' ? undefined : made.namespace,
          generation: made.generation,
          creationTimestamp: made.created,
          labels: made.extraLabels ? { ...made.labels, ...made.extraLabels } : made.labels,
          annotations: made.annotations,
        },
        ...made.rest,
      }),
    );
}

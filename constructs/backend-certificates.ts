/**
 * What a control plane must read so that backends are reached over TLS. No construct of this package says it: it stands in the objects,
 * in a BackendTLSPolicy (`spec.validation.caCertificateRefs`) or in a patch of a Gateway (`spec.tls.backend.clientCertificateRef`).
 */
import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { type KindObject, parse } from '../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../gateway-runtime/api/object.ts';

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

/** The ConfigMaps that a BackendTLSPolicy names, which are in its namespace. */
export const authoritiesOfPolicy = (
  { spec }: KindObject<'BackendTLSPolicy'>,
  namespace: string,
): NamespacedName[] =>
  (spec.validation.caCertificateRefs ?? [])
    .filter(({ group, kind }) => group === '' && kind === 'ConfigMap')
    .map(({ name }) => ({ namespace, name }));

/** The Secret that a Gateway shows to backends, with its namespace written out; undefined where it names none. */
export function clientCertificateOf(
  { spec }: KindObject<'Gateway'>,
  own: string,
): NamespacedName | undefined {
  const ref = spec.tls?.backend?.clientCertificateRef;
  if (ref?.group !== '' || ref.kind !== 'Secret') return undefined;
  return { namespace: ref.namespace ?? own, name: ref.name };
}

/** The same of all BackendTLSPolicies of an app. What breaks a field rule names nothing: the checks report it. */
export function policyAuthoritiesIn(app: IConstruct): NamespacedName[] {
  return app.node.findAll().flatMap((construct) => {
    if (!ApiObject.isApiObject(construct) || construct.kind !== 'BackendTLSPolicy') return [];
    const parsed = parse(construct.toJson() as RawObject);
    if (parsed.outcome !== 'known' || parsed.kind !== 'BackendTLSPolicy') return [];
    return authoritiesOfPolicy(parsed.object as KindObject<'BackendTLSPolicy'>, parsed.ref.namespace);
  });
}

/** The same of the Gateway of a construct, patches included. */
export function clientCertificateIn(object: ApiObject): NamespacedName | undefined {
  const parsed = parse(object.toJson() as RawObject);
  if (parsed.outcome !== 'known' || parsed.kind !== 'Gateway') return undefined;
  return clientCertificateOf(parsed.object as KindObject<'Gateway'>, parsed.ref.namespace);
}

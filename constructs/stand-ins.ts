/**
 * Certificates at synth: a program holds references to Secrets and never their content, so an HTTPS listener is checked with
 * something in the place of its certificate that is none. The same goes for authorities in ConfigMaps that others write.
 */
import { type KindObject, parse, refOf } from '../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import { authoritiesOfPolicy, clientCertificateOf, type NamespacedName } from './backend-certificates.ts';

/** An empty SEQUENCE. */
const pem = (label: string) => `-----BEGIN ${label}-----\nMAA=\n-----END ${label}-----\n`;

/** A Secret or ConfigMap for each that a listener, its Gateway or a BackendTLSPolicy refers to and the objects don't have. */
export function certificateStandIns(objects: readonly RawObject[]): RawObject[] {
  const known = new Set(objects.map((object) => refKey(refOf(object))));
  const standIns = new Map<string, RawObject>();
  const add = (standIn: RawObject) => {
    const key = refKey(refOf(standIn));
    if (!known.has(key)) standIns.set(key, standIn);
  };
  for (const object of objects) {
    const parsed = parse(object);
    if (parsed.outcome !== 'known') continue;
    const own = parsed.ref.namespace;
    if (parsed.kind === 'BackendTLSPolicy') {
      authoritiesOfPolicy(parsed.object as KindObject<'BackendTLSPolicy'>, own)
        .map(authority)
        .forEach(add);
    }
    if (parsed.kind !== 'Gateway' && parsed.kind !== 'ListenerSet') continue;
    const { listeners } = (parsed.object as KindObject<'Gateway' | 'ListenerSet'>).spec;
    for (const { name, namespace = own } of listeners.flatMap(({ tls }) => tls?.certificateRefs ?? [])) {
      add(certificate({ namespace, name }));
    }
    if (parsed.kind !== 'Gateway') continue;
    const gateway = parsed.object as KindObject<'Gateway'>;
    const client = clientCertificateOf(gateway, own);
    if (client) add(certificate(client));
    for (const { name, namespace = own } of authoritiesOf(gateway.spec.tls?.frontend)) {
      add(authority({ namespace, name }));
    }
  }
  return [...standIns.values()];
}

const certificate = (metadata: NamespacedName): RawObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': btoa(pem('CERTIFICATE')), 'tls.key': btoa(pem('PRIVATE KEY')) },
});

const authority = (metadata: NamespacedName): RawObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: { 'ca.crt': pem('CERTIFICATE') },
});

type Frontend = NonNullable<KindObject<'Gateway'>['spec']['tls']>['frontend'];

const authoritiesOf = (frontend: Frontend) =>
  [frontend?.default, ...(frontend?.perPort ?? []).map(({ tls }) => tls)]
    .flatMap((tls) => tls?.validation?.caCertificateRefs ?? [])
    .filter(({ group, kind }) => group === '' && kind === 'ConfigMap');

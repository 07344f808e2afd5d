/**
 * Certificates at synth: a program holds references to Secrets and never their content, so an HTTPS listener is checked with
 * something in the place of its certificate that is none.
 */
import { parse, refOf } from '../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../gateway-runtime/api/object.ts';

const pem = (label: string) => btoa(`-----BEGIN ${label}-----\nAA==\n-----END ${label}-----\n`);

/** A Secret for each that a listener refers to and the objects don't have. */
export function certificateStandIns(objects: readonly RawObject[]): RawObject[] {
  const known = new Set(objects.map((object) => refKey(refOf(object))));
  const standIns = new Map<string, RawObject>();
  for (const object of objects) {
    const parsed = parse(object);
    if (parsed.outcome !== 'known' || (parsed.kind !== 'Gateway' && parsed.kind !== 'ListenerSet')) continue;
    const { spec } = parsed.object as { spec: { listeners: readonly ListenerWithTls[] } };
    for (const { name, namespace = parsed.ref.namespace } of spec.listeners.flatMap(certificatesOf)) {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': pem('CERTIFICATE'), 'tls.key': pem('PRIVATE KEY') },
      };
      const key = refKey(refOf(secret));
      if (!known.has(key)) standIns.set(key, secret);
    }
  }
  return [...standIns.values()];
}

interface ListenerWithTls {
  readonly tls?: {
    readonly certificateRefs?: readonly { readonly name: string; readonly namespace?: string }[];
  };
}

const certificatesOf = ({ tls }: ListenerWithTls) => tls?.certificateRefs ?? [];

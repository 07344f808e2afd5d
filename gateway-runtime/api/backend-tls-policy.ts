/** BackendTLSPolicy (gateway.networking.k8s.io/v1, release v1.6.1): the owner of a Service says that it is reached over TLS, and how. */
import { group, hostname, kind, metadata, objectName, preciseHostname, sectionName } from './fields.ts';
import {
  anything,
  type Infer,
  list,
  object,
  oneOf,
  optional,
  type Pattern,
  type Rule,
  string,
  stringMap,
} from './schema.ts';

const targetRef = object({
  group: group(),
  kind: kind(),
  name: objectName(),
  sectionName: optional(sectionName()),
});

type TargetRef = Infer<typeof targetRef>;

const targetsAreDistinct: Rule<TargetRef[]> = (targets, field) => {
  for (const [index, { group, kind, name, sectionName = '' }] of targets.entries()) {
    for (const other of targets.slice(0, index)) {
      if (other.group !== group || other.kind !== kind || other.name !== name) continue;
      const otherSection = other.sectionName ?? '';
      const at = `${field}[${index}].sectionName`;
      if (otherSection === sectionName) {
        return {
          field: at,
          found: sectionName || 'nothing',
          expected: 'another one in each of several references to a target',
        };
      }
      if (!otherSection || !sectionName) {
        return {
          field: at,
          found: sectionName || 'nothing',
          expected: 'one in each of several references to a target, or none',
        };
      }
    }
  }
  return undefined;
};

/** The expression of RFC 3986 appendix B, as the CRD has it. */
const absoluteUriPattern: Pattern = {
  regex: /^(([^:/?#]+):)(\/\/([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?/,
  words: 'a URI with scheme and authority, such as spiffe://cluster.local/ns/shop/sa/cart',
};

interface AltName {
  type: 'Hostname' | 'URI';
  hostname?: string;
  uri?: string;
}

const nameFitsType: Rule<AltName> = ({ type, hostname, uri }, field) => {
  const [own, other] = type === 'Hostname' ? (['hostname', 'uri'] as const) : (['uri', 'hostname'] as const);
  const names = { hostname, uri };
  if (names[own] === undefined) {
    return { field: `${field}.${own}`, found: 'nothing', expected: `the ${own}, as type ${type} says` };
  }
  if (names[other] !== undefined) {
    return { field: `${field}.${other}`, found: names[other], expected: `none beside type ${type}` };
  }
  return undefined;
};

const wellKnownPattern: Pattern = {
  regex:
    /^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$/,
  words: 'System, or a domain-prefixed name',
};

const caIsNamedOnce: Rule<{ caCertificateRefs?: unknown[]; wellKnownCACertificates?: string }> = (
  { caCertificateRefs = [], wellKnownCACertificates },
  field,
) => {
  if (caCertificateRefs.length > 0 === (wellKnownCACertificates === undefined)) return undefined;
  return {
    field,
    found: wellKnownCACertificates === undefined ? 'neither' : 'both',
    expected: 'either caCertificateRefs or wellKnownCACertificates',
  };
};

export const backendTlsPolicy = object({
  apiVersion: string(),
  kind: oneOf(['BackendTLSPolicy']),
  metadata,
  spec: object({
    targetRefs: list(targetRef, { min: 1, max: 16, rules: [targetsAreDistinct] }),
    validation: object(
      {
        caCertificateRefs: optional(
          list(object({ group: group(), kind: kind(), name: objectName() }), { max: 8 }),
        ),
        wellKnownCACertificates: optional(string({ min: 1, max: 253, pattern: wellKnownPattern })),
        hostname: preciseHostname(),
        subjectAltNames: optional(
          list(
            object(
              {
                type: oneOf(['Hostname', 'URI']),
                hostname: optional(hostname()),
                uri: optional(string({ min: 1, max: 253, pattern: absoluteUriPattern })),
              },
              { rules: [nameFitsType] },
            ),
            { max: 5 },
          ),
        ),
      },
      { rules: [caIsNamedOnce] },
    ),
    options: optional(stringMap(string({ max: 4096 }), { max: 16 })),
  }),
  status: optional(anything()),
});
export type BackendTlsPolicy = Infer<typeof backendTlsPolicy>;

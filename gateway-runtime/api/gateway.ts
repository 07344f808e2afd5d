/** GatewayClass, Gateway and ListenerSet (gateway.networking.k8s.io/v1, release v1.6.1). */
import {
  group,
  hostnamePattern,
  isQualifiedName,
  kind,
  labelSelector,
  metadata,
  namespace,
  objectName,
  parametersRef,
  port,
  QUALIFIED_NAMES,
  secretRef,
} from './fields.ts';
import { listeners } from './listener.ts';
import { GATEWAY_GROUP } from './names.ts';
import {
  anything,
  defaulted,
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

const controllerPattern: Pattern = {
  regex: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/,
  words: 'a domain-prefixed path, such as example.net/gateway-controller',
};

export const gatewayClass = object({
  apiVersion: string(),
  kind: oneOf(['GatewayClass']),
  metadata,
  spec: object({
    controllerName: string({ min: 1, max: 253, pattern: controllerPattern }),
    description: optional(string({ max: 64 })),
    parametersRef: optional(
      object({ group: group(), kind: kind(), name: objectName(), namespace: optional(namespace()) }),
    ),
  }),
  status: optional(anything()),
});
export type GatewayClass = Infer<typeof gatewayClass>;

type Address = { type: string; value?: string };
const ipv4 = /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}(?<!\.)$/;
const ipv6 = /^(?=.*:)[0-9a-fA-F:.]{2,45}$/;

const addressFitsType: Rule<Address> = ({ type, value }, field) => {
  if (value === undefined) return undefined;
  if (type === 'IPAddress' && !ipv4.test(value) && !ipv6.test(value)) {
    return { field: `${field}.value`, found: value, expected: 'an IPv4 or IPv6 address' };
  }
  if (type === 'Hostname' && value !== '' && !hostnamePattern.regex.test(value)) {
    return { field: `${field}.value`, found: value, expected: hostnamePattern.words };
  }
  return undefined;
};

const addressesAreDistinct: Rule<Address[]> = (addresses, field) => {
  const index = addresses.findIndex(
    (a, i) =>
      (a.type === 'IPAddress' || a.type === 'Hostname') &&
      a.value !== undefined &&
      addresses.findIndex((b) => b.type === a.type && b.value === a.value) < i,
  );
  if (index < 0) return undefined;
  return { field: `${field}[${index}]`, found: addresses[index]!.value!, expected: 'each address once' };
};

const addressTypePattern: Pattern = {
  regex:
    /^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/,
  words: 'IPAddress, Hostname, NamedAddress or a domain-prefixed type',
};

const caCertificateRef = object({
  group: group(),
  kind: kind(),
  name: objectName(),
  namespace: optional(namespace()),
});
const frontendTls = object({
  validation: optional(
    object({
      caCertificateRefs: list(caCertificateRef, { min: 1, max: 16 }),
      mode: oneOf(['AllowValidOnly', 'AllowInsecureFallback'], 'AllowValidOnly'),
    }),
  ),
});

const keysAreQualifiedNames: Rule<{
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}> = (infrastructure, field) => {
  for (const part of ['labels', 'annotations'] as const) {
    for (const key of Object.keys(infrastructure[part] ?? {})) {
      if (!isQualifiedName(key)) {
        return {
          field: `${field}.${part}`,
          found: key,
          expected: QUALIFIED_NAMES,
        };
      }
    }
  }
  return undefined;
};

const labelValuePattern: Pattern = {
  regex: /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  words: 'letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
};

export const gateway = object({
  apiVersion: string(),
  kind: oneOf(['Gateway']),
  metadata,
  spec: object({
    gatewayClassName: objectName(),
    listeners,
    addresses: optional(
      list(
        object(
          {
            type: string({ min: 1, max: 253, pattern: addressTypePattern, default: 'IPAddress' }),
            value: optional(string({ max: 253 })),
          },
          { rules: [addressFitsType] },
        ),
        { max: 16, rules: [addressesAreDistinct] },
      ),
    ),
    infrastructure: optional(
      object(
        {
          labels: optional(stringMap(string({ max: 63, pattern: labelValuePattern }), { max: 8 })),
          annotations: optional(stringMap(string({ max: 4096 }), { max: 16 })),
          parametersRef: optional(parametersRef),
        },
        { rules: [keysAreQualifiedNames] },
      ),
    ),
    allowedListeners: optional(
      object({
        namespaces: defaulted(
          object({
            from: oneOf(['All', 'Selector', 'Same', 'None'], 'None'),
            selector: optional(labelSelector),
          }),
          { from: 'None' },
        ),
      }),
    ),
    tls: optional(
      object({
        backend: optional(object({ clientCertificateRef: optional(secretRef) })),
        frontend: optional(
          object({
            default: frontendTls,
            perPort: optional(
              list(object({ port: port(), tls: frontendTls }), { max: 64, key: (each) => `${each.port}` }),
            ),
          }),
        ),
      }),
    ),
    defaultScope: optional(oneOf(['All', 'None'])),
  }),
  status: optional(anything()),
});
export type Gateway = Infer<typeof gateway>;

export const listenerSet = object({
  apiVersion: string(),
  kind: oneOf(['ListenerSet']),
  metadata,
  spec: object({
    parentRef: object({
      group: group(GATEWAY_GROUP),
      kind: kind('Gateway'),
      name: objectName(),
      namespace: optional(namespace()),
    }),
    listeners,
  }),
  status: optional(anything()),
});
export type ListenerSet = Infer<typeof listenerSet>;

/** Listeners: of a Gateway and of a ListenerSet, which have the same fields and the same rules. */
import { group, hostname, kind, labelSelector, port, secretRef, sectionName } from './fields.ts';
import { GATEWAY_GROUP } from './names.ts';
import {
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

const protocolPattern: Pattern = {
  regex:
    /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$/,
  words: 'HTTP, HTTPS, TLS, TCP, UDP or a domain-prefixed protocol',
};

const listenerTls = object(
  {
    mode: oneOf(['Terminate', 'Passthrough'], 'Terminate'),
    certificateRefs: optional(list(secretRef, { max: 64 })),
    options: optional(stringMap(string({ max: 4096 }), { max: 16 })),
  },
  {
    rules: [
      (tls, field) =>
        tls.mode === 'Terminate' && !tls.certificateRefs?.length && !Object.keys(tls.options ?? {}).length
          ? {
              field: `${field}.certificateRefs`,
              found: 'nothing',
              expected: 'a certificate, since the mode is Terminate',
            }
          : undefined,
    ],
  },
);

const allowedRoutes = object({
  namespaces: defaulted(
    object({ from: oneOf(['All', 'Selector', 'Same'], 'Same'), selector: optional(labelSelector) }),
    { from: 'Same' },
  ),
  kinds: optional(list(object({ group: group(GATEWAY_GROUP), kind: kind() }), { max: 8 })),
});

export const listener = object({
  name: sectionName(),
  hostname: optional(hostname()),
  port: port(),
  protocol: string({ min: 1, max: 255, pattern: protocolPattern }),
  tls: optional(listenerTls),
  allowedRoutes: defaulted(allowedRoutes, { namespaces: { from: 'Same' } }),
});
export type Listener = Infer<typeof listener>;

const isOneOf = (value: string, ...among: string[]) => among.includes(value);

/** The CEL rules that the CRDs hold over each listener of a list. */
const tlsFitsProtocol: Rule<Listener[]> = (listeners, field) => {
  for (const [index, { protocol, tls }] of listeners.entries()) {
    const at = `${field}[${index}].tls`;
    if (tls && isOneOf(protocol, 'HTTP', 'TCP', 'UDP')) {
      return {
        field: at,
        found: `tls with protocol ${protocol}`,
        expected: 'no tls for protocols HTTP, TCP and UDP',
      };
    }
    if (tls && protocol === 'HTTPS' && tls.mode !== 'Terminate') {
      return { field: `${at}.mode`, found: tls.mode, expected: 'Terminate, since the protocol is HTTPS' };
    }
    if (!tls && protocol === 'TLS') {
      return { field: at, found: 'nothing', expected: 'tls with a mode, since the protocol is TLS' };
    }
  }
  return undefined;
};

const hostnameFitsProtocol: Rule<Listener[]> = (listeners, field) => {
  const index = listeners.findIndex(
    (each) => each.hostname !== undefined && isOneOf(each.protocol, 'TCP', 'UDP'),
  );
  if (index < 0) return undefined;
  const { hostname: found, protocol } = listeners[index]!;
  return {
    field: `${field}[${index}].hostname`,
    found: found!,
    expected: `no hostname, since the protocol is ${protocol}`,
  };
};

const portsAreDistinct: Rule<Listener[]> = (listeners, field) => {
  const seen = new Map<string, number>();
  for (const [index, each] of listeners.entries()) {
    const key = `${each.port}/${each.protocol}/${each.hostname ?? ''}`;
    const first = seen.get(key);
    if (first !== undefined) {
      return {
        field: `${field}[${index}]`,
        found: `port ${each.port}, protocol ${each.protocol}, hostname ${each.hostname ?? '(any)'} as in ${field}[${first}]`,
        expected: 'a combination of port, protocol and hostname that no other listener of this object has',
      };
    }
    seen.set(key, index);
  }
  return undefined;
};

/** `spec.listeners` of a Gateway or ListenerSet. */
export const listeners = list(listener, {
  min: 1,
  max: 64,
  key: (each) => each.name,
  rules: [tlsFitsProtocol, hostnameFitsProtocol, portsAreDistinct],
});

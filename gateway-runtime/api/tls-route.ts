/** TLSRoute (gateway.networking.k8s.io/v1, release v1.6.1): connections by the server name of their TLS handshake. */
import {
  backendObjectFields,
  hostname,
  metadata,
  parentRef,
  sectionName,
  serviceNeedsPort,
} from './fields.ts';
import { parentRefsAreDistinct } from './http-route.ts';
import { anything, type Infer, integer, list, object, oneOf, optional, type Rule, string } from './schema.ts';

/** As the `isIP` of CEL takes them; what an address of IPv6 has besides, no hostname may have. */
const ADDRESS = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** "IPs are not allowed in SNI hostnames per RFC 6066". */
const noAddresses: Rule<string[]> = (hostnames, field) => {
  const index = hostnames.findIndex((each) => ADDRESS.test(each));
  return index < 0
    ? undefined
    : {
        field: `${field}[${index}]`,
        found: hostnames[index]!,
        expected: 'a DNS name, since no client sends an address as its server name',
      };
};

const backendRef = object(
  { ...backendObjectFields, weight: integer({ min: 0, max: 1_000_000, default: 1 }) },
  { rules: [serviceNeedsPort] },
);

const rule = object({
  name: optional(sectionName()),
  backendRefs: list(backendRef, { min: 1, max: 16 }),
});
export type TlsRouteRule = Infer<typeof rule>;

export const tlsRoute = object({
  apiVersion: string(),
  kind: oneOf(['TLSRoute']),
  metadata,
  spec: object({
    parentRefs: optional(list(parentRef, { max: 32, rules: [parentRefsAreDistinct] })),
    useDefaultGateways: optional(oneOf(['All', 'None'])),
    hostnames: list(hostname(), { min: 1, max: 1024, rules: [noAddresses] }),
    rules: list(rule, { min: 1, max: 1 }),
  }),
  status: optional(anything()),
});
export type TlsRoute = Infer<typeof tlsRoute>;

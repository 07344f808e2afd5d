/**
 * Grant (gatewright.dev/v1alpha1): all that one team may use of one Gateway. It stands in the namespace of the Gateway, and anywhere else
 * means nothing. Its CustomResourceDefinition is this schema.
 */
import { bounds } from './bounds.ts';
import { CONDITIONS, definition } from './definition.ts';
import { hostname, metadata, namespace, objectName, port, sectionName } from './fields.ts';
import {
  anything,
  described,
  type Infer,
  list,
  type OpenApi,
  object,
  oneOf,
  optional,
  type Pattern,
  type Schema,
  string,
  stringMap,
} from './schema.ts';

/** A path below which routes are, in the one spelling that it has: no escapes, empty or dot segments, and no "/" at its end. */
export const GRANTED_PATH: Pattern = {
  regex: /^\/$|^(\/(\.?[-A-Za-z0-9_~!$&'()*+,=:@]|;)[-A-Za-z0-9._~!$&'()*+,;=:@]*)+$/,
  words: 'a path such as /checkout, without "%", "//", "." or ".." segments, or a "/" at its end',
};

const path = () => string({ max: 1024, pattern: GRANTED_PATH });
/** At most as many as a Gateway or ListenerSet has listeners. */
const several = <T>(item: Schema<T>, limits: { min?: number; default?: readonly T[] } = {}) =>
  list(item, { ...limits, max: 64 });

/** By "HTTPRoute to Service namespace/name"; the entry "*" stands for more than can be listed. */
const references = () => stringMap(string({ max: 512 }), { max: 1024 });

const status: OpenApi = {
  type: 'object',
  properties: {
    conditions: CONDITIONS,
    references: {
      ...references().openApi,
      description:
        'What ReferenceGrants of other namespaces let the routes of the team refer to, as the control plane sees it. Absent as long as none has looked: then references are not held to it at admission.',
    },
    bounds: {
      ...bounds.openApi,
      description:
        'What RoutePolicies of the team can say at all: of each field the loosest bound of all places where its routes may be, at whatever Gateway. Absent as long as none has looked.',
    },
  },
};

const spec = object({
  gatewayName: described('A Gateway of this namespace.', objectName()),
  team: described('The name of the team.', namespace()),
  namespace: described('Where the routes of the team are.', namespace()),
  grants: described(
    'All that the team has of the Gateway; a Gateway and a team have one Grant.',
    list(
      object({
        name: described('Of the grant, as the platform calls it.', string({ min: 1, max: 253 })),
        hostnames: described(
          'The hostnames of its routes, each with all that a wildcard covers. None for TCPRoute and UDPRoute.',
          several(hostname(), { default: [] }),
        ),
        kinds: described(
          'The kinds of routes that may attach.',
          list(oneOf(['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute']), { min: 1, max: 5 }),
        ),
        listeners: described(
          'The listeners that admit them.',
          list(
            object({
              kind: oneOf(['ListenerSet', 'Gateway']),
              name: objectName(),
              sectionNames: several(sectionName(), { min: 1 }),
            }),
            { max: 64, default: [] },
          ),
        ),
        paths: described(
          'The paths below which rules of HTTPRoutes may match, by segments.',
          several(path(), { min: 1, default: ['/'] }),
        ),
        delegated: described(
          'What of it was given on to other teams: its own routes may not match there any more.',
          several(
            object({
              path: path(),
              hostnames: several(hostname(), { min: 1 }),
              team: namespace(),
              namespace: namespace(),
            }),
            { default: [] },
          ),
        ),
        ownListeners: optional(
          described(
            'Where the team may have listeners of its own for the hostnames, in ListenerSets of its namespace.',
            list(object({ port: port(), protocol: oneOf(['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP']) }), {
              max: 64,
            }),
          ),
        ),
      }),
      { min: 1, max: 64, keyField: 'name' },
    ),
  ),
  references: optional(
    described(
      'What ReferenceGrants of other namespaces let its routes refer to, as far as the platform knows when it writes this: "HTTPRoute to Service media/feed", or "media/*" for every name, with the ReferenceGrant.',
      references(),
    ),
  ),
});

export const grant = object({
  apiVersion: string(),
  kind: oneOf(['Grant']),
  metadata,
  spec,
  status: optional(anything()),
});
export type Grant = Infer<typeof grant>;
export type GrantSpec = Infer<typeof spec>;

export const GRANT_KIND = 'Grant';
export const GRANT_VERSION = 'v1alpha1';
export const GRANT_PLURAL = 'grants';

export const GRANT_DEFINITION = definition({
  kind: GRANT_KIND,
  plural: GRANT_PLURAL,
  singular: 'grant',
  version: GRANT_VERSION,
  description: 'What one team may use of a Gateway in the same namespace.',
  spec,
  status,
});

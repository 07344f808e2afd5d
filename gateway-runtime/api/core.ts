/** Core objects, as far as routing reads them; the API server holds the rest of their rules. */
import { metadata, port } from './fields.ts';
import {
  boolean,
  defaulted,
  hidden,
  type Infer,
  integer,
  list,
  object,
  oneOf,
  optional,
  string,
  stringMap,
} from './schema.ts';

const partly = { others: 'ignored' } as const;

export const namespaceObject = object({ apiVersion: string(), kind: oneOf(['Namespace']), metadata }, partly);
export type Namespace = Infer<typeof namespaceObject>;

export const service = object(
  {
    apiVersion: string(),
    kind: oneOf(['Service']),
    metadata,
    spec: object(
      {
        type: string({ default: 'ClusterIP' }),
        externalName: optional(string()),
        clusterIP: optional(string()),
        ports: defaulted(
          list(
            object(
              {
                name: optional(string()),
                port: port(),
                protocol: string({ default: 'TCP' }),
                appProtocol: optional(string()),
              },
              partly,
            ),
          ),
          [],
        ),
      },
      partly,
    ),
  },
  partly,
);
export type Service = Infer<typeof service>;

export const endpointSlice = object(
  {
    apiVersion: string(),
    kind: oneOf(['EndpointSlice']),
    metadata,
    addressType: oneOf(['IPv4', 'IPv6', 'FQDN']),
    endpoints: defaulted(
      list(
        object(
          {
            addresses: list(string(), { min: 1, max: 100 }),
            conditions: optional(
              object(
                {
                  ready: optional(boolean()),
                  serving: optional(boolean()),
                  terminating: optional(boolean()),
                },
                partly,
              ),
            ),
            zone: optional(string()),
          },
          partly,
        ),
      ),
      [],
    ),
    ports: defaulted(
      list(
        object(
          {
            name: optional(string()),
            port: optional(integer({ min: 1, max: 65535 })),
            protocol: optional(string()),
          },
          partly,
        ),
      ),
      [],
    ),
  },
  partly,
);
export type EndpointSlice = Infer<typeof endpointSlice>;

const secretMap = optional(hidden(stringMap(hidden(string()))));

export const secret = object(
  {
    apiVersion: string(),
    kind: oneOf(['Secret']),
    metadata,
    type: string({ default: 'Opaque' }),
    data: secretMap,
    stringData: secretMap,
  },
  partly,
);
export type Secret = Infer<typeof secret>;

/** What is in one may be meant for an application alone, so no message shows it. */
export const configMap = object(
  { apiVersion: string(), kind: oneOf(['ConfigMap']), metadata, data: secretMap },
  partly,
);
export type ConfigMap = Infer<typeof configMap>;

/** CustomResourceDefinitions of kinds of our own, each generated from the schema that checks its objects. */
import { OWN_GROUP } from './names.ts';
import type { OpenApi, Schema } from './schema.ts';

interface OwnKind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly version: string;
  /** What an object of the kind says. */
  readonly description: string;
  readonly spec: Schema<unknown>;
  /** It has a status, written apart from the rest. */
  readonly status?: OpenApi;
}

const text = (maxLength: number): OpenApi => ({ type: 'string', maxLength });

/** metav1.Condition. */
const condition: OpenApi = {
  type: 'object',
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: text(316),
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: { ...text(1024), minLength: 1 },
    message: text(32768),
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
  },
};

export const CONDITIONS: OpenApi = {
  type: 'array',
  maxItems: 8,
  items: condition,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
};

/** PolicyStatus of Gateway API: one entry for each target. */
export const POLICY_STATUS: OpenApi = {
  type: 'object',
  properties: {
    ancestors: {
      type: 'array',
      maxItems: 16,
      items: {
        type: 'object',
        required: ['ancestorRef', 'controllerName'],
        properties: {
          ancestorRef: {
            type: 'object',
            required: ['name'],
            properties: {
              group: text(253),
              kind: text(63),
              namespace: text(63),
              name: text(253),
              sectionName: text(253),
              port: { type: 'integer', format: 'int32' },
            },
          },
          controllerName: text(253),
          conditions: CONDITIONS,
        },
      },
    },
  },
};

/** A namespaced kind of one version. Throws an Error where a rule of the schema can't be said in OpenAPI and CEL. */
export function definition({ kind, plural, singular, version, description, spec, status }: OwnKind) {
  if (!spec.openApi) throw new Error(`${kind} has a rule that its CustomResourceDefinition would not hold`);
  const properties: Record<'apiVersion' | 'kind' | 'metadata' | 'spec', OpenApi> & { status?: OpenApi } = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: spec.openApi,
    ...(status ? { status } : {}),
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${OWN_GROUP}` },
    spec: {
      group: OWN_GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { description, type: 'object', required: ['spec'], properties } },
          ...(status ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
}

/** ReferenceGrant: the owner of a namespace lets objects of another one refer to its own. */
import { group, kind, metadata, namespace, objectName } from './fields.ts';
import { anything, type Infer, list, object, oneOf, optional, string } from './schema.ts';

export const referenceGrant = object({
  apiVersion: string(),
  kind: oneOf(['ReferenceGrant']),
  metadata,
  spec: object({
    from: list(object({ group: group(), kind: kind(), namespace: namespace() }), { min: 1, max: 16 }),
    to: list(object({ group: group(), kind: kind(), name: optional(objectName()) }), { min: 1, max: 16 }),
  }),
  status: optional(anything()),
});
export type ReferenceGrant = Infer<typeof referenceGrant>;

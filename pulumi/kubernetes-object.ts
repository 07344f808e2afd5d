/** Objects as they are applied, and how this program calls them. */

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** `kind/namespace/name`, or `kind/name` for what has no namespace. */
export const nameOf = ({ kind, metadata: { namespace, name } }: KubernetesObject): string =>
  [kind, namespace, name].filter(Boolean).join('/');

/** The group; empty for the core one. */
export const groupOf = ({ apiVersion }: KubernetesObject): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** What Pulumi calls the type of an object. */
export const typeOf = (apiVersion: string, kind: string): string => `kubernetes:${apiVersion}:${kind}`;

/** Versions that APIs have had or will have. */
const VERSIONS = ['v1', 'v2'].flatMap((version) => [
  version,
  ...[1, 2, 3].flatMap((minor) => [`${version}beta${minor}`, `${version}alpha${minor}`]),
]);

/**
 * The types that the same object has under other versions of its API, so that a new apiVersion is an update of the object
 * and not another one. The core group has one version only.
 */
export function otherTypesOf(object: KubernetesObject): string[] {
  const group = groupOf(object);
  if (group === '') return [];
  return VERSIONS.map((version) => `${group}/${version}`)
    .filter((apiVersion) => apiVersion !== object.apiVersion)
    .map((apiVersion) => typeOf(apiVersion, object.kind));
}

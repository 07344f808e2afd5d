/** The kinds that are made for a Gateway, and where the API server keeps them. */

import { GATEWAY_GROUP } from '../../api/names.ts';
import { groupOf } from '../../api/object.ts';

export const GENERATED = {
  ServiceAccount: { group: '', version: 'v1', plural: 'serviceaccounts' },
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps' },
  Service: { group: '', version: 'v1', plural: 'services' },
  PodDisruptionBudget: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  HorizontalPodAutoscaler: { group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' },
} as const;

export type GeneratedKind = keyof typeof GENERATED;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** To what an object belongs, as the garbage collector sees it. */
export function ownerOf(metadata: object): OwnerReference | undefined {
  const { ownerReferences = [] } = metadata as { readonly ownerReferences?: readonly OwnerReference[] };
  return ownerReferences.find(({ controller }) => controller);
}

export const isGateway = ({ apiVersion, kind }: OwnerReference): boolean =>
  kind === 'Gateway' && groupOf(apiVersion) === GATEWAY_GROUP;

/** One of them as it is wanted. */
export interface GeneratedObject {
  readonly apiVersion: string;
  readonly kind: GeneratedKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly OwnerReference[];
  };
  readonly [field: string]: unknown;
}

export const apiVersionOf = (kind: GeneratedKind): string => {
  const { group, version } = GENERATED[kind];
  return group ? `${group}/${version}` : version;
};

export function collectionOf(kind: GeneratedKind, namespace: string): string {
  const root = GENERATED[kind].group ? '/apis' : '/api';
  return `${root}/${apiVersionOf(kind)}/namespaces/${encodeURIComponent(namespace)}/${GENERATED[kind].plural}`;
}

export const placeOf = (kind: GeneratedKind, namespace: string, name: string): string =>
  `${collectionOf(kind, namespace)}/${encodeURIComponent(name)}`;

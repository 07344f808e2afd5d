/** The experimental Gateway API CRDs, of the version that go.mod pins. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { GATEWAY_API_CRDS, manifests } from '../cluster/builds.ts';
import { moduleVersion } from '../cluster/settings.ts';
import { DEFINITIONS, removeDefinitions, untilServed } from './definitions.ts';
import type { KubeApi } from './kube-api.ts';
import type { OpenApiSchema } from './samples.ts';

const VERSION = 'gateway.networking.k8s.io/bundle-version';
const CHANNEL = 'gateway.networking.k8s.io/channel';

const WANTED = `experimental v${moduleVersion(GATEWAY_API_CRDS.folder, GATEWAY_API_CRDS.module)}`;

interface Definition {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

const HTTP_ROUTES = 'httproutes.gateway.networking.k8s.io';

async function documents(): Promise<RawObject[]> {
  const folder = await manifests(GATEWAY_API_CRDS);
  return readdirSync(folder)
    .filter((file) => file.startsWith('gateway.') && file.endsWith('.yaml'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .map((document) => document.toJS() as RawObject | null)
    .filter((object) => object !== null);
}

/**
 * Installs them where the cluster has none, and returns what takes them away again. A cluster that has others is left
 * as it is: they may be in use.
 */
export async function installGatewayApi(api: KubeApi): Promise<() => Promise<void>> {
  const { items } = await api.get<{ items: Definition[] }>(DEFINITIONS);
  const present = items.find(({ metadata }) => metadata.name === HTTP_ROUTES);
  if (present) {
    const { [CHANNEL]: channel, [VERSION]: version } = present.metadata.annotations ?? {};
    if (`${channel} ${version}` === WANTED) return async () => {};
    throw new Error(
      `The cluster has Gateway API CRDs ${channel} ${version}, and these tests need ${WANTED}: use another cluster`,
    );
  }
  const objects = await documents();
  await api.applyAll(objects);
  await untilServed((path) => api.get(path), objects);
  return () => uninstallGatewayApi(api);
}

/** Takes them away, with every object of their kinds. */
export async function uninstallGatewayApi(api: KubeApi): Promise<void> {
  await removeDefinitions(api, await documents());
}

/** Whether the cluster has any version of them. */
export async function hasGatewayApi(api: KubeApi): Promise<boolean> {
  const { items } = await api.get<{ items: Definition[] }>(DEFINITIONS);
  return items.some(({ metadata }) => metadata.name === HTTP_ROUTES);
}

interface CustomResourceDefinition {
  readonly kind: string;
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: OpenApiSchema };
    }[];
  };
}

/** The schema of `spec` in version v1 of every kind. */
export async function specSchemas(): Promise<{ kind: string; schema: OpenApiSchema }[]> {
  const definitions = (await documents()) as unknown as CustomResourceDefinition[];
  return definitions
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .flatMap(({ spec }) => {
      const version = spec.versions.find(({ name }) => name === 'v1');
      const schema = version?.schema.openAPIV3Schema.properties?.spec;
      return schema ? [{ kind: spec.names.kind, schema }] : [];
    });
}

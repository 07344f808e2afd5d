/** Objects that the tests of the control plane put into the API server, and how. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { KINDS, type KindName } from '../../../gateway-runtime/api/kinds.ts';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { type ApiClient, isStatus, PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { objectPath } from '../../../gateway-runtime/control/cluster/resources.ts';
import { GATEWAY_API_CRDS, manifests } from '../../cluster/builds.ts';
import { GATEWAY, gatewayApi } from '../../roles/violations/violation.ts';
import { DEFINITIONS, untilServed } from '../definitions.ts';

export interface TestObject {
  readonly apiVersion: string;
  readonly kind: KindName;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export const CRDS = DEFINITIONS;

interface Crd {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const apply = (client: ApiClient, path: string, body: unknown) =>
  client.call('PATCH', `${path}?fieldManager=test&force=true`, { body, contentType: PATCH.apply });

/** The CRDs of Gateway API's experimental channel whose plural is named; all of them where none is. */
export async function installCrds(client: ApiClient, ...plurals: readonly string[]): Promise<void> {
  const folder = await manifests(GATEWAY_API_CRDS);
  const crds = readdirSync(folder)
    .filter((file) => file.startsWith(`${GATEWAY_GROUP}_`) && !file.includes('_vap_'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .map((document) => document.toJS() as Crd | null)
    .filter((crd): crd is Crd => crd?.kind === 'CustomResourceDefinition')
    .filter(({ metadata }) => plurals.length === 0 || plurals.includes(metadata.name.split('.')[0]!));
  for (const crd of crds) await apply(client, `${CRDS}/${crd.metadata.name}`, crd);
  await untilServed((path) => client.get(path), crds);
}

export function pathOf({ apiVersion, kind, metadata }: TestObject): string {
  const version = apiVersion.split('/').at(-1)!;
  const namespace = KINDS[kind].namespaced ? (metadata.namespace ?? 'default') : '';
  return objectPath(kind, version, { namespace, name: metadata.name });
}

/** Several at a time, as a deployment tool does. */
export async function put(client: ApiClient, ...objects: readonly TestObject[]): Promise<void> {
  const left = objects.values();
  const work = async () => {
    for (const object of left) await apply(client, pathOf(object), object);
  };
  await Promise.all(Array.from({ length: 10 }, work));
}

export const read = (client: ApiClient, object: TestObject) => client.get<ApiObject>(pathOf(object));

export async function remove(client: ApiClient, ...objects: readonly TestObject[]): Promise<void> {
  for (const object of objects) {
    await client.call('DELETE', pathOf(object)).catch((error) => {
      if (!isStatus(error, 404)) throw error;
    });
  }
}

const GATEWAY_API = `${GATEWAY_GROUP}/v1`;

export const gatewayClass: TestObject = {
  apiVersion: GATEWAY_API,
  kind: 'GatewayClass',
  metadata: { name: 'gatewright' },
  spec: { controllerName: CONTROLLER_NAME },
};

export const namespace = (name: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

export const gateway = (name: string, listeners?: readonly object[], namespace = 'default'): TestObject => ({
  apiVersion: GATEWAY_API,
  kind: 'Gateway',
  metadata: { name, namespace },
  spec: {
    gatewayClassName: 'gatewright',
    listeners: listeners ?? [{ name: 'http', port: 80, protocol: 'HTTP' }],
  },
});

export const route = (
  name: string,
  parentRefs: readonly object[],
  spec: Readonly<Record<string, unknown>> = {},
): TestObject => ({
  apiVersion: GATEWAY_API,
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'default' },
  spec: { parentRefs, hostnames: [`${name}.example.com`], rules: [{ matches: [{}] }], ...spec },
});

export const service = (name: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ port: 80, protocol: 'TCP' }] },
});

/** A listener that team media brings for the hostname that it was granted. */
export const OWN_LISTENER = gatewayApi(
  'ListenerSet',
  { name: 'own', namespace: 'media' },
  {
    parentRef: { name: GATEWAY.name, namespace: 'infra' },
    listeners: [
      {
        name: 'brand',
        port: 443,
        protocol: 'HTTPS',
        hostname: 'brand.example.com',
        tls: { certificateRefs: [{ name: 'brand-tls' }] },
      },
    ],
  },
);

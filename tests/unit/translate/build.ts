/** Objects for tests, as short as they can be said, and what is asked of a translation. */
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { HttpRule, Listener, Resource } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../../../gateway-runtime/translate/translate.ts';
import type {
  Condition,
  ListenerStatus,
  ObjectStatus,
  TranslateOptions,
  Translation,
} from '../../../gateway-runtime/translate/translation.ts';

const API = 'gateway.networking.k8s.io/v1';
type Fields = Record<string, unknown>;

/** `namespace/name`, or a name alone for what has no namespace. */
function metadata(path: string, more: Fields = {}): Fields {
  const [namespace, name] = path.includes('/') ? path.split('/') : [undefined, path];
  return { ...(namespace ? { namespace } : {}), name, ...more };
}

export const gatewayClass = (
  name: string,
  controllerName = 'gatewright.dev/gateway-controller',
  spec: Fields = {},
) => ({ apiVersion: API, kind: 'GatewayClass', metadata: metadata(name), spec: { controllerName, ...spec } });

export const http = (name: string, port = 80, more: Fields = {}): Fields => ({
  name,
  port,
  protocol: 'HTTP',
  allowedRoutes: { namespaces: { from: 'All' } },
  ...more,
});

export const https = (name: string, secret: string | Fields, more: Fields = {}): Fields =>
  http(name, 443, {
    protocol: 'HTTPS',
    tls: { certificateRefs: [typeof secret === 'string' ? { name: secret } : secret] },
    ...more,
  });

export const gateway = (
  path: string,
  listeners: readonly Fields[],
  spec: Fields = {},
  more: Fields = {},
) => ({
  apiVersion: API,
  kind: 'Gateway',
  metadata: metadata(path, more),
  spec: { gatewayClassName: 'ours', listeners, ...spec },
});

export const listenerSet = (
  path: string,
  gatewayPath: string,
  listeners: readonly Fields[],
  more: Fields = {},
) => ({
  apiVersion: API,
  kind: 'ListenerSet',
  metadata: metadata(path, more),
  spec: { parentRef: metadata(gatewayPath), listeners },
});

/** `to`: `namespace/name` of a Gateway, or a whole parentRef, or several. */
export const route = (
  path: string,
  to: string | Fields | readonly (string | Fields)[],
  rules?: readonly Fields[],
  spec: Fields = {},
  more: Fields = {},
) => ({
  apiVersion: API,
  kind: 'HTTPRoute',
  metadata: metadata(path, more),
  spec: {
    parentRefs: (Array.isArray(to) ? to : [to]).map((ref) => (typeof ref === 'string' ? metadata(ref) : ref)),
    ...(rules ? { rules } : {}),
    ...spec,
  },
});

/** A rule that sends to these backends; `name:port` or `namespace/name:port`. */
export const to = (...backends: readonly (string | Fields)[]): Fields => ({
  backendRefs: backends.map((backend) => {
    if (typeof backend !== 'string') return backend;
    const [path, port] = backend.split(':') as [string, string];
    return { ...metadata(path), port: Number(port) };
  }),
});

export const service = (path: string, port: number | Fields = 80, spec: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(path),
  spec: { ports: [typeof port === 'number' ? { port } : port], ...spec },
});

export const slice = (
  path: string,
  serviceName: string,
  endpoints: readonly Fields[],
  more: Fields = {},
) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: metadata(path, { labels: { 'kubernetes.io/service-name': serviceName } }),
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints,
  ...more,
});

export const namespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

/** Lets `fromKind` objects of a namespace refer to `toKind` objects, of one name where it is given. */
export const grant = (path: string, fromKind: string, from: string, toKind: string, name?: string) => ({
  apiVersion: API,
  kind: 'ReferenceGrant',
  metadata: metadata(path),
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind: fromKind, namespace: from }],
    to: [{ group: '', kind: toKind, ...(name ? { name } : {}) }],
  },
});

export const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n';
export const KEY = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';

export const tlsSecret = (path: string, more: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: metadata(path),
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': btoa(CERTIFICATE), 'tls.key': btoa(KEY) },
  ...more,
});

/** What is in it need only look like a certificate: nothing in translate reads further. */
export const caConfigMap = (path: string, more: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(path),
  data: { 'ca.crt': '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n' },
  ...more,
});

/** Translation of these, of any class where not told otherwise. */
export function translated(
  objects: readonly RawObject[],
  classes: TranslateOptions['classes'] = 'any',
): Translation {
  return translate(objects, { regex: re2, classes });
}

/** `status reason` by type of condition. */
export function brief(conditions: readonly Condition[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );
}

export function statusOf<K extends ObjectStatus['kind']>(
  translation: Translation,
  kind: K,
  path: string,
): Extract<ObjectStatus, { kind: K }> {
  const status = translation.statuses.get(`${kind}/${path}`);
  if (status?.kind !== kind) throw new Error(`no status of ${kind} ${path}`);
  return status as Extract<ObjectStatus, { kind: K }>;
}

export function listenerStatus(
  translation: Translation,
  path: string,
  listener: string,
  kind: 'Gateway' | 'ListenerSet' = 'Gateway',
): ListenerStatus {
  const status = statusOf(translation, kind, path).listeners.find(({ name }) => name === listener);
  if (!status) throw new Error(`no listener ${listener} in the status of ${kind} ${path}`);
  return status;
}

/** Conditions of a route for one of its parents. */
export function parentOf(translation: Translation, path: string, index = 0): readonly Condition[] {
  const parent = statusOf(translation, 'HTTPRoute', path).parents[index];
  if (!parent) throw new Error(`HTTPRoute ${path} has no parent ${index} in its status`);
  return parent.conditions;
}

export const messageOf = (conditions: readonly Condition[], type: string): string | undefined =>
  conditions.find((each) => each.type === type)?.message;

const resources = (translation: Translation, gatewayPath: string): readonly Resource[] =>
  translation.snapshots.get(gatewayPath)?.resources ?? [];

export const rulesOf = (translation: Translation, gatewayPath: string): HttpRule[] =>
  resources(translation, gatewayPath).filter((each) => each.type === 'http-rule');

export const listenersOf = (translation: Translation, gatewayPath: string): Listener[] =>
  resources(translation, gatewayPath).filter((each) => each.type === 'listener');

/** `code object` of each diagnostic, in their order. */
export const codes = (translation: Translation): string[] =>
  translation.diagnostics.map(({ code, object }) => `${code} ${object.kind}/${object.name}`);

/**
 * Stands in for Pulumi's Kubernetes provider, in tests only, where the machine has none: it makes, changes and deletes the
 * objects of the unmodified @pulumi/kubernetes SDK in a real API server. What it leaves out: the waiting for pods, jobs and
 * services, dry runs in a preview, conflicts with other field managers, Helm, Kustomize and YAML resources.
 */
import { isDeepStrictEqual } from 'node:util';
import { main, type Provider } from '@pulumi/pulumi/provider/index.js';
import { isRpcSecret, unwrapRpcSecret } from '@pulumi/pulumi/runtime/rpc.js';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { eventually } from '../cluster/command.ts';
import { untilServed } from '../e2e/definitions.ts';
import { KubeApi } from '../e2e/kube-api.ts';

/** As the official one answers. */
const VERSION = '4.34.2';
const MANAGER = 'pulumi-kubernetes';
/** Milliseconds. */
const PATIENCE = 120_000;

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
}
type KubernetesObject = RawObject & { readonly metadata: Metadata };
/** What the state of a stack keeps of an object: how it is in the cluster, and what was asked for. */
type State = Record<string, unknown> & { readonly __inputs: KubernetesObject };

let connected: Promise<KubeApi> | undefined;
const api = () => {
  connected ??= KubeApi.connect();
  return connected;
};

async function succeed(method: string, path: string, body?: unknown): Promise<KubernetesObject> {
  const answer = await (await api()).call(method, path, body, 'application/apply-patch+yaml');
  const told = JSON.parse(answer.body) as KubernetesObject & { message?: string };
  if (answer.status >= 300) throw new Error(`the API server answered ${answer.status}: ${told.message}`);
  return told;
}

/** A value with its secrets as what they are. */
function revealed(marked: unknown): unknown {
  const value: unknown = isRpcSecret(marked) ? unwrapRpcSecret(marked) : marked;
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revealed(each)]));
}

async function apply(inputs: KubernetesObject): Promise<State> {
  const object = revealed(inputs) as KubernetesObject;
  const parameters = new URLSearchParams({
    fieldManager: MANAGER,
    force: 'true',
    fieldValidation: 'Strict',
  });
  const kubernetes = await api();
  const path = await kubernetes.pathOf(object);
  const live = await succeed('PATCH', `${path}?${parameters}`, object);
  // As the official one does.
  await untilServed((at) => kubernetes.get(at), [object], PATIENCE);
  // The schemas of CRDs are long, and nobody asks for them.
  const { spec: _, metadata, ...rest } = live;
  const { managedFields: __, ...kept } = metadata as Metadata & { managedFields?: unknown };
  return { ...rest, metadata: kept, __inputs: inputs };
}

const idOf = ({ metadata: { namespace, name } }: KubernetesObject) =>
  [namespace, name].filter(Boolean).join('/');

/** Another object, not another version of the same. */
const IDENTITY = ['name', 'namespace'] as const;

const provider: Provider = {
  version: VERSION,

  async diff(_id, _urn, { __inputs: old }: State, news: KubernetesObject) {
    const replaces = IDENTITY.filter((field) => old.metadata[field] !== news.metadata[field]);
    return {
      changes: !isDeepStrictEqual(old, news),
      replaces: replaces.map((field) => `metadata.${field}`),
    };
  },

  async create(_urn, inputs: KubernetesObject) {
    return { id: idOf(inputs), outs: await apply(inputs) };
  },

  async read(id, _urn, state: State) {
    const path = await (await api()).pathOf(state.__inputs);
    const { status } = await (await api()).call('GET', path);
    if (status === 404) return {};
    return {
      id,
      props: { ...(await succeed('GET', path)), __inputs: state.__inputs },
      inputs: state.__inputs,
    };
  },

  async update(_id, _urn, _state, news: KubernetesObject) {
    return { outs: await apply(news) };
  },

  /** Until it is gone: what is made anew under its name must not meet it. */
  async delete(_id, _urn, { __inputs: inputs }: State) {
    const kubernetes = await api();
    if (!(await kubernetes.knows(inputs))) return;
    await kubernetes.remove(inputs);
    const path = await kubernetes.pathOf(inputs);
    await eventually(PATIENCE, async () => {
      const { status } = await kubernetes.call('GET', path);
      if (status !== 404) throw new Error(`${path} is still there`);
    });
  },

  /** The engine ends this process right after, and means harm by any that ends before. */
  async cancel() {
    (await connected)?.close();
  },
};

await main(provider, process.argv.slice(2));

/** The CustomResourceDefinitions of Gateway API, from their release or, in a network without a way out, from a copy of it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../pulumi/kubernetes-object.ts';

/** The release of Gateway API that the runtime is made for. */
export const BUNDLE_VERSION = 'v1.6.1';

const GROUP = 'gateway.networking.k8s.io';
/** Paths are read from where Pulumi.yaml is. */
const ROOT = join(import.meta.dirname, '..');

/** Milliseconds for the whole download. */
const PATIENCE = 60_000;
/** Bytes; the release has about 1.5 MB. */
const LONGEST = 32 * 1024 * 1024;

const ELSEWHERE =
  'Set gatewright:crds to the path of a copy of it (a file or a folder), or to none where the cluster has the CRDs';

/** The objects at `source`: an https URL, the path of a file or a folder of YAML, or `none`. */
export async function gatewayApi(source: string): Promise<KubernetesObject[]> {
  if (source === 'none') return [];
  const texts = /^https?:/.test(source) ? [await downloaded(source)] : read(source);
  const objects = texts.flatMap(([name, text]) => objectsOf(name, text));
  if (
    !objects.some((object) => object.kind === 'CustomResourceDefinition' && definedGroupOf(object) === GROUP)
  ) {
    throw new Error(
      `gatewright:crds: found no CustomResourceDefinition of ${GROUP} in ${source}, expected those of Gateway API ${BUNDLE_VERSION}`,
    );
  }
  return objects;
}

const definedGroupOf = ({ spec }: KubernetesObject) => (spec as { group?: unknown } | undefined)?.group;

type Text = readonly [name: string, text: string];

async function downloaded(url: string): Promise<Text> {
  if (!url.startsWith('https:')) {
    throw new Error(
      `gatewright:crds: found ${url}, expected https: what is installed decides what every tenant may write`,
    );
  }
  const failed = (why: string) =>
    new Error(`gatewright:crds: ${url} could not be read: ${why}. ${ELSEWHERE}`);
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw failed(`it answered ${answer.status}`);
    return [url, await bounded(answer, failed)];
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('gatewright:')) throw error;
    const { message, cause } = error as Error;
    throw failed(cause instanceof Error ? cause.message : message);
  }
}

async function bounded(answer: Response, failed: (why: string) => Error): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.length;
    if (length > LONGEST) throw failed(`it is longer than ${LONGEST} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function read(path: string): Text[] {
  const full = resolve(ROOT, path);
  try {
    if (!statSync(full).isDirectory()) return [[path, readFileSync(full, 'utf8')]];
    return readdirSync(full)
      .filter((file) => /\.ya?ml$/.test(file) && !file.startsWith('kustomization.'))
      .sort()
      .map((file) => [join(path, file), readFileSync(join(full, file), 'utf8')]);
  } catch (error) {
    throw new Error(`gatewright:crds: ${full} could not be read: ${(error as Error).message}`);
  }
}

function objectsOf(name: string, text: string): KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`gatewright:crds: ${name} is no YAML: ${error.message.split('\n')[0]}`);
    const object = document.toJS() as KubernetesObject | null;
    if (object === null) return [];
    if (!object.apiVersion || !object.kind || !object.metadata?.name) {
      throw new Error(
        `gatewright:crds: ${name} holds a document without apiVersion, kind and metadata.name, expected objects of Kubernetes`,
      );
    }
    return [object];
  });
}

/** What `gatewright synth` prints for the examples is accepted by the real API server, as it is. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments, stringify } from 'yaml';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { keyOf } from '../cases-runner/load.ts';
import { eventually, run } from '../cluster/command.ts';
import { installGatewayApi } from './gateway-api-crds.ts';
import { KubeApi } from './kube-api.ts';
import { installOwnCrds } from './own-crds.ts';
import { serverVerdict } from './verdict.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const apps = globSync('examples/*/app.ts', { cwd: ROOT }).sort();

/** The names in the examples may be taken in a cluster that is not ours. */
const whereNothingElseIs = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? it : it.skip;

const synth = (app: string) =>
  run(process.execPath, ['--conditions=gatewright-source', 'cli/main.ts', 'synth', app], { cwd: ROOT });

const kubectl = (args: readonly string[], input: string) => run('kubectl', args, { input });

let api: KubeApi;
let uninstall: readonly (() => Promise<void>)[] = [];

beforeAll(async () => {
  api = await KubeApi.connect();
  uninstall = [await installOwnCrds(api), await installGatewayApi(api)];
});

afterAll(async () => {
  for (const each of uninstall) await each();
  api.close();
});

describe.each(apps)('synth of %s', (app) => {
  it('is accepted, object by object', async () => {
    const objects = parseAllDocuments(await synth(app)).map((document) => document.toJS() as RawObject);
    expect(objects.length).toBeGreaterThan(0);
    const refused: string[] = [];
    for (const object of objects) {
      const { accepted, reason } = await serverVerdict(api, object, 'default');
      if (!accepted) refused.push(`${keyOf(object)}: ${reason}`);
    }
    expect(refused).toEqual([]);
  });

  whereNothingElseIs('is applied by kubectl, and applied again changes nothing', async () => {
    const text = await synth(app);
    const apply = ['apply', '--server-side', '-f', '-'];
    // The app of a team alone finds its namespace there.
    try {
      for (const each of missingNamespaces(text)) await kubectl(apply, namespaceOf(each));
      // Policies of the app before may be in force for a moment more.
      await eventually(10_000, () => kubectl(apply, text));
      const versions = ['get', '-f', '-', '-o', 'jsonpath={.items[*].metadata.generation}'];
      const before = await kubectl(versions, text);
      await kubectl(apply, text);
      expect(await kubectl(versions, text)).toBe(before);
    } finally {
      const remove = ['delete', '--ignore-not-found', '--wait=true', '-f', '-'];
      await kubectl(remove, withoutDefinitions(text));
      for (const each of missingNamespaces(text)) await kubectl(remove, namespaceOf(each));
    }
  });
});

/** What is to go with an app: definitions were there before it, are for the next one too, and are taken away behind the last. */
const withoutDefinitions = (text: string) =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as RawObject)
    .filter(({ kind }) => kind !== 'CustomResourceDefinition')
    .map((object) => JSON.stringify(object))
    .join('\n---\n');

/** The namespaces in which objects are, and which are not among them. */
function missingNamespaces(text: string): string[] {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as RawObject);
  const metadata = objects.map((object) => object.metadata as { name: string; namespace?: string });
  const made = metadata.filter((_, index) => objects[index]!.kind === 'Namespace').map(({ name }) => name);
  const used = metadata.flatMap(({ namespace }) => namespace ?? []);
  return [...new Set(used)].filter((each) => !made.includes(each));
}

const namespaceOf = (name: string) => stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

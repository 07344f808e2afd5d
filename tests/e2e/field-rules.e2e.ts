/**
 * Our field rules are those of the API: every object of every case, as it begins and after each edit, is accepted by
 * both the real API server with the official CRDs and by us, or refused by both.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { ROUTE_KINDS } from '../../gateway-runtime/api/route-kinds.ts';
import { fieldsOf } from '../cases-runner/coverage.ts';
import { keyOf, loadCases } from '../cases-runner/load.ts';
import { installGatewayApi, specSchemas } from './gateway-api-crds.ts';
import { KubeApi } from './kube-api.ts';
import { installOwnCrds } from './own-crds.ts';
import type { OpenApiSchema } from './samples.ts';
import { ourVerdict, serverVerdict } from './verdict.ts';

let api: KubeApi;
let uninstall = async () => {};
let uninstallOwn = async () => {};

beforeAll(async () => {
  api = await KubeApi.connect();
  uninstall = await installGatewayApi(api);
  uninstallOwn = await installOwnCrds(api);
});

afterAll(async () => {
  await uninstallOwn();
  await uninstall();
  api.close();
});

/** The objects of a case, each state of each once. */
function states(steps: readonly { readonly objects: readonly RawObject[] }[]): RawObject[] {
  const all = steps.flatMap(({ objects }) => objects);
  return [...new Map(all.map((object) => [JSON.stringify(object), object])).values()];
}

async function difference(object: RawObject): Promise<string | undefined> {
  const ours = ourVerdict(object);
  if (!ours) return undefined;
  const theirs = await serverVerdict(api, object, 'default');
  if (ours.accepted === theirs.accepted) return undefined;
  const who = ours.accepted ? 'only the API server refuses' : 'only we refuse';
  return `${who} ${keyOf(object)}: ${ours.reason || theirs.reason}`;
}

describe('field rules are those of the CRDs', () => {
  const cases = loadCases(process.env.CASES);
  it.each(cases.map(({ name, steps }) => [name, steps] as const))('%s', async (_, steps) => {
    const differences: string[] = [];
    for (const object of states(steps)) {
      const found = await difference(object);
      if (found) differences.push(found);
    }
    expect(differences).toEqual([]);
  });

  it('refuse as well as accept, in the cases', () => {
    const verdicts = cases
      .flatMap(({ steps }) => states(steps))
      .map((object) => ourVerdict(object)?.accepted);
    expect(verdicts).toContain(true);
    expect(verdicts).toContain(false);
  });

  it.each(ROUTE_KINDS)(
    'are there for every field of a route of kind %s, and for no other: each is served, or refused by name',
    async (route) => {
      const definitions = await specSchemas();
      const { schema } = definitions.find(({ kind }) => kind === route)!;
      expect(fieldsOf(route).sort()).toEqual(pathsOf(schema, route).sort());
    },
  );
});

/** As `fieldsOf` names them. */
function pathsOf(schema: OpenApiSchema, path: string): string[] {
  if (schema.items) return pathsOf(schema.items, path);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    `${path}.${name}`,
    ...pathsOf(field, `${path}.${name}`),
  ]);
}

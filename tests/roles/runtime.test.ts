/**
 * The catalogue with admission off: what teams apply past synth and API server changes no other tenant's traffic, and the status of what they
 * applied says why. What no control plane can know, such as who wrote an object of the platform, is declared so in the catalogue.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { TEAMS } from './fixture.ts';
import { ANSWERS, WITNESSES } from './tenant-objects.ts';
import { Tenants } from './tenants.ts';
import { VIOLATIONS } from './violations/index.ts';

let tenants: Tenants;
/** Without any violation. */
let answers: Record<string, string>;
let version: string;

beforeAll(async () => {
  tenants = await Tenants.start();
  version = tenants.snapshot.version;
  const urls = new Set([...WITNESSES, ...VIOLATIONS.map(({ threatens }) => threatens)]);
  answers = await tenants.answers([...urls]);
});
afterAll(() => tenants?.close());

/** What others than a namespace have there, as text, by key. */
function ofOthers(namespace: string): Map<string, string> {
  const resources = tenants.snapshot.resources.filter((each) => namespaceOf(each) !== namespace);
  const endpoints = [...tenants.endpoints].filter(([key]) => key.split('/')[1] !== namespace);
  return new Map([
    ...resources.map((each) => [each.key, JSON.stringify(each)] as const),
    ...endpoints.map(([key, each]) => [`endpoints of ${key}`, JSON.stringify(each)] as const),
  ]);
}

/** Of rules and listeners, that of the object they are in; of all else, where it is. */
function namespaceOf(resource: Resource): string {
  if ('source' in resource) return resource.source.namespace;
  return 'namespace' in resource ? resource.namespace : '';
}

/** The keys under which two such have not the same. */
const differences = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));

describe('past admission', () => {
  it('starts from tenants who are all served', () => {
    expect(Object.values(answers).filter((each) => each.startsWith('error'))).toEqual([]);
    expect(answers).toMatchObject({
      ...ANSWERS,
      'http://new.example.com/': expect.stringMatching(/^404 /),
    });
  });

  for (const { name, by, objects, missing, threatens, runtime } of VIOLATIONS) {
    const isSeen = !runtime || 'says' in runtime;
    it(`${isSeen ? 'stops' : 'can not see'} ${name}`, async () => {
      const { namespace } = TEAMS[by];
      const before = ofOthers(namespace);
      await tenants.apply(objects);
      try {
        const words = runtime && 'says' in runtime ? runtime.says : [missing];
        const said = objects.map((each) => tenants.saidOf(each)).join('\n');
        if (isSeen) for (const each of words) expect(said).toContain(each);
        const changed = differences(before, ofOthers(namespace));
        if (runtime && 'changes' in runtime) {
          expect(changed).not.toEqual([]);
          return;
        }
        expect(changed).toEqual([]);
        const urls = [...new Set([threatens, ...WITNESSES])];
        const now = await tenants.answers(urls);
        for (const url of urls) expect(`${url} ${now[url]}`).toBe(`${url} ${answers[url]}`);
      } finally {
        await tenants.takeBack(objects);
      }
      expect(tenants.snapshot.version).toBe(version);
    });
  }
});

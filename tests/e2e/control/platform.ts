/** A platform of an app in an API server: its objects, its rights and its admission policies, as in a whole cluster. */
import type { App } from 'cdk8s';
import { synthesize } from 'gatewright';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { OWN_DEFINITIONS } from '../../../gateway-runtime/api/own-kinds.ts';
import { eventually } from '../../cluster/command.ts';
import { untilServed } from '../definitions.ts';
import type { ApiServer } from './api-server.ts';
import { type Answer, People } from './impersonation.ts';
import { installCrds } from './objects.ts';

interface Role {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly rules: readonly object[] | null;
}

const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';

/** Installs our kinds and those of Gateway API, and gives the roles that people have the rules that a controller of a whole cluster collects. */
export async function prepare(server: ApiServer): Promise<People> {
  const people = new People(server.connection);
  await installCrds(server.client);
  await people.put(...OWN_DEFINITIONS);
  await untilServed((path) => server.client.get(path), OWN_DEFINITIONS);
  for (const name of ['view', 'edit', 'admin']) await aggregate(people, name);
  return people;
}

async function aggregate(people: People, name: string): Promise<void> {
  const { body } = await people.call(undefined, 'GET', ROLES);
  const { items } = body as { items: readonly Role[] };
  const parts = items.filter(
    ({ metadata }) => metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${name}`],
  );
  const { status, message } = await people.call(undefined, 'PATCH', `${ROLES}/${name}`, {
    body: { rules: parts.flatMap(({ rules }) => rules ?? []) },
    contentType: 'application/merge-patch+json',
  });
  if (status >= 300) throw new Error(message);
}

const rank = ({ kind }: RawObject) => (kind === 'Namespace' ? 0 : 1);

/**
 * Applies the objects of an app, or of some, and waits until the policies of each gateway refuse what they must, to those who hold a Grant of
 * it and to those who don't: the API server begins to go by one of them a second before another. What is to be taken is taken then, and what
 * is to be refused refused.
 */
export async function install(
  people: People,
  app: App,
  { refused, taken }: { refused: RawObject; taken: RawObject },
): Promise<RawObject[]> {
  const objects = synthesize(app).objects.map(({ object }) => object);
  await people.put(...objects.toSorted((a, b) => rank(a) - rank(b)));
  for (const probe of strays(objects)) await settled(people, { ...probe, taken });
  await settled(people, { refused, taken });
  return objects;
}

interface Granting {
  readonly metadata: { readonly namespace: string };
  readonly spec: { readonly gatewayName: string; readonly namespace: string };
}

/** A route at a listener that no gateway has, for each gateway and namespace, and what the policy says that it is for. */
export function strays(objects: readonly RawObject[]): { refused: RawObject; saying: string }[] {
  const grants = objects.filter(({ kind }) => kind === 'Grant') as unknown as Granting[];
  const holders = new Map<string, Set<string>>();
  for (const { metadata, spec } of grants) {
    const gateway = `${metadata.namespace}/${spec.gatewayName}`;
    holders.set(gateway, (holders.get(gateway) ?? new Set()).add(spec.namespace));
  }
  const namespaces = new Set(['default', ...grants.map(({ spec }) => spec.namespace)]);
  return [...holders].flatMap(([gateway, holding]) => {
    const [namespace, name] = gateway.split('/');
    const parentRefs = [{ namespace, name, sectionName: 'of-nobody' }];
    return [...namespaces].map((each) => ({
      refused: {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'stray', namespace: each },
        spec: { parentRefs },
      },
      saying: holding.has(each) ? ' is not opened to team ' : ` holds no grant of gateway ${gateway}. `,
    }));
  });
}

/** Policies, and the Grants that they read, are told to the part of the API server that goes by them, within a second or two. */
export async function settled(
  people: People,
  { refused, taken, saying = '' }: { refused: RawObject; taken: RawObject; saying?: string },
): Promise<void> {
  await eventually(30_000, async () => {
    expectStatus(await people.apply(undefined, taken, { dryRun: true }), true);
    const refusal = await people.apply(undefined, refused, { dryRun: true });
    expectStatus(refusal, false);
    if (!refusal.message.includes(saying)) throw new Error(`not "${saying}": ${refusal.message}`);
  });
}

function expectStatus({ status, message }: Answer, isTaken: boolean): void {
  if (status < 300 !== isTaken) throw new Error(`${status} ${message}`);
}

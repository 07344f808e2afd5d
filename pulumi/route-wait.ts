/**
 * Waits until the routes of an app are live.
 *
 * Why not the annotation `pulumi.com/waitFor` of the Kubernetes provider: it is experimental; it waits only for objects that
 * this very update has changed; its error ends at "timed out waiting for the condition", without the reason; waiting
 * routes hold the engine's places while what they wait for stands in line; and it would make other objects of the
 * app than `gatewright synth` does.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { log, type Resource, runtime } from '@pulumi/pulumi';
import { parse } from '../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { refKey } from '../gateway-runtime/api/object.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import { translate } from '../gateway-runtime/translate/translate.ts';
import type { AppResources } from './app-resources.ts';
import { Kubectl, KubectlMissing } from './kubectl.ts';
import { groupOf, type KubernetesObject, nameOf } from './kubernetes-object.ts';
import { isByDefault, lack, type Route } from './live-routes.ts';

/** Milliseconds between two looks at the cluster. */
const PAUSE = 1_000;

/**
 * In `up` only, and once every resource is there. Throws where a route is not live in time, and shows at each such route what
 * it lacks.
 */
export async function waitForRoutes(component: AppResources, seconds: number): Promise<void> {
  const routes = routesOf(component.objects);
  if (seconds === 0 || routes.length === 0 || runtime.isDryRun()) return;
  await Promise.all([...component.resources.values()].map(made));
  await log.info(`waiting up to ${seconds} s for ${routes.length} routes to be live`, component);
  const lacks = await wait(routes, seconds, component);
  for (const [name, why] of lacks) {
    const message = `${name.replace('/', ' ')} is not live after ${seconds} s: ${why}`;
    await log.error(message, component.resources.get(name));
  }
  if (lacks.size === 0) return;
  throw new Error(
    `${lacks.size} of ${routes.length} routes are not live after ${seconds} s. What has been made is kept, and another pulumi up waits again`,
  );
}

/** Resolves when the resource has been created or updated. */
const made = (resource: Resource): Promise<void> =>
  new Promise((resolve) => resource.urn.apply(() => resolve()));

/**
 * The routes to wait for: of the kinds that the runtime serves, and not of those that it will refuse, of which synth has
 * warned already.
 */
export function routesOf(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const { statuses } = translate(objects, { regex: re2, classes: 'any' });
  return objects.filter((object) => {
    if (groupOf(object) !== GATEWAY_GROUP || !object.kind.endsWith('Route')) return false;
    const parsed = parse(object);
    if (parsed.outcome !== 'known') return false;
    const status = statuses.get(refKey(parsed.ref));
    const parents = status && 'parents' in status ? status.parents : [];
    const refusing = parents.filter(({ conditions }) =>
      conditions.some(({ type, status }) => type === 'Accepted' && status === 'False'),
    );
    if (refusing.length === 0) return true;
    // Of default Gateways one that takes it is enough.
    return (
      refusing.length < parents.length &&
      refusing.every(({ parentRef }) => isByDefault(parentRef, object as Route))
    );
  });
}

/** What the routes lack that are not live in time, by their names. */
async function wait(
  routes: readonly KubernetesObject[],
  seconds: number,
  component: AppResources,
): Promise<ReadonlyMap<string, string>> {
  const end = performance.now() + seconds * 1000;
  const kubectl = await Kubectl.connect();
  let pending = new Map(routes.map((route) => [nameOf(route), route]));
  for (;;) {
    const lacks = await lacksOf([...pending.values()], kubectl);
    if (lacks.size === 0 || performance.now() >= end) return lacks;
    pending = new Map([...pending].filter(([name]) => lacks.has(name)));
    const [first] = lacks;
    await log.info(
      `${lacks.size} of ${routes.length} routes are not live yet; ${first!.join(': ')}`,
      component,
      undefined,
      true,
    );
    await pause(PAUSE);
  }
}

async function lacksOf(routes: readonly KubernetesObject[], kubectl: Kubectl): Promise<Map<string, string>> {
  const lacks = new Map<string, string>();
  const lists = Map.groupBy(routes, ({ kind, metadata }) => `${kind} ${metadata.namespace ?? 'default'}`);
  for (const [key, wanted] of lists) {
    const [kind, namespace] = key.split(' ') as [string, string];
    const live = await listed(kind, namespace, kubectl);
    for (const route of wanted) {
      const found = typeof live === 'string' ? live : lackOf(live.get(route.metadata.name));
      if (found) lacks.set(nameOf(route), found);
    }
  }
  return lacks;
}

const lackOf = (route: Route | undefined) => (route ? lack(route) : 'the cluster does not have it');

/** By name; or why they could not be read, which may be different at the next look. */
async function listed(
  kind: string,
  namespace: string,
  kubectl: Kubectl,
): Promise<ReadonlyMap<string, Route> | string> {
  try {
    const routes = await kubectl.list<Route>(`${kind}.${GATEWAY_GROUP}`, namespace);
    return new Map(routes.map((route) => [route.metadata.name, route]));
  } catch (error) {
    if (error instanceof KubectlMissing) {
      throw new Error(
        `${error.message}, which the wait for routes needs: install it, or wait 0 seconds (gatewright:wait)`,
      );
    }
    return `it could not be read: ${(error as Error).message}`;
  }
}

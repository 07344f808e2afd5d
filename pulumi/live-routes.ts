/**
 * When a route is live: every parent that it names and that this runtime answers for carries `gatewright.dev/Programmed`, True, for the
 * generation that the route has; where it names none, one of the default Gateways does. The control plane sets it once all data planes of that
 * Gateway serve the route.
 */
import { CONTROLLER_NAME, OWN_GROUP } from '../gateway-runtime/api/names.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

const PROGRAMMED = `${OWN_GROUP}/Programmed`;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

interface Parent {
  readonly controllerName: string;
  readonly parentRef: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name: string;
    readonly sectionName?: string;
    readonly port?: number;
  };
  readonly conditions?: readonly Condition[];
}

/** As the API server gives it. */
export interface Route extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly generation?: number };
  readonly spec?: {
    readonly parentRefs?: readonly Parent['parentRef'][];
    readonly useDefaultGateways?: string;
  };
  readonly status?: { readonly parents?: readonly Parent[] };
}

/** What a route lacks until it is live, as a sentence without an end; undefined where it is live. */
export function lack(route: Route): string | undefined {
  const parents = (route.status?.parents ?? []).filter((parent) => parent.controllerName === CONTROLLER_NAME);
  if (parents.length === 0) {
    return `found no status of ${CONTROLLER_NAME}, expected ${PROGRAMMED} True: is the control plane running, and does it have the class of the Gateway`;
  }
  const named = parents.filter(({ parentRef }) => !isByDefault(parentRef, route));
  // Which default Gateways there are is not the route's to say: it need not be taken by each of them, nor need each be served.
  if (named.length === 0 && parents.some((parent) => !lackOf(parent, route.metadata))) return undefined;
  const taken = parents.filter((parent) => !isRefused(parent, route.metadata));
  for (const parent of named.length > 0 ? named : taken.length > 0 ? taken : parents) {
    const found = lackOf(parent, route.metadata);
    if (found) return found;
  }
  return undefined;
}

/** Whether the route does not name this parent, and attaches to it as to a default Gateway (GEP-3793). */
export function isByDefault(
  parentRef: Parent['parentRef'],
  { spec, metadata }: Pick<Route, 'spec' | 'metadata'>,
): boolean {
  if (spec?.useDefaultGateways !== 'All') return false;
  const home = ({ namespace = metadata.namespace }: Parent['parentRef']) => namespace;
  return !(spec.parentRefs ?? []).some(
    (each) =>
      (each.kind ?? 'Gateway') === (parentRef.kind ?? 'Gateway') &&
      each.name === parentRef.name &&
      home(each) === home(parentRef) &&
      each.sectionName === parentRef.sectionName &&
      each.port === parentRef.port,
  );
}

const isRefused = (parent: Parent, metadata: Route['metadata']): boolean =>
  current(parent, 'Accepted', metadata)?.status === 'False';

/** What a parent says of the route as it is now. */
const current = ({ conditions }: Parent, type: string, { generation = 0 }: Route['metadata']) =>
  conditions?.find((each) => each.type === type && each.observedGeneration === generation);

function lackOf(parent: Parent, metadata: Route['metadata']): string | undefined {
  const { generation = 0, namespace } = metadata;
  const { kind = 'Gateway', name, sectionName } = parent.parentRef;
  const section = sectionName === undefined ? '' : ` section ${sectionName}`;
  const at = `on ${kind} ${parent.parentRef.namespace ?? namespace}/${name}${section}`;
  const programmed = current(parent, PROGRAMMED, metadata);
  if (programmed?.status === 'True') return undefined;
  // A route that is refused is programmed nowhere, and says why in Accepted.
  const accepted = current(parent, 'Accepted', metadata);
  const told = accepted?.status === 'False' ? accepted : programmed;
  if (!told) return `found no ${PROGRAMMED} for generation ${generation} ${at}, expected True`;
  return `found ${told.type} ${told.status} ${at}, expected True: ${told.reason}, ${told.message}`;
}

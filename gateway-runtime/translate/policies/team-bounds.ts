/**
 * The bounds of a team's namespace: of each thing that a RoutePolicy says the loosest, of all places where its routes may be. Those are the listeners that
 * its Grants name, at whatever Gateway, those that it may bring itself, and those that ask for no Grant. Where too many count, a bound is looser
 * than it could be, and never tighter.
 */
import type { Bounds } from '../../api/bounds.ts';
import { NAMESPACE_NAME_LABEL } from '../../api/names.ts';
import { loosest, type Place } from '../../grants/bounds.ts';
import type { GatewayId } from '../../snapshot/snapshot.ts';
import { type Parent, takes } from '../attachment.ts';
import type { GatewayView, ServedListener } from '../gateways.ts';
import type { Derived, Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';
import { boundsOf } from './bounds.ts';
import type { GatewayPolicies } from './gateway-policies.ts';

type Listener = Pick<ServedListener, 'home' | 'name' | 'protocol' | 'namespaces' | 'supportedKinds'>;

/** A listener that takes routes of a namespace without a Grant. */
interface Open {
  readonly gateway: GatewayId;
  readonly listener: Listener;
}

/** In the place of a namespace: of any. */
const ANY = '';

/** By namespace. */
export function teamBounds(
  memo: Memo,
  objects: Objects,
  gateways: Derived<GatewayView | undefined>,
  parents: Derived<Parent | undefined>,
  policies: GatewayPolicies,
): Derived<Bounds> {
  /** By the policies over a place, from above. */
  const boundsUnder = memo.derive((...keys) => boundsOf(keys.map((key) => policies.level(nameOf(key)))));
  const openAt = memo.derive((namespace, name) => {
    const view = gateways.get(namespace!, name!);
    return view ? openOf(view) : [];
  });
  const open = memo.derive(() => {
    const byNamespace = new Map<string, Open[]>();
    for (const { namespace, name } of objects.gateways()) {
      for (const [of, each] of openAt.get(namespace, name)) {
        // Nobody asks for the bounds of those who have no Grant.
        if (of !== ANY && objects.grantsToTeamOf(of).length === 0) continue;
        const known = byNamespace.get(of);
        if (known) known.push(each);
        else byNamespace.set(of, [each]);
      }
    }
    return byNamespace;
  });
  /** So that one more listener is looked at for those alone for whom it is open. */
  const openTo = memo.derive((namespace) => open.get().get(namespace!) ?? []);
  return memo.derive((namespace) => {
    const places = new Map<string, Place>();
    const add = (gateway: GatewayId, home: Listener['home'], section: string, protocol: string) => {
      const { list } = policies.over(gateway, home, section);
      const keys = list.map(({ policy }) => `${policy.namespace}/${policy.name}`);
      places.set(`${protocol} ${keys}`, { protocol, bounds: boundsUnder.get(...keys) });
    };
    const route = { kind: 'HTTPRoute', namespace: namespace! };
    for (const { gateway, listener } of [...openTo.get(namespace!), ...openTo.get(ANY)]) {
      const { home, name, protocol } = listener;
      if (takes(listener, route, objects)) add(gateway, home, name, protocol);
    }
    for (const { namespace: home, name } of objects.grantsToTeamOf(namespace!)) {
      const { gatewayName, grants } = objects.get('Grant', home, name)!.spec;
      const gateway = { namespace: home, name: gatewayName };
      for (const { kinds, listeners, ownListeners = [] } of grants) {
        if (!kinds.includes('HTTPRoute')) continue;
        for (const { kind, name: of, sectionNames } of listeners) {
          const parent = parents.get(kind, home, of);
          for (const each of parent?.listeners ?? []) {
            if (!sectionNames.includes(each.name) || !takes(each, route, objects)) continue;
            add(parent!.gateway, each.home, each.name, each.protocol);
          }
        }
        // Whatever is said of the ListenerSet that it may be in makes it no looser than the Gateway.
        for (const { protocol } of ownListeners) {
          if (protocol !== 'HTTP' && protocol !== 'HTTPS') continue;
          add(gateway, { kind: 'Gateway', ...gateway }, '', protocol);
        }
      }
    }
    return loosest([...places.values()]);
  });
}

const nameOf = (key: string): Name => {
  const [namespace, name] = key.split('/') as [string, string];
  return { namespace, name };
};

/** With the namespace for which it is open. */
function openOf({ id, listeners, listenerSets }: GatewayView): [string, Open][] {
  const all = [...listeners, ...[...listenerSets.values()].flatMap((each) => each.listeners)];
  return all.flatMap(({ asks, home, name, protocol, namespaces, supportedKinds, notTaken }) => {
    if (notTaken || !supportedKinds.some(({ kind }) => kind === 'HTTPRoute')) return [];
    const listener = { home, name, protocol, namespaces, supportedKinds };
    const open: Open = { gateway: id, listener };
    const namespace = onlyOf(asks, home.namespace, namespaces);
    // A team with a Grant of its own may be at a listener that another one brought, as if it asked for none.
    return asks === 'any' && namespace === home.namespace ? [] : [[namespace, open]];
  });
}

/** The one namespace whose routes a listener may take without a Grant, where it is one. */
function onlyOf(
  asks: ServedListener['asks'],
  home: string,
  { from, selector }: ServedListener['namespaces'],
): string {
  if (asks === 'named' || from === 'Same') return home;
  return (from === 'Selector' && selector?.matchLabels?.[NAMESPACE_NAME_LABEL]) || ANY;
}

/** Every listener of some Gateways as it is written, served or not, with the namespaces that it admits. */
import { type KindObject, parse } from '../../gateway-runtime/api/kinds.ts';
import type { Listener } from '../../gateway-runtime/api/listener.ts';
import { GATEWAY_GROUP, GRANTED_LISTENERS, NAMESPACE_NAME_LABEL } from '../../gateway-runtime/api/names.ts';
import type { ObjectRef } from '../../gateway-runtime/api/object.ts';
import { ANY_HOST } from '../../gateway-runtime/match/hostname.ts';
import { type GatewayId, gatewayKey, type ListenerKey } from '../../gateway-runtime/snapshot/snapshot.ts';
import { type AllowedNamespaces, admittedInWords } from '../../gateway-runtime/translate/selector.ts';
import type { ReadOnce } from '../read-once.ts';

/** One listener, where it is written. */
export interface Place {
  /** As in the snapshot. */
  readonly key: ListenerKey;
  /** `namespace/name` */
  readonly gateway: string;
  /** The Gateway or ListenerSet that has it. */
  readonly object: ObjectRef;
  readonly listener: string;
  /** Lower case; `*` is any. */
  readonly hostname: string;
  readonly port: number;
  readonly protocol: string;
  /** The namespaces whose routes it admits, where they are known by name; else in words. */
  readonly admits: readonly string[] | string;
  /** Routes of other namespaces attach only as far as a Grant says. */
  readonly asksForGrant: boolean;
  /** Kinds of routes that it says it admits; undefined where it leaves that to its protocol. */
  readonly kinds?: readonly string[];
  /** Whether the Gateway serves it: one in conflict with another is not. */
  readonly isServed: boolean;
}

/** Whether it is of no host: whatever comes to its port is one team's. */
export const isPort = ({ protocol }: Place): boolean => protocol === 'TCP' || protocol === 'UDP';

export function placesOf({ objects, gateways, translation }: ReadOnce): Place[] {
  const known = new Map(gateways.map((each) => [gatewayKey(each), each]));
  return objects.flatMap(({ ref, raw }) => {
    if (ref.group !== GATEWAY_GROUP || (ref.kind !== 'Gateway' && ref.kind !== 'ListenerSet')) return [];
    const parsed = parse(raw);
    if (parsed.outcome !== 'known') return [];
    const object = parsed.object as KindObject<'Gateway'> | KindObject<'ListenerSet'>;
    const gateway = known.get(gatewayOf(ref, object));
    if (!gateway) return [];
    const served = servedBy(translation, gateway);
    const granted = grantedListeners(object.metadata.annotations);
    return object.spec.listeners.map((each) => place(each, { ref, gateway, served, granted }));
  });
}

function gatewayOf(ref: ObjectRef, object: KindObject<'Gateway'> | KindObject<'ListenerSet'>): string {
  if (!('parentRef' in object.spec)) return gatewayKey(ref);
  const { group, kind, name, namespace = ref.namespace } = object.spec.parentRef;
  return group === GATEWAY_GROUP && kind === 'Gateway' ? gatewayKey({ namespace, name }) : '';
}

const servedBy = ({ snapshots }: ReadOnce['translation'], gateway: GatewayId): ReadonlySet<string> =>
  new Set(
    snapshots
      .get(gatewayKey(gateway))!
      .resources.flatMap((each) => (each.type === 'listener' ? [each.key] : [])),
  );

/** Whether a listener of this name is one that asks for a Grant. */
function grantedListeners(annotations: Readonly<Record<string, string>> = {}): (name: string) => boolean {
  const said = Object.hasOwn(annotations, GRANTED_LISTENERS) ? annotations[GRANTED_LISTENERS]! : '';
  const names = new Set(said.split(',').map((each) => each.trim()));
  return (name) => names.has('*') || names.has(name);
}

interface Around {
  readonly ref: ObjectRef;
  readonly gateway: GatewayId;
  readonly served: ReadonlySet<string>;
  readonly granted: (name: string) => boolean;
}

function place(entry: Listener, { ref, gateway, served, granted }: Around): Place {
  const { name, hostname, port, protocol, allowedRoutes } = entry;
  const key = `listener/${ref.kind}/${ref.namespace}/${ref.name}/${name}`;
  return {
    key,
    gateway: gatewayKey(gateway),
    object: ref,
    listener: name,
    hostname: hostname?.toLowerCase() ?? ANY_HOST,
    port,
    protocol,
    admits: admitted(allowedRoutes.namespaces, ref.namespace),
    asksForGrant: granted(name),
    ...(allowedRoutes.kinds ? { kinds: allowedRoutes.kinds.map(({ kind }) => kind) } : {}),
    isServed: served.has(key),
  };
}

/** A selector that asks for nothing but the name that the API server gives a namespace is a list of names. */
function admitted(allowed: AllowedNamespaces, home: string): readonly string[] | string {
  if (allowed.from === 'All') return 'any namespace';
  if (allowed.from === 'Same') return [home];
  const labels = Object.entries(allowed.selector?.matchLabels ?? {});
  const expressions = allowed.selector?.matchExpressions ?? [];
  if (labels.length + expressions.length === 1) {
    const [label] = labels;
    const [expression] = expressions;
    if (label?.[0] === NAMESPACE_NAME_LABEL) return [label[1]];
    if (expression?.key === NAMESPACE_NAME_LABEL && expression.operator === 'In')
      return expression.values ?? [];
  }
  return admittedInWords(allowed, home);
}

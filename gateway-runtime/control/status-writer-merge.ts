/**
 * From the status that an object has to the one that it should have, as edits of those entries alone that are ours. What is
 * not named in an edit is never sent, so that the entries of others stay as they are to the byte.
 *
 * "Implementations MUST NOT remove or reorder Conditions that they are not directly responsible for."
 */
import { CONTROLLER_NAME, GATEWAY_GROUP, OWN_GROUP } from '../api/names.ts';
import type { ObjectRef } from '../api/object.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import { MOST_PARENTS } from '../translate/default-gateways.ts';
import { MOST_ANCESTORS } from '../translate/policies/left-out.ts';
import type {
  Condition,
  ListenerStatus,
  ObjectStatus,
  ParentRefStatus,
  PolicyAncestorStatus,
  RouteParentStatus,
} from '../translate/translation.ts';

/** What translate says, with what only the control plane knows. */
export type WantedStatus =
  | Exclude<ObjectStatus, { kind: 'Gateway' }>
  | (Extract<ObjectStatus, { kind: 'Gateway' }> & {
      /** GatewayStatus.addresses; those that are there stay where it is absent. */
      readonly addresses?: readonly { readonly type: string; readonly value: string }[];
    });

/** A status as the API server has it: nothing is sure, for anybody may have written it. */
export type FoundStatus = Readonly<Record<string, unknown>>;

interface FoundCondition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

/** Of one field of a status. */
export type Edit =
  /** The whole field, which nobody else writes, or which is not there yet. */
  | { readonly field: string; readonly value: unknown; readonly before: unknown }
  /** Single entries of a list. */
  | {
      readonly field: string;
      readonly replace: readonly {
        readonly index: number;
        readonly before: unknown;
        readonly value: unknown;
      }[];
      readonly remove: readonly { readonly index: number; readonly before: unknown }[];
      readonly append: readonly unknown[];
    };

/** Condition types of the API that are ours to set, and to take back, on objects that are ours. */
const OWN_CONDITIONS = new Set([
  'Accepted',
  'Programmed',
  'ResolvedRefs',
  'Conflicted',
  'OverlappingTLSConfig',
  'SupportedVersion',
  'AttachedListenerSets',
  'InsecureFrontendValidationMode',
  'DefaultGateway',
]);
const isOwn = (type: string | undefined) =>
  type !== undefined && (OWN_CONDITIONS.has(type) || type.startsWith(`${OWN_GROUP}/`));

/** The latest generation of which a status says something; 0: of none. */
export function latestGeneration(wanted: WantedStatus): number {
  let latest = 0;
  for (const { conditions } of partsOf(wanted)) {
    for (const { observedGeneration } of conditions) latest = Math.max(latest, observedGeneration);
  }
  return latest;
}

function partsOf(wanted: WantedStatus): readonly { readonly conditions: readonly Condition[] }[] {
  if ('parents' in wanted) return wanted.parents;
  return 'ancestors' in wanted ? wanted.ancestors : [wanted];
}

/**
 * The edits that lead to what is wanted; none where all of it is there. `wanted` is absent where we have nothing to say of
 * an object: then our entries are taken out of a route or policy, while anything else may belong to another controller by now.
 *
 * @param now for conditions that change, as RFC 3339 with seconds
 */
export function statusEdits(
  ref: ObjectRef,
  found: FoundStatus | undefined,
  wanted: WantedStatus | undefined,
  now: string,
): Edit[] {
  if (!wanted) {
    if ('parents' in (found ?? {})) return parentEdits(ref, found, [], now);
    return 'ancestors' in (found ?? {}) ? ancestorEdits(ref, found, [], now) : [];
  }
  switch (wanted.kind) {
    case 'HTTPRoute':
    case 'TLSRoute':
      return parentEdits(ref, found, wanted.parents, now);
    case 'BackendTLSPolicy':
    case 'GatewayPolicy':
    case 'RoutePolicy':
      return ancestorEdits(ref, found, wanted.ancestors, now);
    case 'Grant':
      return [
        ...conditionEdits(found, wanted.conditions, now),
        ...wholeEdit(found, 'references', wanted.references),
        ...wholeEdit(found, 'bounds', wanted.bounds),
      ];
    case 'GatewayClass':
      return [
        ...conditionEdits(found, wanted.conditions, now),
        ...wholeEdit(found, 'supportedFeatures', wanted.supportedFeatures),
      ];
    case 'Gateway':
      return [
        ...(wanted.addresses ? wholeEdit(found, 'addresses', wanted.addresses) : []),
        ...conditionEdits(found, wanted.conditions, now),
        ...listenerEdits(found, wanted.listeners, now),
        ...wholeEdit(found, 'attachedListenerSets', wanted.attachedListenerSets),
      ];
    case 'ListenerSet':
      return [
        ...conditionEdits(found, wanted.conditions, now),
        ...listenerEdits(found, wanted.listeners, now),
      ];
  }
}

const listOf = (found: FoundStatus | undefined, field: string): readonly unknown[] | undefined => {
  const list = found?.[field];
  return Array.isArray(list) ? list : undefined;
};

function wholeEdit(found: FoundStatus | undefined, field: string, value: unknown): Edit[] {
  const before = found?.[field];
  return canonicalJson(before) === canonicalJson(value) ? [] : [{ field, value, before }];
}

/** Pairs entries that are there with those that are wanted, and says what has to be done to get there. */
function listEdits<Found, Wanted>(
  status: FoundStatus | undefined,
  field: string,
  wanted: readonly Wanted[],
  entries: {
    /** Whether it is ours to change or take out. */
    readonly isOurs: (found: Found) => boolean;
    readonly isSame: (found: Found, wanted: Wanted) => boolean;
    /** What is to stand there; the found entry itself where nothing changed. */
    readonly merged: (found: Found | undefined, wanted: Wanted) => unknown;
  },
): Edit[] {
  const list = listOf(status, field) as readonly Found[] | undefined;
  if (!list) {
    const value = wanted.map((each) => entries.merged(undefined, each));
    return value.length > 0 ? [{ field, value, before: status?.[field] }] : [];
  }
  const left = [...wanted];
  const replace: { index: number; before: unknown; value: unknown }[] = [];
  const remove: { index: number; before: unknown }[] = [];
  for (const [index, before] of list.entries()) {
    if (!entries.isOurs(before)) continue;
    const at = left.findIndex((each) => entries.isSame(before, each));
    if (at < 0) {
      remove.push({ index, before });
      continue;
    }
    const [match] = left.splice(at, 1);
    const value = entries.merged(before, match!);
    if (value !== before) replace.push({ index, before, value });
  }
  const append = left.map((each) => entries.merged(undefined, each));
  return replace.length + remove.length + append.length > 0 ? [{ field, replace, remove, append }] : [];
}

const isAccepted = ({ conditions }: RouteParentStatus): boolean =>
  conditions.some(({ type, status }) => type === 'Accepted' && status === 'True');

function parentEdits(
  ref: ObjectRef,
  found: FoundStatus | undefined,
  wanted: readonly RouteParentStatus[],
  now: string,
): Edit[] {
  const isOurs = (entry: Partial<RouteParentStatus> | null) => entry?.controllerName === CONTROLLER_NAME;
  // Default Gateways of others have their places; ours come last, those that take the route before those that refuse it.
  const there = (listOf(found, 'parents') ?? []) as readonly (Partial<RouteParentStatus> | null)[];
  const room = Math.max(0, MOST_PARENTS - there.filter((entry) => !isOurs(entry)).length);
  const kept =
    wanted.length <= room
      ? wanted
      : [...wanted.filter(isAccepted), ...wanted.filter((each) => !isAccepted(each))].slice(0, room);
  return listEdits<Partial<RouteParentStatus> | null, RouteParentStatus>(found, 'parents', kept, {
    isOurs,
    isSame: (entry, { parentRef }) =>
      parentKey(entry?.parentRef, ref.namespace) === parentKey(parentRef, ref.namespace),
    merged: (entry, { parentRef, controllerName, conditions }) => {
      const before = entry?.conditions;
      const after = mergedConditions(before, conditions, () => true, now);
      if (after === before && canonicalJson(entry?.parentRef) === canonicalJson(parentRef)) return entry;
      return { parentRef, controllerName, conditions: after };
    },
  });
}

function ancestorEdits(
  ref: ObjectRef,
  found: FoundStatus | undefined,
  wanted: readonly PolicyAncestorStatus[],
  now: string,
): Edit[] {
  // Those of others have their places.
  const isOurs = (entry: Partial<PolicyAncestorStatus> | null) => entry?.controllerName === CONTROLLER_NAME;
  const there = (listOf(found, 'ancestors') ?? []) as readonly (Partial<PolicyAncestorStatus> | null)[];
  const room = Math.max(0, MOST_ANCESTORS - there.filter((entry) => !isOurs(entry)).length);
  return listEdits<Partial<PolicyAncestorStatus> | null, PolicyAncestorStatus>(
    found,
    'ancestors',
    wanted.slice(0, room),
    {
      isOurs,
      isSame: (entry, { ancestorRef }) =>
        parentKey(entry?.ancestorRef, ref.namespace) === parentKey(ancestorRef, ref.namespace),
      merged: (entry, { ancestorRef, controllerName, conditions }) => {
        const before = entry?.conditions;
        const after = mergedConditions(before, conditions, () => true, now);
        if (after === before && canonicalJson(entry?.ancestorRef) === canonicalJson(ancestorRef))
          return entry;
        return { ancestorRef, controllerName, conditions: after };
      },
    },
  );
}

/** With the defaults that the API server fills in or that hold where a field is absent. */
function parentKey(ref: Partial<ParentRefStatus> | undefined, namespace: string): string {
  return JSON.stringify([
    ref?.group ?? GATEWAY_GROUP,
    ref?.kind ?? 'Gateway',
    ref?.namespace ?? namespace,
    ref?.name,
    ref?.sectionName ?? null,
    ref?.port ?? null,
  ]);
}

function listenerEdits(
  found: FoundStatus | undefined,
  wanted: readonly ListenerStatus[],
  now: string,
): Edit[] {
  return listEdits<Partial<ListenerStatus> | null, ListenerStatus>(found, 'listeners', wanted, {
    isOurs: () => true,
    isSame: (entry, { name }) => entry?.name === name,
    merged: (entry, { name, supportedKinds, attachedRoutes, conditions }) => {
      const after = {
        name,
        supportedKinds,
        attachedRoutes,
        conditions: mergedConditions(entry?.conditions, conditions, isOwn, now),
      };
      return entry && canonicalJson({ ...entry, ...after }) === canonicalJson(entry) ? entry : after;
    },
  });
}

function conditionEdits(found: FoundStatus | undefined, wanted: readonly Condition[], now: string): Edit[] {
  if (isAhead(listOf(found, 'conditions') as readonly (FoundCondition | null)[] | undefined, wanted))
    return [];
  return listEdits<FoundCondition | null, Condition>(found, 'conditions', wanted, {
    isOurs: (entry) => isOwn(entry?.type),
    isSame: (entry, { type }) => entry?.type === type,
    merged: (entry, condition) => mergedCondition(entry ?? undefined, condition, now),
  });
}

/** The list itself where nothing changes. */
function mergedConditions(
  found: readonly (FoundCondition | null)[] | undefined,
  wanted: readonly Condition[],
  own: (type: string | undefined) => boolean,
  now: string,
): readonly (FoundCondition | null)[] {
  if (!Array.isArray(found)) return wanted.map((each) => mergedCondition(undefined, each, now));
  if (isAhead(found, wanted)) return found;
  const left = new Map(wanted.map((each) => [each.type, each]));
  const merged: (FoundCondition | null)[] = [];
  for (const condition of found) {
    const match = left.get(condition?.type ?? '');
    if (match) {
      left.delete(match.type);
      merged.push(mergedCondition(condition ?? undefined, match, now));
    } else if (!own(condition?.type)) merged.push(condition);
  }
  for (const each of left.values()) merged.push(mergedCondition(undefined, each, now));
  const unchanged = merged.length === found.length && merged.every((each, index) => each === found[index]);
  return unchanged ? found : merged;
}

/** "lastTransitionTime is the last time the condition transitioned from one status to another." */
function mergedCondition(found: FoundCondition | undefined, wanted: Condition, now: string): FoundCondition {
  const { type, status, reason, message, observedGeneration } = wanted;
  const kept = found?.status === status ? found.lastTransitionTime : undefined;
  if (
    found &&
    kept &&
    found.reason === reason &&
    found.message === message &&
    found.observedGeneration === observedGeneration
  ) {
    return found;
  }
  return { type, status, reason, message, observedGeneration, lastTransitionTime: kept ?? now };
}

/** Whether we, or a leader before us, said something already about a generation that we have not seen yet. */
function isAhead(
  found: readonly (FoundCondition | null)[] | undefined,
  wanted: readonly Condition[],
): boolean {
  const generation = wanted[0]?.observedGeneration;
  if (generation === undefined || !Array.isArray(found)) return false;
  const types = new Set(wanted.map(({ type }) => type));
  return found.some((each) => types.has(each?.type ?? '') && (each?.observedGeneration ?? 0) > generation);
}

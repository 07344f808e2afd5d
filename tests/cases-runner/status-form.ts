/** How a case writes the statuses that it expects. */
import { type FieldProblem, type Schema, shown } from '../../gateway-runtime/api/schema.ts';

/** `True`, `False Reason` or `False Reason: part of the message`; `absent` where the condition must not be there. */
export interface ConditionExpectation {
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ConditionsExpectation {
  readonly conditions: ReadonlyMap<string, ConditionExpectation>;
  readonly observedGeneration?: number;
}

export interface ListenerExpectation extends ConditionsExpectation {
  readonly attachedRoutes?: number;
  /** Kinds of the Gateway API group, in order. */
  readonly supportedKinds?: readonly string[];
}

export interface StatusExpectation extends ConditionsExpectation {
  /** The object has no status of ours. */
  readonly absent?: boolean;
  /** By name. */
  readonly listeners?: ReadonlyMap<string, ListenerExpectation>;
  readonly attachedListenerSets?: number;
  /** Of a Grant, by what is referred to. */
  readonly references?: ReadonlyMap<string, string>;
  /** By `[Kind ]namespace/name[#section][:port]`; empty for no parents of ours. */
  readonly parents?: ReadonlyMap<string, ConditionsExpectation>;
  /** The same of a policy. */
  readonly ancestors?: ReadonlyMap<string, ConditionsExpectation>;
}

type Given = Record<string, unknown>;

function isMap(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function condition(value: unknown, field: string, problems: FieldProblem[]): ConditionExpectation {
  if (value === 'absent') return { status: 'absent' };
  if (typeof value === 'boolean') return { status: value ? 'True' : 'False' };
  const [, status, reason, message] =
    typeof value === 'string'
      ? (/^(True|False|Unknown)(?: ([A-Za-z]+))?(?:: (.+))?$/s.exec(value) ?? [])
      : [];
  if (!status) {
    problems.push({
      field,
      found: shown(value),
      expected: 'True, "False Reason" or "False Reason: message"',
    });
    return { status: 'Unknown' };
  }
  return { status, ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}

function wholeNumber(value: unknown, field: string, problems: FieldProblem[]): number {
  if (Number.isInteger(value)) return value as number;
  problems.push({ field, found: shown(value), expected: 'a whole number' });
  return 0;
}

/** The keys that begin with a capital are conditions; the others must be known. */
function split(
  value: Given,
  known: readonly string[],
  field: string,
  problems: FieldProblem[],
): ConditionsExpectation {
  const conditions = new Map<string, ConditionExpectation>();
  for (const [key, each] of Object.entries(value)) {
    if (/^[A-Z]|\//.test(key)) conditions.set(key, condition(each, `${field}.${key}`, problems));
    else if (!known.includes(key) && key !== 'observedGeneration') {
      problems.push({
        field: `${field}.${key}`,
        found: 'a key of this name',
        expected: `a condition, observedGeneration${known.map((each) => `, ${each}`).join('')}`,
      });
    }
  }
  const { observedGeneration } = value;
  return {
    conditions,
    ...(observedGeneration === undefined
      ? {}
      : { observedGeneration: wholeNumber(observedGeneration, `${field}.observedGeneration`, problems) }),
  };
}

function listener(value: unknown, field: string, problems: FieldProblem[]): ListenerExpectation {
  if (!isMap(value)) {
    problems.push({ field, found: shown(value), expected: 'conditions, attachedRoutes or supportedKinds' });
    return { conditions: new Map() };
  }
  const { attachedRoutes, supportedKinds } = value;
  return {
    ...split(value, ['attachedRoutes', 'supportedKinds'], field, problems),
    ...(attachedRoutes === undefined
      ? {}
      : { attachedRoutes: wholeNumber(attachedRoutes, `${field}.attachedRoutes`, problems) }),
    ...(Array.isArray(supportedKinds) ? { supportedKinds: supportedKinds.map(String) } : {}),
  };
}

function entries<T>(
  value: unknown,
  field: string,
  problems: FieldProblem[],
  read: (value: unknown, field: string, problems: FieldProblem[]) => T,
): ReadonlyMap<string, T> {
  if (!isMap(value)) {
    problems.push({ field, found: shown(value), expected: 'a map' });
    return new Map();
  }
  return new Map(Object.entries(value).map(([key, each]) => [key, read(each, `${field}.${key}`, problems)]));
}

function parent(value: unknown, field: string, problems: FieldProblem[]): ConditionsExpectation {
  if (isMap(value)) return split(value, [], field, problems);
  problems.push({ field, found: shown(value), expected: 'conditions' });
  return { conditions: new Map() };
}

export const statusExpectation: Schema<StatusExpectation> = {
  check(value, field, problems) {
    if (value === 'absent') return { conditions: new Map(), absent: true };
    if (!isMap(value) || Object.keys(value).length === 0) {
      problems.push({
        field,
        found: shown(value),
        expected: 'conditions, listeners, parents or ancestors, or "absent"',
      });
      return { conditions: new Map() };
    }
    const { listeners, parents, ancestors, attachedListenerSets, references } = value;
    return {
      ...split(
        value,
        ['listeners', 'parents', 'ancestors', 'attachedListenerSets', 'references'],
        field,
        problems,
      ),
      ...(listeners === undefined
        ? {}
        : { listeners: entries(listeners, `${field}.listeners`, problems, listener) }),
      ...(attachedListenerSets === undefined
        ? {}
        : {
            attachedListenerSets: wholeNumber(
              attachedListenerSets,
              `${field}.attachedListenerSets`,
              problems,
            ),
          }),
      ...(references === undefined
        ? {}
        : { references: entries(references, `${field}.references`, problems, String) }),
      ...(parents === undefined
        ? {}
        : {
            parents: parents === 'none' ? new Map() : entries(parents, `${field}.parents`, problems, parent),
          }),
      ...(ancestors === undefined
        ? {}
        : { ancestors: entries(ancestors, `${field}.ancestors`, problems, parent) }),
    };
  },
};

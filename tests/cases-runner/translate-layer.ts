/** The first layer: the statuses and diagnostics that translate gives for the objects of a step. */

import { refKey } from '../../gateway-runtime/api/object.ts';
import { canonicalJson } from '../../gateway-runtime/snapshot/canonical.ts';
import type { Diagnostic } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type {
  Condition,
  ListenerStatus,
  ObjectStatus,
  ParentRefStatus,
  Translation,
} from '../../gateway-runtime/translate/translation.ts';
import type { DiagnosticExpectation } from './case.ts';
import type { Step } from './load.ts';
import { type Mismatch, mismatch, unequal } from './mismatch.ts';
import type { ConditionsExpectation, ListenerExpectation, StatusExpectation } from './status-form.ts';

export function checkTranslation(step: Step, translation: Translation): Mismatch[] {
  const found: Mismatch[] = [];
  for (const [key, expected] of step.expects.statuses ?? []) {
    found.push(...checkStatus(key, expected, translation.statuses.get(key)));
  }
  const { diagnostics } = step.expects;
  if (diagnostics?.length === 0 && translation.diagnostics.length > 0) {
    found.push(mismatch('diagnostics', 'none', translation.diagnostics.map(diagnosticText).join('\n')));
  }
  for (const expected of diagnostics ?? []) {
    if (!translation.diagnostics.some((each) => isAsExpected(each, expected))) {
      const all = translation.diagnostics.map(diagnosticText).join('\n             ') || 'none';
      found.push(mismatch('diagnostics', expected, all));
    }
  }
  return found;
}

function isAsExpected(diagnostic: Diagnostic, expected: DiagnosticExpectation): boolean {
  const { code, severity, object, field, message, fix } = expected;
  return (
    (code === undefined || diagnostic.code === code) &&
    (severity === undefined || diagnostic.severity === severity) &&
    (object === undefined || refKey(diagnostic.object) === object) &&
    (field === undefined || diagnostic.field === field) &&
    (message === undefined || diagnostic.message.includes(message)) &&
    (fix === undefined || (diagnostic.fix ?? '').includes(fix))
  );
}

function diagnosticText({ severity, code, object, field, message, fix }: Diagnostic): string {
  return `${severity} ${code} ${refKey(object)} ${field ?? ''}: ${message}${fix ? ` (fix: ${fix})` : ''}`;
}

function checkStatus(key: string, expected: StatusExpectation, status: ObjectStatus | undefined): Mismatch[] {
  if (expected.absent) return status ? [mismatch(`status of ${key}`, 'none', status)] : [];
  // A route without a parent of ours has no status of ours at all.
  if (!status && expected.parents?.size === 0) return [];
  if (!status) return [mismatch(`status of ${key}`, 'a status', 'none')];
  if ('parents' in status || 'ancestors' in status) {
    return checkParents(key, expected, status);
  }
  const found = checkConditions(key, expected, status.conditions);
  if ('listeners' in status) {
    for (const [name, each] of expected.listeners ?? []) {
      found.push(
        ...checkListener(
          `${key} listener ${name}`,
          each,
          status.listeners.find((one) => one.name === name),
        ),
      );
    }
  }
  if ('references' in status && expected.references) {
    const text = canonicalJson(Object.fromEntries(expected.references));
    found.push(...unequal(`${key} references`, text, canonicalJson(status.references)));
  }
  if ('attachedListenerSets' in status) {
    found.push(
      ...unequal(`${key} attachedListenerSets`, expected.attachedListenerSets, status.attachedListenerSets),
    );
  }
  return found;
}

function checkListener(
  what: string,
  expected: ListenerExpectation,
  status: ListenerStatus | undefined,
): Mismatch[] {
  if (!status) return [mismatch(what, 'a status', 'none')];
  const kinds = status.supportedKinds.map(({ kind }) => kind);
  return [
    ...checkConditions(what, expected, status.conditions),
    ...unequal(`${what} attachedRoutes`, expected.attachedRoutes, status.attachedRoutes),
    ...unequal(`${what} supportedKinds`, expected.supportedKinds?.join(), kinds.join()),
  ];
}

function checkParents(
  key: string,
  expected: StatusExpectation,
  status: Extract<ObjectStatus, { parents: unknown } | { ancestors: unknown }>,
): Mismatch[] {
  const found: Mismatch[] = [];
  const parents = new Map(
    'parents' in status
      ? status.parents.map((each) => [parentKey(each.parentRef, status.ref.namespace), each.conditions])
      : status.ancestors.map((each) => [parentKey(each.ancestorRef, status.ref.namespace), each.conditions]),
  );
  if (expected.conditions.size > 0 && parents.size === 0) {
    found.push(mismatch(`${key} parents`, 'at least one', 'none'));
  }
  for (const [parent, conditions] of parents) {
    found.push(...checkConditions(`${key} at ${parent}`, expected, conditions));
  }
  for (const [parent, each] of expected.parents ?? expected.ancestors ?? []) {
    const conditions = parents.get(parent);
    if (conditions) found.push(...checkConditions(`${key} at ${parent}`, each, conditions));
    else found.push(mismatch(`${key} parents`, parent, [...parents.keys()].join(', ') || 'none'));
  }
  if (expected.parents?.size === 0 && parents.size > 0) {
    found.push(mismatch(`${key} parents`, 'none', [...parents.keys()].join(', ')));
  }
  return found;
}

/** `[Kind ]namespace/name[#section][:port]`; the kind is left out for a Gateway. */
function parentKey(
  { kind, namespace, name, sectionName, port }: ParentRefStatus,
  routeNamespace: string,
): string {
  const parent = `${kind === 'Gateway' ? '' : `${kind} `}${namespace ?? routeNamespace}/${name}`;
  return `${parent}${sectionName ? `#${sectionName}` : ''}${port ? `:${port}` : ''}`;
}

function checkConditions(
  what: string,
  { conditions, observedGeneration }: ConditionsExpectation,
  given: readonly Condition[],
): Mismatch[] {
  const found: Mismatch[] = [];
  for (const [type, expected] of conditions) {
    const condition = given.find((each) => each.type === type);
    const got = condition ? `${condition.status} ${condition.reason}: ${condition.message}` : 'absent';
    const right =
      expected.status === 'absent'
        ? !condition
        : condition?.status === expected.status &&
          (expected.reason === undefined || condition.reason === expected.reason) &&
          (expected.message === undefined || condition.message.includes(expected.message));
    const { status, reason, message } = expected;
    const wanted = [status, reason].filter(Boolean).join(' ') + (message ? `: ${message}` : '');
    if (!right) found.push(mismatch(`${what} ${type}`, wanted, got));
  }
  for (const condition of observedGeneration === undefined ? [] : given) {
    found.push(
      ...unequal(
        `${what} ${condition.type} observedGeneration`,
        observedGeneration,
        condition.observedGeneration,
      ),
    );
  }
  return found;
}

/** Conditions in words. */
import { refKey } from '../../gateway-runtime/api/object.ts';
import { type Diagnostic, formatExample } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type {
  Condition,
  ListenerStatus,
  ObjectStatus,
  ParentRefStatus,
} from '../../gateway-runtime/translate/translation.ts';
import { folded, styled, WIDTH } from '../terminal.ts';

interface Words {
  readonly yes: string;
  readonly no: string;
  /** The status that is good. */
  readonly good: Condition['status'];
  /** Whether the other one says only what to bear in mind: everything is served. */
  readonly isNote?: true;
}

const WORDS: Readonly<Record<string, Words>> = {
  Accepted: { yes: 'accepted', no: 'not accepted', good: 'True' },
  Programmed: { yes: 'programmed', no: 'not programmed', good: 'True' },
  ResolvedRefs: { yes: 'references resolved', no: 'references not resolved', good: 'True' },
  Conflicted: { yes: 'in conflict with another listener', no: 'no conflict', good: 'False' },
  OverlappingTLSConfig: {
    yes: 'shares hostnames with another listener',
    no: 'no overlap',
    good: 'False',
    isNote: true,
  },
  PartiallyInvalid: { yes: 'served in part', no: 'served whole', good: 'False' },
  'gatewright.dev/GatewayPolicyAffected': {
    yes: 'under a GatewayPolicy',
    no: 'under no GatewayPolicy',
    good: 'True',
  },
  'gatewright.dev/RoutePolicyAffected': {
    yes: 'under a RoutePolicy',
    no: 'under no RoutePolicy',
    good: 'True',
  },
  SupportedVersion: { yes: 'API version supported', no: 'API version not supported', good: 'True' },
};

/** Whether something of the object is not served as it is written. */
export function isRefused(status: ObjectStatus): boolean {
  const conditions = conditionsOf(status);
  return conditions.length === 0 || conditions.some((each) => !isGood(each) && !WORDS[each.type]?.isNote);
}

function isGood({ type, status }: Condition): boolean {
  return status === (WORDS[type]?.good ?? 'True');
}

/** Every condition of an object and its parts. */
function conditionsOf(status: ObjectStatus): readonly Condition[] {
  if ('parents' in status) return status.parents.flatMap(({ conditions }) => conditions);
  if ('ancestors' in status) return status.ancestors.flatMap(({ conditions }) => conditions);
  return [...status.conditions, ...listenersOf(status).flatMap(({ conditions }) => conditions)];
}

const listenersOf = (status: ObjectStatus): readonly ListenerStatus[] =>
  'listeners' in status ? status.listeners : [];

/**
 * The object, then its parts, each with its conditions; those that say more than that all is well with reason and message. Then
 * what no condition has room for, and requests that show what is wrong.
 */
export function statusText(
  status: ObjectStatus,
  origin: string | undefined,
  diagnostics: readonly Diagnostic[],
): string[] {
  const title = refKey(status.ref).replace('/', ' ');
  return [
    `${styled('bold', title)}${origin ? styled('dim', `  ${origin}`) : ''}`,
    ...partLines(status),
    ...diagnosticLines(conditionsOf(status), diagnostics),
  ];
}

function partLines(status: ObjectStatus): string[] {
  if (conditionsOf(status).length === 0)
    return ['  not served: nothing that it names as its parent is served here'];
  if ('parents' in status) {
    return status.parents.flatMap(({ parentRef, conditions }) =>
      withConditions(`on ${parentText(parentRef)}`, conditions, '  '),
    );
  }
  if ('ancestors' in status) {
    return status.ancestors.flatMap(({ ancestorRef, conditions }) =>
      withConditions(`for ${parentText(ancestorRef)}`, conditions, '  '),
    );
  }
  return [
    ...withConditions('', status.conditions, '  '),
    ...listenersOf(status).flatMap((each) =>
      withConditions(`listener ${each.name}, ${routesText(each)}`, each.conditions, '  '),
    ),
  ];
}

/** Examples of one object that are shown. */
const MOST_EXAMPLES = 3;

function diagnosticLines(conditions: readonly Condition[], diagnostics: readonly Diagnostic[]): string[] {
  const unsaid = diagnostics.filter(
    ({ message }) => !conditions.some((each) => each.message.includes(message)),
  );
  const examples = new Set(diagnostics.flatMap(({ example }) => (example ? [formatExample(example)] : [])));
  return [
    ...unsaid.flatMap(({ severity, field, message, fix }) => {
      const text = `${severity} ${field ? `${field}: ` : ''}${message}.${fix ? ` Fix: ${fix}.` : ''}`;
      return folded(text, WIDTH - 6).map((line, index) => `${index === 0 ? '  ' : '      '}${line}`);
    }),
    ...[...examples].slice(0, MOST_EXAMPLES).map((each) => `  example ${each}`),
  ];
}

function routesText({ attachedRoutes }: ListenerStatus): string {
  return attachedRoutes === 1 ? '1 route' : `${attachedRoutes} routes`;
}

function parentText({ kind, namespace, name, sectionName, port }: ParentRefStatus): string {
  const part = kind === 'HTTPRoute' ? 'rule' : 'listener';
  const section = sectionName === undefined ? '' : ` ${part} ${sectionName}`;
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}${section}${port === undefined ? '' : ` port ${port}`}`;
}

function withConditions(subject: string, conditions: readonly Condition[], indent: string): string[] {
  // What is always so says nothing: a listener without conflict, say.
  const good = conditions
    .filter((each) => isGood(each) && WORDS[each.type]?.good !== 'False')
    .map((each) => (hasReserve(each) ? `${wordsOf(each)} (${each.reason})` : wordsOf(each)));
  const bad = conditions.filter((each) => !isGood(each));
  const summary = [...good, ...bad.map((each) => `${wordsOf(each)} (${each.reason})`)].join(', ');
  const lines = folded(`${subject}${subject && summary ? ': ' : ''}${summary}`, WIDTH - indent.length - 2);
  const telling = conditions.filter((each) => !isGood(each) || hasReserve(each));
  const messages = telling.flatMap(({ message }) => folded(message, WIDTH - indent.length - 4));
  return [
    ...lines.map((line, index) => `${indent}${index > 0 ? '  ' : ''}${line}`),
    ...messages.map((line) => `${indent}    ${line}`),
  ];
}

/** Good, but not wholly: a Gateway is accepted without some of its listeners. */
const hasReserve = (each: Condition) => isGood(each) && each.status === 'True' && each.reason !== each.type;

function wordsOf({ type, status }: Condition): string {
  const words = Object.hasOwn(WORDS, type) ? WORDS[type] : undefined;
  if (!words) return `${type} is ${status}`;
  return status === 'Unknown' ? `${words.yes}: not known yet` : status === 'True' ? words.yes : words.no;
}

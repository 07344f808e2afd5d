/**
 * Every field of HTTPRoute, Gateway, ListenerSet, ReferenceGrant and GatewayClass has a case where it applies and one where it does
 * not or is refused, and every status reason a case that has it beside one that has not. What lacks one is named.
 */
import { expect, it } from '@jest/globals';
import type { KindName } from '../../gateway-runtime/api/kinds.ts';
import { REASONS } from '../../gateway-runtime/translate/reasons.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type { ObjectStatus } from '../../gateway-runtime/translate/translation.ts';
import {
  type Claim,
  claimsOf,
  expectedReasons,
  fieldsOf,
  type Reason,
  reasonText,
  whyNotShown,
} from './coverage.ts';
import { loadCases, optionsOf } from './load.ts';

const cases = loadCases();
const KINDS_TO_SHOW: KindName[] = [
  'HTTPRoute',
  'TLSRoute',
  'Gateway',
  'ListenerSet',
  'ReferenceGrant',
  'GatewayClass',
  'BackendTLSPolicy',
  'Grant',
  'GatewayPolicy',
  'RoutePolicy',
];

/** Fields, with what is below them, of which no case can show that they apply, since they are not served yet. */
const NOT_SERVED: Readonly<Record<string, string>> = {
  'HTTPRoute.rules.filters.extensionRef': 'there is no filter of our own: the rule answers 500',
  'BackendTLSPolicy.options': 'no option is known: the policy is not accepted',
  'Gateway.listeners.tls.options': 'no option is known: the listener is not accepted',
  'ListenerSet.listeners.tls.options': 'no option is known: the listener is not accepted',
};
for (const filter of ['externalAuth', 'extensionRef']) {
  Object.assign(NOT_SERVED, { [`HTTPRoute.rules.backendRefs.filters.${filter}`]: 'as on a rule' });
}

/** Filters of a backend are those of a rule: what is inside of each is shown there. */
const isShownOnRules = (field: string) => /^HTTPRoute\.rules\.backendRefs\.filters\.\w+\./.test(field);
const isWithin = (field: string, parent: string) => field === parent || field.startsWith(`${parent}.`);

const fields = KINDS_TO_SHOW.flatMap(fieldsOf).filter((field) => !isShownOnRules(field));

it.each<Claim>(['positive', 'negative'])('every field has a %s case', (claim) => {
  const shown = new Set(cases.flatMap((each) => claimsOf(each, claim)));
  const missing = fields
    .filter((field) => !shown.has(field))
    .filter(
      (field) => claim === 'negative' || !Object.keys(NOT_SERVED).some((each) => isWithin(field, each)),
    );
  expect(missing).toEqual([]);
});

it('every exception is a field that no case shows to apply', () => {
  const shown = cases.flatMap((each) => claimsOf(each, 'positive'));
  for (const exception of Object.keys(NOT_SERVED)) {
    expect(fields).toContain(exception);
    expect(shown.filter((field) => isWithin(field, exception))).toEqual([]);
  }
});

it('every case shows the fields that it says it shows', () => {
  const wrong = cases.flatMap((each) =>
    (['positive', 'negative'] as const).flatMap((claim) =>
      claimsOf(each, claim).flatMap((field) => {
        const why = fields.includes(field) ? whyNotShown(each, field, claim) : 'there is no such field';
        return why ? [`${each.name}: ${claim} ${field}: ${why}`] : [];
      }),
    ),
  );
  expect(wrong).toEqual([]);
});

/** Every condition that translate can give: `Gateway Accepted False UnsupportedAddress`. */
const CONDITIONS = Object.entries(REASONS).flatMap(([subject, types]) =>
  Object.entries(types).flatMap(([type, statuses]) =>
    Object.entries<readonly string[]>(statuses).flatMap(([status, reasons]) =>
      reasons.map((reason) => reasonText({ subject, type, status, reason })),
    ),
  ),
);

it('every status reason has a case that has it beside one that has not', () => {
  const missing = CONDITIONS.filter(
    (text) =>
      !cases.some((each) => {
        const expected = expectedReasons(each);
        const own = expected.find((reason) => reasonText(reason) === text);
        return (
          own &&
          expected.some(
            (other) =>
              other.subject === own.subject &&
              other.type === own.type &&
              (other.reason !== '' || other.status === 'absent') &&
              (other.status !== own.status || other.reason !== own.reason),
          )
        );
      }),
  );
  expect(missing).toEqual([]);
});

it('translate gives no reason in any case that the list has not', () => {
  const given = new Set<string>();
  for (const each of cases) {
    for (const { objects } of each.steps) {
      for (const status of translate(objects, optionsOf(each)).statuses.values()) {
        for (const reason of reasonsOf(status)) given.add(reasonText(reason));
      }
    }
  }
  expect([...given].filter((each) => !CONDITIONS.includes(each))).toEqual([]);
  expect(CONDITIONS.filter((each) => !given.has(each))).toEqual([]);
});

function reasonsOf(status: ObjectStatus): Reason[] {
  if ('parents' in status) {
    return status.parents.flatMap(({ conditions }) =>
      conditions.map((each) => ({ ...each, subject: status.kind })),
    );
  }
  if ('ancestors' in status) {
    return status.ancestors.flatMap(({ conditions }) =>
      conditions.map((each) => ({ ...each, subject: status.kind })),
    );
  }
  const listeners = 'listeners' in status ? status.listeners : [];
  return [
    ...status.conditions.map((each) => ({ ...each, subject: status.kind })),
    ...listeners.flatMap(({ conditions }) => conditions.map((each) => ({ ...each, subject: 'Listener' }))),
  ];
}

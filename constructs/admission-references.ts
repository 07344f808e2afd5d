/** What admission says of Services of other namespaces in routes: their owners have to have consented, which the Grant knows. */
import { ANYTHING } from '../gateway-runtime/grants/consents.ts';
import { given, type Named, text, type Validation } from './admission-terms.ts';

const kind = (ref: string) => given(`${ref}.kind`, "'Service'");
/** As `consentKey` writes it, up to the name. */
const upToName = (ref: string) =>
  `object.kind + ' to ' + ${kind(ref)} + (has(${ref}.group) && ${ref}.group != '' ? '.' + ${ref}.group : '') + ' ' + ${ref}.namespace + '/'`;
const isForeign = (ref: string) => `has(${ref}.namespace) && ${ref}.namespace != request.namespace`;
const isUnheard = (ref: string) =>
  `${isForeign(ref)} && !variables.consents.exists(all, (${upToName(ref)} + ${ref}.name) in all || (${upToName(ref)} + '*') in all)`;
const isSame = (a: string, b: string) =>
  `has(${a}.namespace) && ${a}.namespace == ${b}.namespace && ${a}.name == ${b}.name && ${kind(a)} == ${kind(b)}`;

/** The references of some filters. */
const ofFilters = (filters: string) =>
  `${filters}.filter(f, has(f.requestMirror) || has(f.externalAuth)).map(f, has(f.requestMirror) ? f.requestMirror.backendRef : f.externalAuth.backendRef)`;
const backends = given('r.backendRefs', '[]');
const filters = (of: string) => given(`${of}.filters`, '[]');

/** Every reference of the rules of an object, as lists of lists. */
const referencesOf = (rules: string) =>
  `${rules}.map(r, [dyn(${backends}), dyn(${ofFilters(filters('r'))})] + ${backends}.map(b, dyn(${ofFilters(filters('b'))})))`;

export function referenceVariables(): Named[] {
  return [
    {
      name: 'listed',
      expression: `has(params.status) && has(params.status.references) && !(${text(ANYTHING)} in params.status.references)`,
    },
    {
      name: 'consents',
      expression: `[dyn(params.status.references)] + (has(params.spec.references) ? [dyn(params.spec.references)] : [])`,
    },
    {
      name: 'unheard',
      expression: `${referencesOf(given('variables.spec.rules', '[]'))}.map(lists, lists.map(refs, refs.filter(b, ${isUnheard('b')})).filter(refs, refs.size() > 0)).filter(lists, lists.size() > 0)`,
    },
    // An owner who takes a consent back does not keep the team from changing the rest of its route: the runtime answers for the reference.
    {
      name: 'before',
      expression: `request.operation == 'UPDATE' ? ${referencesOf(given('dyn(oldObject.spec).rules', '[]'))} : []`,
    },
    {
      name: 'unconsented',
      expression: `variables.unheard.map(lists, lists.map(refs, refs.filter(b, !variables.before.exists(lists, lists.exists(refs, refs.exists(o, ${isSame('o', 'b')}))))).filter(refs, refs.size() > 0)).filter(lists, lists.size() > 0)`,
    },
  ];
}

export function referenceValidation(
  validation: (expression: string, message: string) => Validation,
): Validation {
  const ref = 'variables.unconsented[0][0][0]';
  return validation(
    "object.kind == 'ListenerSet' || variables.ours.size() == 0 || !variables.listed || variables.unconsented.size() == 0",
    `'spec.rules: ' + ${kind(ref)} + ' ' + ${ref}.namespace + '/' + ${ref}.name + ' is not of team ' + params.spec.team + '. Missing: a ReferenceGrant in namespace ' + ${ref}.namespace + ', from ' + object.kind + 's of namespace ' + request.namespace + ' to ' + ${kind(ref)} + ' ' + ${ref}.name + ', which its owner applies, and the control plane has seen'`,
  );
}

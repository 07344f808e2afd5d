/**
 * What admission says of RoutePolicies, and of the times that rules of HTTPRoutes say themselves: the Grant lists the loosest bounds of all places where
 * routes of the team may be, and what is beyond them holds at none.
 */
import { given, type Named, type Validation } from './admission-terms.ts';

const bound = (name: string) => `variables.bounds.${name}`;
const said = (field: string) => `variables.spec.${field}`;
/** A bound that was narrowed since keeps nobody from changing the rest of a policy: the runtime holds it to the bound. */
const isHeld = (field: string, to = field) =>
  `has(${bound(to)}) && has(${said(field)}) && !(request.operation == 'UPDATE' && has(oldObject.spec.${field}) && oldObject.spec.${field} == object.spec.${field})`;
const when = (condition: string, then: string) => `${condition} ? ${then} : []`;

const REDIRECT = said('httpsRedirect');
const redirect = `(${given(`${REDIRECT}.enabled`, 'true')} ? string(${given(`${REDIRECT}.statusCode`, '308')}) + ' to port ' + string(${given(`${REDIRECT}.port`, '443')}) : 'no redirect')`;
const headers = (edit: string) => given(`${said('responseHeaders')}.${edit}`, '[]');
const isUndone = (name: string, condition: string) =>
  `${bound('responseHeaders')}.exists(b, b.name == ${name}.lowerAscii() && ${condition})`;
const setOrAdded = `(${headers('set')} + ${headers('add')}).filter(h, ${isUndone('h.name', '!(h.value in b.values)')}).map(h, h.name.lowerAscii())`;
const removed = `${headers('remove')}.filter(h, ${isUndone('h', '!b.removable')}).map(h, h.lowerAscii())`;

/** A route that is also at a gateway of somebody else may mean that. */
const IS_BOUND = `object.kind == 'RoutePolicy' || (object.kind == 'HTTPRoute' && variables.parents.size() > 0 && variables.parents.all(p, p in variables.ours))`;
const rules = (spec: string) => given(`${spec}.rules`, '[]');
const isTimed = (rule: string) => `has(${rule}.timeouts) && has(${rule}.timeouts.request)`;
/** In a rule, 0s is none. */
const isNone = (rule: string) => `duration(${rule}.timeouts.request) == duration('0s')`;

export function boundVariables(): Named[] {
  return [
    {
      name: 'bounds',
      expression: `(${IS_BOUND}) && has(params.status) && has(params.status.bounds) ? dyn(params.status.bounds) : dyn({})`,
    },
    {
      name: 'timed',
      expression: when(
        `object.kind == 'HTTPRoute' && (has(${bound('minRequestTimeout')}) || has(${bound('maxRequestTimeout')}))`,
        `${rules('variables.spec')}.filter(r, ${isTimed('r')} && !(request.operation == 'UPDATE' && ${rules('dyn(oldObject.spec)')}.exists(o, ${isTimed('o')} && o.timeouts.request == r.timeouts.request)))`,
      ),
    },
    {
      name: 'tooShort',
      expression: when(
        `has(${bound('minRequestTimeout')})`,
        `variables.timed.filter(r, !(${isNone('r')}) && duration(r.timeouts.request) < duration(${bound('minRequestTimeout')}.value))`,
      ),
    },
    {
      name: 'tooLong',
      expression: when(
        `has(${bound('maxRequestTimeout')})`,
        `variables.timed.filter(r, ${isNone('r')} || duration(r.timeouts.request) > duration(${bound('maxRequestTimeout')}.value))`,
      ),
    },
    {
      name: 'allowed',
      expression: when(`has(${bound('ipAllow')})`, `${bound('ipAllow')}.values.map(each, cidr(each))`),
    },
    {
      name: 'elsewhereFrom',
      expression: when(
        isHeld('ipAllow'),
        `${said('ipAllow')}.filter(n, ![cidr(n)].exists(asked, variables.allowed.exists(own, own.prefixLength() <= asked.prefixLength() && own.containsIP(asked.ip()))))`,
      ),
    },
    { name: 'undone', expression: when(isHeld('responseHeaders'), `${setOrAdded} + ${removed}`) },
  ];
}

/** Networks that one sentence names. */
const MOST_NETWORKS = 16;

export function boundValidations(): Validation[] {
  const validation = (expression: string, messageExpression: string): Validation => ({
    expression,
    message: 'Missing: a wider bound, of those that the Grant of the namespace lists in status.bounds',
    messageExpression,
  });
  const wider = (field: string, found: string, by: string, holds: string) =>
    `'spec.${field}: found ' + ${found} + ', and ' + ${by} + ' does not let it be so: ' + ${holds} + '. Missing: a wider bound by ' + ${by} + ', which is the loosest wherever routes of team ' + params.spec.team + ' may be (Grant ' + params.metadata.namespace + '/' + params.metadata.name + ', status.bounds). Stay within it, or have the platform widen it'`;
  const held = (field: string, to: string, isWithin: string, found: string, holds: string) =>
    validation(`!(${isHeld(field, to)}) || ${isWithin}`, wider(field, found, `${bound(to)}.by`, holds));
  const [bytes, timeout] = [said('maxRequestBytes'), said('requestTimeout')];
  const [most, shortest, longest] = ['maxRequestBytes', 'minRequestTimeout', 'maxRequestTimeout'].map(
    (name) => `${bound(name)}.value`,
  );
  const networks = `${bound('ipAllow')}.values`;
  const timed = (rules: string, to: string, holds: string) =>
    validation(
      `${rules}.size() == 0`,
      wider('rules', `'timeouts.request ' + ${rules}[0].timeouts.request`, `${bound(to)}.by`, holds),
    );
  return [
    held(
      'maxRequestBytes',
      'maxRequestBytes',
      `${bytes} <= ${most}`,
      `string(${bytes})`,
      `'at most ' + string(${most})`,
    ),
    held(
      'requestTimeout',
      'minRequestTimeout',
      `duration(${timeout}) >= duration(${shortest})`,
      timeout,
      `'at least ' + ${shortest}`,
    ),
    held(
      'requestTimeout',
      'maxRequestTimeout',
      `duration(${timeout}) <= duration(${longest})`,
      timeout,
      `'at most ' + ${longest}`,
    ),
    held(
      'httpsRedirect',
      'httpsRedirect',
      `${redirect} in ${bound('httpsRedirect')}.values`,
      redirect,
      `${bound('httpsRedirect')}.values.join(' or ')`,
    ),
    timed('variables.tooShort', 'minRequestTimeout', `'at least ' + ${shortest}`),
    timed('variables.tooLong', 'maxRequestTimeout', `'at most ' + ${longest}`),
    validation(
      'variables.elsewhereFrom.size() == 0',
      wider(
        'ipAllow',
        'variables.elsewhereFrom[0]',
        `${bound('ipAllow')}.by`,
        `(${networks}.size() == 0 ? 'nobody' : ${networks}.size() <= ${MOST_NETWORKS} ? ${networks}.join(', ') : string(${networks}.size()) + ' other networks')`,
      ),
    ),
    validation(
      'variables.undone.size() == 0',
      // Values may be credentials.
      wider(
        'responseHeaders',
        'variables.undone[0]',
        `${bound('responseHeaders')}.filter(b, b.name == variables.undone[0])[0].by`,
        `'what is forced'`,
      ),
    ),
  ];
}

/**
 * What admission says of routes, ListenerSets and RoutePolicies, in CEL (Kubernetes 1.30): the same as synth and the runtime say of them, as far as it can be
 * said of one object and one Grant. `gateway-runtime/grants/` has it in TypeScript; `tests/e2e/control/admission-verdicts.e2e.ts` holds them
 * against each other. An expression that costs too much is an error, and so a refusal.
 */
import { GATEWAY_GROUP, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import { boundValidations, boundVariables } from './admission-bounds.ts';
import { listenerValidations, listenerVariables } from './admission-listeners.ts';
import { pathMessage, pathVariables } from './admission-paths.ts';
import { referenceValidation, referenceVariables } from './admission-references.ts';
import {
  type AdmittedGateway,
  all,
  covers,
  given,
  hostnamesText,
  missingGrant,
  type Named,
  type Rules,
  text,
  type Validation,
} from './admission-terms.ts';

/** What does not change what a route is for, such as a label or a finalizer, is nobody's business, also where a grant was narrowed since. */
export const MATCH_CONDITIONS: readonly Named[] = [
  {
    name: 'changes-what-it-is-for',
    expression: "request.operation != 'UPDATE' || object.spec != oldObject.spec",
  },
];

/** Routes without hostnames. */
const PORT_ROUTES = "['TCPRoute', 'UDPRoute']";
const IS_ROUTE = "object.kind != 'ListenerSet'";
const USES_DEFAULTS = `${given('variables.spec.useDefaultGateways', "'None'")} == 'All'`;

/** What both kinds of policies ask: which references are to this gateway. */
function references({ namespace, name, open, longer }: AdmittedGateway): Named[] {
  const home = (ref: string) => `${given(`${ref}.namespace`, 'request.namespace')} == ${text(namespace)}`;
  const ofGroup = (ref: string) => `${given(`${ref}.group`, text(GATEWAY_GROUP))} == ${text(GATEWAY_GROUP)}`;
  const kind = (ref: string) => given(`${ref}.kind`, "'Gateway'");
  const sets = [
    `p.name.startsWith(${text(`${name}-`)})`,
    ...longer.map((other) => `!p.name.startsWith(${text(`${other}-`)})`),
  ];
  const isOpen = `${given('p.sectionName', text(open[0] ?? ''))} in ${JSON.stringify(open)}`;
  return [
    { name: 'spec', expression: 'dyn(object.spec)' },
    { name: 'hostnames', expression: given('variables.spec.hostnames', '[]') },
    { name: 'parents', expression: given('variables.spec.parentRefs', '[]') },
    {
      name: 'ours',
      expression: `variables.parents.filter(p, ${all(
        ofGroup('p'),
        home('p'),
        `(${kind('p')} == 'Gateway' && p.name == ${text(name)}) || (${kind('p')} == 'ListenerSet' && ${sets.join(' && ')})`,
      )})`,
    },
    {
      name: 'named',
      expression:
        open.length > 0
          ? `variables.ours.filter(p, ${kind('p')} != 'Gateway' || !(${isOpen}))`
          : 'variables.ours',
    },
    {
      name: 'bringsListeners',
      expression: `object.kind == 'ListenerSet' && ${all(
        ofGroup('variables.spec.parentRef'),
        `${kind('variables.spec.parentRef')} == 'Gateway'`,
        home('variables.spec.parentRef'),
        `variables.spec.parentRef.name == ${text(name)}`,
      )}`,
    },
  ];
}

/** The listener that a reference means, as messages call it; empty where it means a whole object. */
function listenerOf({ ports }: AdmittedGateway, ref: string): string {
  const byPort = [...ports].map(([port, name]) => `${ref}.port == ${port} ? ${text(name)} : `).join('');
  return `(has(${ref}.sectionName) ? ${ref}.sectionName : has(${ref}.port) ? (${byPort}string(${ref}.port)) : '')`;
}

/**
 * What a route lacks where it names a listener that is not for its namespace. Of a ListenerSet, sections say no more than hostnames; routes
 * without hostnames are granted listeners.
 */
function lacking(gateway: AdmittedGateway, ref: string, hostnames: string): string {
  const listener = listenerOf(gateway, ref);
  const isNamed = `${given(`${ref}.kind`, "'Gateway'")} == 'Gateway' && ${listener} != ''`;
  return (
    `(object.kind in ${PORT_ROUTES} && ${listener} != '' ? 'listener ' + ${listener} : ` +
    `${hostnamesText(hostnames)} + (${isNamed} ? ' for listener ' + ${listener} : ''))`
  );
}

/**
 * Of a default gateway: a route of a team with grants that attaches to it without naming it would be held to nothing of what is said below. Of
 * namespaces without a Grant nothing is said: no listener takes their routes, and other default Gateways may be meant.
 */
function defaultValidations({ namespace, name, open, isDefault }: AdmittedGateway): Validation[] {
  if (!isDefault || open.length > 0) return [];
  const message = `spec.useDefaultGateways: found All, and gateway ${namespace}/${name} is a default one: a route of a team with grants there names its gateways in spec.parentRefs, where they are checked. Name them there, and take useDefaultGateways out`;
  return [
    {
      expression: `!(${IS_ROUTE}) || !(${USES_DEFAULTS})`,
      message,
      messageExpression: text(message),
    },
  ];
}

/** Of namespaces without a Grant of the gateway: no listener but the open ones is for them. */
export function ungrantedRules(gateway: AdmittedGateway): Rules {
  const { namespace, name } = gateway;
  // Rights are looked up for the service accounts of the namespace, whoever it is that writes: a grant is to a namespace.
  const mayAttach =
    `authorizer.serviceAccount(request.namespace, 'default').group(${text(GATEWAY_GROUP)}).resource('gateways')` +
    `.namespace(${text(namespace)}).name(${text(name)}).check(${text(ATTACH_VERB)}).allowed()`;
  const team = `(has(namespaceObject.metadata.labels) && ${text(TEAM_LABEL)} in namespaceObject.metadata.labels ? namespaceObject.metadata.labels[${text(TEAM_LABEL)}] : 'of namespace ' + request.namespace)`;
  const brought = `variables.spec.listeners.map(l, ${given('l.hostname', "'*'")})`;
  const what = `(${IS_ROUTE} ? ${lacking(gateway, 'variables.named[0]', 'variables.hostnames')} : ${hostnamesText(brought)})`;
  return {
    variables: references(gateway),
    validations: [
      {
        expression: `(${IS_ROUTE} ? variables.named.size() == 0 : !variables.bringsListeners) || ${mayAttach}`,
        message: `Missing: a grant at gateway ${namespace}/${name}`,
        messageExpression: `request.namespace + ${text(` holds no grant of gateway ${namespace}/${name}. `)} + ${missingGrant(what, gateway, team)}`,
      },
    ],
  };
}

/** What service accounts of a namespace may do with a Gateway where the namespace has a Grant of it. */
export const ATTACH_VERB = 'attach';

/** Of a namespace with a Grant, which is `params`. A RoutePolicy has no parents, hostnames and rules, so that what is said of routes is true of it. */
export function grantedRules(gateway: AdmittedGateway): Rules {
  const { namespace, name } = gateway;
  const where = `${namespace}/${name}`;
  const fallback = `Missing: a grant at gateway ${where}`;
  const missing = (what: string) => missingGrant(what, gateway, 'params.spec.team');
  const outside = (what: string) =>
    `${what} + ' is outside of what team ' + params.spec.team + ${text(` was granted at gateway ${where}. `)} + `;
  const opens = (grant: string, ref: string) =>
    `${grant}.listeners.exists(l, l.kind == ${given(`${ref}.kind`, "'Gateway'")} && l.name == ${ref}.name && (!has(${ref}.sectionName) || ${ref}.sectionName in l.sectionNames))`;
  const isGranted = (grant: string, hostname: string) =>
    `${grant}.hostnames.exists(own, ${covers('own', hostname)})`;
  const hostnamesAt = (ref: string) => `variables.grants.filter(g, ${opens('g', ref)})[0].hostnames`;
  const askedText = (ref: string) =>
    `variables.hostnames.size() > 0 ? variables.hostnames.join(', ') : ${hostnamesAt(ref)}.size() > 0 ? ${hostnamesAt(ref)}.join(', ') : 'listener ' + ${listenerOf(gateway, ref)}`;
  const validation = (expression: string, messageExpression: string): Validation => ({
    expression,
    message: fallback,
    messageExpression,
  });
  return {
    variables: [
      ...references(gateway),
      { name: 'grants', expression: 'dyn(params.spec.grants)' },
      {
        name: 'stray',
        expression: `variables.named.filter(p, !variables.grants.exists(g, ${opens('g', 'p')}))`,
      },
      {
        name: 'beyond',
        expression: `variables.hostnames.filter(h, !variables.grants.exists(g, ${isGranted('g', 'h')}))`,
      },
      { name: 'ofKind', expression: 'variables.grants.filter(g, object.kind in g.kinds)' },
      {
        name: 'ofOtherKinds',
        expression: `variables.named.filter(p, !variables.ofKind.exists(g, ${opens('g', 'p')}))`,
      },
      {
        name: 'attached',
        expression: `variables.ofKind.filter(g, variables.named.exists(p, ${opens('g', 'p')}))`,
      },
      // Hostnames may be meant for what else the route attaches to, by default too; a ListenerSet of the team itself is the same grant over again.
      {
        name: 'elsewhere',
        expression: `variables.ours.size() > variables.named.size() || ${USES_DEFAULTS} || variables.parents.exists(p, ${given('p.group', text(GATEWAY_GROUP))} != '' && !(p in variables.ours) && !(${given('p.kind', "'Gateway'")} == 'ListenerSet' && ${given('p.namespace', 'request.namespace')} == request.namespace && variables.grants.exists(g, has(g.ownListeners))))`,
      },
      {
        name: 'outside',
        expression: `variables.elsewhere ? [] : variables.hostnames.filter(h, !variables.attached.exists(g, ${isGranted('g', 'h')}))`,
      },
      ...pathVariables(opens, isGranted),
      ...listenerVariables(isGranted),
      ...referenceVariables(),
      ...boundVariables(),
    ],
    validations: [
      ...defaultValidations(gateway),
      validation(
        `!(${IS_ROUTE}) || variables.stray.size() == 0`,
        `'spec.parentRefs: ' + ${given('variables.stray[0].kind', "'Gateway'")} + ' ' + ${text(`${namespace}/`)} + variables.stray[0].name + ' is not opened to team ' + params.spec.team + '. ' + ${missing(
          lacking(
            gateway,
            'variables.stray[0]',
            '(variables.beyond.size() > 0 ? variables.beyond : variables.hostnames)',
          ),
        )}`,
      ),
      validation(
        `!(${IS_ROUTE}) || variables.ofOtherKinds.size() == 0`,
        `'spec.parentRefs: ' + ${text(`${namespace}/`)} + variables.ofOtherKinds[0].name + ' is not for ' + object.kind + '. ' + ${missing(
          `object.kind + 's for ' + (${askedText('variables.ofOtherKinds[0]')})`,
        )}`,
      ),
      validation(
        `!(${IS_ROUTE}) || variables.named.size() == 0 || variables.outside.size() == 0`,
        `'spec.hostnames: ' + ${outside(`'hostname ' + variables.outside[0]`)}${missing(`'hostname ' + variables.outside[0]`)}`,
      ),
      validation(
        "object.kind != 'HTTPRoute' || variables.limits.size() == 0 || variables.refused.size() == 0",
        pathMessage(missing),
      ),
      ...listenerValidations(gateway, missing, outside, validation),
      referenceValidation(validation),
      ...boundValidations(),
    ],
  };
}

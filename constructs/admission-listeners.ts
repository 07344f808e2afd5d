/** What admission says of listeners that a team brings in a ListenerSet of its own. */
import {
  type AdmittedGateway,
  covers,
  given,
  missingGrant,
  type Named,
  type Test,
  type Validation,
} from './admission-terms.ts';

export function listenerVariables(isGranted: Test): Named[] {
  const asked = given('l.hostname', "'*'");
  const isOwn = `g.ownListeners.exists(o, o.port == l.port && o.protocol == l.protocol)`;
  return [
    { name: 'brought', expression: 'variables.bringsListeners ? variables.spec.listeners : []' },
    {
      name: 'foreign',
      expression: `variables.brought.filter(l, !(l.protocol in ['TCP', 'UDP']) && !variables.grants.exists(g, ${isGranted('g', asked)}))`,
    },
    {
      name: 'unowned',
      expression: `variables.brought.filter(l, !variables.grants.exists(g, has(g.ownListeners) && '/' in g.paths && ${isOwn} && (l.protocol in ['TCP', 'UDP'] || ${isGranted('g', asked)})))`,
    },
    {
      name: 'borrowed',
      expression: `variables.brought.map(l, (has(l.tls) ? ${given('l.tls.certificateRefs', '[]')} : []).filter(c, has(c.namespace) && c.namespace != request.namespace)).filter(all, all.size() > 0)`,
    },
    {
      name: 'admitting',
      expression: `variables.brought.filter(l, has(l.allowedRoutes) && has(l.allowedRoutes.namespaces) && has(l.allowedRoutes.namespaces.from) && l.allowedRoutes.namespaces.from != 'Same')`,
    },
  ];
}

export function listenerValidations(
  gateway: AdmittedGateway,
  missing: (what: string) => string,
  outside: (what: string) => string,
  validation: (expression: string, message: string) => Validation,
): Validation[] {
  const foreign = `'hostname ' + ${given('variables.foreign[0].hostname', "'*'")}`;
  const unowned = 'variables.unowned[0]';
  const at = `${unowned}.protocol + ' at port ' + string(${unowned}.port)`;
  const asked = given(`${unowned}.hostname`, "'*'");
  const hasOwn = `variables.grants.exists(g, has(g.ownListeners) && g.hostnames.exists(own, ${covers('own', asked)}))`;
  const what = `'hostname ' + ${asked} + ' with ownCertificates' + (${hasOwn} ? ' for ' + ${at} : '')`;
  return [
    validation(
      'variables.foreign.size() == 0',
      `'spec.listeners: ' + ${outside(foreign)}${missing(foreign)}`,
    ),
    validation(
      'variables.unowned.size() == 0',
      `'spec.listeners: ' + ${outside(`'a listener of the team itself with ' + ${at}`)}${missing(what)}`,
    ),
    validation(
      'variables.borrowed.size() == 0',
      `'spec.listeners: Secret ' + variables.borrowed[0][0].namespace + '/' + variables.borrowed[0][0].name + ' is not in the namespace of the ListenerSet. Missing: the right to refer to Secrets of namespace ' + variables.borrowed[0][0].namespace + ', which no grant gives'`,
    ),
    validation(
      'variables.admitting.size() == 0',
      `'spec.listeners: ' + variables.admitting[0].name + ' admits other namespaces than that of team ' + params.spec.team + '. ' + ${missingGrant(`'hostname ' + ${given('variables.admitting[0].hostname', "'*'")}`, gateway, "'another team'")}`,
    ),
  ];
}

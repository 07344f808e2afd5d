/** Things in the words of an explanation. */
import { shownValue } from '../snapshot/credential.ts';
import { ruleField } from '../snapshot/rule-field.ts';
import { sessionName } from '../snapshot/session.ts';
import type {
  BackendTls,
  ClientCertificates,
  HttpMatch,
  HttpRule,
  RouteRule,
  RuleRetry,
  RuleTimeouts,
  ValueMatch,
} from '../snapshot/snapshot.ts';
import type { ExplainedListener, RuleName } from './explanation.ts';

/** What a match asks for: `PathPrefix /cart, method GET, header x-tier: gold, query q=1`; expressions between slashes. */
export function matchInWords({ path, method, headers, queryParams }: HttpMatch): string {
  return [
    `${path.type} ${path.value}`,
    ...(method === undefined ? [] : [`method ${method}`]),
    ...headers.map((header) => `header ${header.name}: ${valueInWords(header)}`),
    ...queryParams.map((param) => `query ${param.name}=${valueInWords(param)}`),
  ].join(', ');
}

function valueInWords({ name, type, value }: ValueMatch): string {
  const shown = shownValue(name, value);
  return type === 'Exact' ? shown : `/${shown}/`;
}

export function ruleNameOf({ source }: RouteRule): RuleName {
  const { kind, namespace, name, rule, ruleName } = source;
  return { kind, namespace, name, rule, ...(ruleName ? { ruleName } : {}) };
}

/** `HTTPRoute shop/cart spec.rules[1] (gold)`. */
export function ruleInWords(name: RuleName): string {
  return `${name.kind} ${name.namespace}/${name.name} ${ruleField(name)}`;
}

/** `secure (HTTPS, *.example.com)`, with its ListenerSet where it is not the Gateway's own. */
export function listenerInWords(each: ExplainedListener): string {
  const owner = each.kind === 'Gateway' ? '' : ` of ${each.kind} ${each.namespace}/${each.name}`;
  return `${each.listener}${owner} (${each.protocol}, ${each.hostname ?? 'any host'})`;
}

/** `only clients with a certificate from ConfigMap infra/authorities`. */
export function clientsInWords({ mode, authorities }: ClientCertificates): string {
  const from = authorities.map((key) => key.replace('ca-bundle/', 'ConfigMap ')).join(' or ');
  return mode === 'AllowValidOnly'
    ? `only clients with a certificate from ${from}`
    : `clients with and without a certificate from ${from}`;
}

/** `the whole request: at most 10 s, then 504`. */
export function timeoutsInWords({ request, backendRequest }: RuleTimeouts): string[] {
  return [
    ...(request === undefined ? [] : [`the whole request: ${timeInWords(request)}`]),
    ...(backendRequest === undefined ? [] : [`one request to a backend: ${timeInWords(backendRequest)}`]),
  ];
}

function timeInWords(milliseconds: number): string {
  if (milliseconds === 0) return 'no time limit';
  const text = milliseconds % 1000 === 0 ? `${milliseconds / 1000} s` : `${milliseconds} ms`;
  return `at most ${text}, then 504`;
}

/** `tried again once after a failed connection, a timeout or a 503, 25 ms later at the earliest`. */
export function retryInWords({ codes, attempts, backoff }: RuleRetry): string {
  const times = attempts === 1 ? 'once' : `up to ${attempts} times`;
  const reasons = ['a failed connection', 'a timeout', ...codes.map((code) => `a ${code}`)];
  const last = reasons.pop();
  return `tried again ${times} after ${reasons.join(', ')} or ${last}, ${backoff} ms later at the earliest`;
}

/** `a client comes back to its endpoint by the cookie SHOP, for at most 3600 s; weights are for new sessions`. */
export function sessionInWords(rule: HttpRule): string {
  const { type, lifetime, isPermanent } = rule.session!;
  const by = `${type === 'Cookie' ? 'the cookie' : 'the header'} ${sessionName(rule)}`;
  const time = lifetime === undefined ? '' : `, for at most ${lifetime / 1000} s`;
  const end =
    type === 'Header' ? '' : isPermanent ? ', also after the browser ended' : ', until the browser ends';
  return `a client comes back to its endpoint by ${by}${time}${end}; weights are for new sessions`;
}

/** `identity`: the Secret whose certificate the gateway shows. */
export function tlsInWords(
  { policy, hostname, subjectAltNames, authorities }: BackendTls,
  identity: string | undefined,
): string {
  const names = subjectAltNames?.map(({ value }) => value).join(' or ');
  const known = names === undefined ? `as ${hostname}` : `as ${names} (server name ${hostname})`;
  const trusted =
    authorities === 'System'
      ? 'signed by a well-known authority'
      : `signed by an authority in ${authorities.map((key) => key.replace('ca-bundle/', 'ConfigMap ')).join(', ')}`;
  const shown = identity === undefined ? '' : `; the gateway shows the certificate of Secret ${identity}`;
  return `over TLS ${known}, ${trusted} (BackendTLSPolicy ${policy})${shown}`;
}

/**
 * BackendTLSPolicies: what they demand of the backends that they name, and what is said of them. A policy that can't be served is never
 * passed over: requests to its backends fail, and none goes in the clear.
 */
import type { KindObject } from '../../api/kinds.ts';
import { GATEWAY_GROUP } from '../../api/names.ts';
import type { BackendTls, CaBundle, SubjectAltName } from '../../snapshot/snapshot.ts';
import type { CaBundles } from '../ca-bundles.ts';
import { Conditions, type Finding, listed, named, oneOf, sentences } from '../findings.ts';
import type { Derived, Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';
import type { Condition } from '../translation.ts';
import { PolicyTargets, type TargetRef } from './targets.ts';

type Policy = KindObject<'BackendTLSPolicy'>;

export interface PolicyView {
  readonly conditions: readonly Condition[];
  /** Names of the Services that it names, in its namespace. */
  readonly services: readonly string[];
  /** ConfigMaps that it names, by `namespace/name`, whether they are there or not. */
  readonly configMaps: readonly string[];
  /** What is wrong with it, for whoever wrote it. */
  readonly errors: readonly Finding[];
  /** Targets that are not there: said also where no Gateway has to do with it. */
  readonly lost: readonly Finding[];
}

/** TLS to a backend, with the bundles that it names. */
export interface ResolvedTls {
  readonly tls: BackendTls;
  readonly bundles: readonly CaBundle[];
}

/** What a policy demands, whichever target it has. */
interface Settings extends ResolvedTls {
  readonly configMaps: readonly string[];
  /** Why it can't be served at all. */
  readonly invalid: readonly Finding[];
  /** References to authorities that do not resolve. */
  readonly unresolved: readonly Finding[];
}

export class BackendTlsPolicies {
  /** By namespace and name; undefined where there is no such policy. */
  readonly views: Derived<PolicyView | undefined>;
  readonly #targets: PolicyTargets;
  readonly #settings: Derived<Settings | undefined>;

  constructor(memo: Memo, objects: Objects, caBundles: CaBundles) {
    this.#targets = new PolicyTargets('BackendTLSPolicy', '', memo, objects);
    this.#settings = memo.derive((namespace, name) => {
      const policy = objects.get('BackendTLSPolicy', namespace!, name!);
      return policy && settingsOf({ namespace: namespace!, name: name! }, policy, caBundles);
    });
    this.views = memo.derive((namespace, name) => {
      const policy = objects.get('BackendTLSPolicy', namespace!, name!);
      const settings = this.#settings.get(namespace!, name!);
      return (
        policy && view({ namespace: namespace!, name: name! }, policy, settings!, this.#targets, objects)
      );
    });
  }

  /** How a port of a Service is to be reached; its name is empty where it has none. Undefined: no policy says anything. */
  tlsOf(service: Name, port: string): ResolvedTls | undefined {
    const target = { kind: 'Service', ...service };
    // One that names the port goes before one that names the whole Service.
    const policy = (port && this.#targets.holder(target, port)) || this.#targets.holder(target);
    return policy && this.#settings.get(policy.namespace, policy.name);
  }
}

const isService = ({ group, kind }: TargetRef): boolean => group === '' && kind === 'Service';

function settingsOf({ namespace, name }: Name, { spec }: Policy, caBundles: CaBundles): Settings {
  const { hostname, subjectAltNames = [], caCertificateRefs = [] } = spec.validation;
  const resolved = caCertificateRefs.map((ref, index) =>
    caBundles.resolve(
      { group: GATEWAY_GROUP, kind: 'BackendTLSPolicy', namespace },
      ref,
      `spec.validation.caCertificateRefs[${index}]`,
    ),
  );
  const bundles = resolved.flatMap(({ bundle }) => bundle ?? []);
  const unresolved = resolved.flatMap(({ problem }): Finding[] => {
    if (!problem) return [];
    const { cause, ...finding } = problem;
    return [{ ...finding, reason: cause === 'kind' ? 'InvalidKind' : 'InvalidCACertificateRef' }];
  });
  const invalid = invalidOf(spec);
  const isSystem = caCertificateRefs.length === 0;
  const refused = invalid.length > 0 ? invalid : isSystem || bundles.length > 0 ? [] : unresolved;
  return {
    tls: {
      policy: `${namespace}/${name}`,
      hostname,
      ...(subjectAltNames.length > 0 ? { subjectAltNames: subjectAltNames.map(altName) } : {}),
      authorities: isSystem ? 'System' : [...new Set(bundles.map(({ key }) => key))],
      ...(refused.length > 0 ? { refusal: refused.map(({ message }) => message).join('; ') } : {}),
    },
    bundles,
    configMaps: [...new Set(resolved.flatMap(({ configMap }) => configMap ?? []))],
    invalid,
    unresolved,
  };
}

function altName({
  type,
  hostname,
  uri,
}: NonNullable<Policy['spec']['validation']['subjectAltNames']>[number]): SubjectAltName {
  return { type, value: (type === 'URI' ? uri : hostname)! };
}

/** "IPs are not allowed" (PreciseHostname), though its pattern takes them; nor are they in a handshake (RFC 6066 section 3). */
const IP_ADDRESS = /^\d+(\.\d+){3}$/;

/** What the field rules let pass and nothing here can serve. */
function invalidOf({ validation, options }: Policy['spec']): Finding[] {
  const found: Finding[] = [];
  const invalid = (field: string, message: string, fix: string) =>
    found.push({ reason: 'Invalid', field, message, fix });
  const { wellKnownCACertificates, hostname, subjectAltNames = [] } = validation;
  if (wellKnownCACertificates !== undefined && wellKnownCACertificates !== 'System') {
    const message = `found ${wellKnownCACertificates}, expected System, the only set of authorities that is known`;
    invalid(
      'spec.validation.wellKnownCACertificates',
      message,
      'use System, or name ConfigMaps in caCertificateRefs',
    );
  }
  const notAddress = 'use the DNS name that the certificate is for';
  if (IP_ADDRESS.test(hostname)) {
    invalid('spec.validation.hostname', `found ${hostname}, expected a name and no IP address`, notAddress);
  }
  for (const [index, { hostname: name }] of subjectAltNames.entries()) {
    if (name === undefined || !IP_ADDRESS.test(name)) continue;
    const field = `spec.validation.subjectAltNames[${index}].hostname`;
    invalid(field, `found ${name}, expected a name and no IP address`, notAddress);
  }
  const unknown = Object.keys(options ?? {});
  if (unknown.length > 0) {
    invalid('spec.options', `found ${listed(unknown)}, and no option is known`, 'remove the options');
  }
  return found;
}

function view(
  policy: Name,
  { metadata, spec }: Policy,
  { invalid, unresolved, configMaps, tls }: Settings,
  targets: PolicyTargets,
  objects: Objects,
): PolicyView {
  const judged = spec.targetRefs.map((ref, index) =>
    whyWithout(policy, ref, `spec.targetRefs[${index}]`, targets, objects),
  );
  const lost = judged.filter((finding) => finding?.reason === 'TargetNotFound') as Finding[];
  const conflicts = judged.filter((finding) => finding?.reason === 'Conflicted') as Finding[];
  const hasTarget = judged.includes(undefined);
  const partly = [...conflicts, ...lost];
  const conditions = new Conditions(metadata.generation);
  const [first] = hasTarget ? [] : partly;
  if (invalid.length > 0) {
    conditions.add('Accepted', 'False', 'Invalid', `Requests to its targets get 500. ${sentences(invalid)}`);
  } else if (first) conditions.add('Accepted', 'False', first.reason, sentences(partly));
  else if (tls.refusal !== undefined) {
    const why = `No authority can be trusted, so requests to its targets get 500. ${sentences(unresolved)}`;
    conditions.add('Accepted', 'False', 'NoValidCACertificate', why);
  } else {
    const less = partly.length > 0 ? ` Not for all of its targets: ${sentences(partly)}` : '';
    conditions.add(
      'Accepted',
      'True',
      'Accepted',
      `Its targets are reached over TLS as ${tls.hostname}.${less}`,
    );
  }
  const [broken] = unresolved;
  if (broken) conditions.add('ResolvedRefs', 'False', broken.reason, sentences(unresolved));
  else conditions.add('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference of the policy resolves.');
  return {
    conditions: conditions.list,
    services: [...new Set(spec.targetRefs.filter(isService).map(({ name }) => name))],
    configMaps,
    errors: [...invalid, ...conflicts, ...unresolved],
    lost,
  };
}

/** Why a target is not under this policy; undefined where it is. */
function whyWithout(
  policy: Name,
  ref: TargetRef,
  field: string,
  targets: PolicyTargets,
  objects: Objects,
): Finding | undefined {
  const { namespace } = policy;
  const target = { group: ref.group, kind: ref.kind, namespace, name: ref.name };
  const lost = (at: string, message: string, fix: string): Finding => ({
    reason: 'TargetNotFound',
    field: at,
    message,
    fix,
    related: [target],
  });
  if (!isService(ref)) {
    const found = ref.group ? `${ref.kind} of group ${ref.group}` : ref.kind;
    return lost(field, `found a ${found}, expected a Service of the core group`, 'name a Service');
  }
  const service = objects.get('Service', namespace, ref.name);
  if (!service) {
    const fix = 'create it, or correct the name';
    return lost(`${field}.name`, `${named(target)} does not exist`, fix);
  }
  const { sectionName } = ref;
  const ports = service.spec.ports.flatMap(({ name }) => (name ? [name] : []));
  if (sectionName !== undefined && !ports.includes(sectionName)) {
    const message = `${named(target)} has no port named ${sectionName}; its ports are named ${listed(ports) || 'nothing'}`;
    const fix = ports.length > 0 ? `set sectionName to ${oneOf(ports)}` : 'leave sectionName out';
    return lost(`${field}.sectionName`, message, fix);
  }
  const self = { group: GATEWAY_GROUP, kind: 'BackendTLSPolicy', ...policy };
  const what = sectionName === undefined ? named(target) : `port ${sectionName} of ${named(target)}`;
  return targets.conflict(self, target, sectionName, what, field);
}

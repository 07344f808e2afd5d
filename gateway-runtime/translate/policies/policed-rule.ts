/** A rule as policies make it at a listener: folded into what the snapshot has for rules without any, so that only their own limits cost a request anything. */
import type { ObjectRef } from '../../api/object.ts';
import type { ResponseHeaders } from '../../api/policy-fields.ts';
import { headerEdits } from '../../filters/header-edits.ts';
import { contentHash } from '../../snapshot/canonical.ts';
import type { AppliedPolicy, FilterConfig, TlsRule } from '../../snapshot/snapshot.ts';
import { listed, named } from '../findings.ts';
import type { RuleBody, TranslatedRule } from '../rules.ts';
import {
  type Held,
  httpsRedirect,
  ipAllow,
  type Level,
  maxRequestBytes,
  type Origin,
  type Overridden,
  type OwnLevel,
  requestTimeout,
  responseHeaders,
  type Said,
} from './levels.ts';

export type PolicedBody = RuleBody | Pick<TlsRule, 'backends'>;

export interface PolicedRule {
  readonly body: PolicedBody;
  /** Hash of `body`. */
  readonly bodyHash: string;
  readonly applied: readonly AppliedPolicy[];
  readonly overridden: readonly Overridden[];
}

const MODIFIER = 'ResponseHeaderModifier';

/** `own`: the policies of its route, of the whole route first, and what the rule itself says. */
export function policedRule(
  rule: TranslatedRule,
  levels: readonly Level[],
  own: readonly OwnLevel[],
  protocol: string,
): PolicedRule {
  return rule.type === 'tls-rule'
    ? policedTlsRule(rule, levels)
    : policedHttpRule(rule.body, levels, own, protocol);
}

function policedHttpRule(
  rule: RuleBody,
  levels: readonly Level[],
  own: readonly OwnLevel[],
  protocol: string,
): PolicedRule {
  const applied: AppliedPolicy[] = [];
  const overridden: Overridden[] = [];
  const note = ({ policy, field }: Origin, effect: string) => {
    if (policy) applied.push(appliedBy(policy, field, effect));
  };
  const hold = <V>(held: Held<V> | undefined, inWords: (value: V) => string): V | undefined => {
    if (!held) return undefined;
    for (const { value, from } of held.from) note(from, inWords(value));
    overridden.push(...held.overridden);
    return held.value;
  };

  const allow = hold(ipAllow(levels, own), (networks) => `clients come from ${listed(networks)}`);
  const redirect = protocol === 'HTTP' ? httpsRedirect(levels, own) : undefined;
  const policed = {
    ...rule,
    ...(allow ? { allow } : {}),
  };
  if (redirect?.value.enabled && rule.refusal === undefined) {
    const { statusCode, port } = redirect.value;
    hold(redirect, () => `requests without TLS are redirected (${statusCode}) to https, port ${port}`);
    const config = { status: statusCode, scheme: 'https', port };
    const filters: FilterConfig[] = [{ type: 'RequestRedirect', config }];
    return finished(
      { matches: rule.matches, filters, backends: [], ...(allow ? { allow } : {}) },
      applied,
      overridden,
    );
  }
  if (redirect) hold(redirect, () => 'requests without TLS are served');

  const timeout = hold(requestTimeout(levels, own), (size) => `requests take at most ${timeInWords(size)}`);
  const bytes = hold(
    maxRequestBytes(levels, own),
    (size) => `bodies of requests have at most ${size} octets`,
  );
  const edits = responseHeaders(levels, own);
  for (const { value, from } of [...(edits?.before ?? []), ...(edits?.after ?? [])]) {
    note(from, editsInWords(value));
  }
  overridden.push(...(edits?.overridden ?? []));
  const modifier = ({ value }: { value: ResponseHeaders }): FilterConfig => ({
    type: MODIFIER,
    config: headerEdits(value),
  });
  const first = rule.filters.findIndex(({ type }) => type === MODIFIER);
  const at = first < 0 ? rule.filters.length : first;
  return finished(
    {
      ...policed,
      ...(edits
        ? {
            // Modifiers of responses are last of all, and what is forced is last of them.
            filters: [
              ...rule.filters.slice(0, at),
              ...edits.before.map(modifier),
              ...rule.filters.slice(at),
              ...edits.after.map(modifier),
            ],
          }
        : {}),
      ...(timeout === undefined
        ? {}
        : { timeouts: { ...rule.timeouts, request: Number.isFinite(timeout) ? timeout : 0 } }),
      ...(bytes === undefined ? {} : { maxRequestBytes: bytes }),
    },
    applied,
    overridden,
  );
}

/** From where connections come is not asked before they are routed: none goes on where policies say from where they may. */
function policedTlsRule(
  { body, bodyHash }: TranslatedRule & { type: 'tls-rule' },
  levels: readonly Level[],
): PolicedRule {
  const held = ipAllow(levels, []);
  if (!held) return { body, bodyHash, applied: [], overridden: [] };
  const [{ from }] = held.from as [Said<readonly string[]>];
  const message = `${named(from.policy!)} says from where clients may come (${from.field}), which is not served for TLSRoutes`;
  const closed = body.backends.map(({ weight, name }) => ({
    weight,
    name,
    unresolved: { reason: 'UnsupportedPolicy', message },
  }));
  const applied = held.from.map(({ from: { policy, field } }) =>
    appliedBy(policy!, field, 'connections are closed, since TLSRoutes are not served by address'),
  );
  const closing = { backends: closed };
  return { body: closing, bodyHash: contentHash([closing, applied]), applied, overridden: [] };
}

function finished(
  body: RuleBody,
  applied: readonly AppliedPolicy[],
  overridden: readonly Overridden[],
): PolicedRule {
  const policed = applied.length > 0 ? { ...body, policies: applied } : body;
  return { body: policed, bodyHash: contentHash(policed), applied, overridden };
}

export const appliedBy = (
  { kind, namespace, name }: ObjectRef,
  field: string,
  effect: string,
): AppliedPolicy => ({
  kind: kind as AppliedPolicy['kind'],
  namespace,
  name,
  field: field.replace(/^spec\./, ''),
  effect,
});

/** Values may be credentials. */
function editsInWords({ set = [], add = [], remove = [] }: ResponseHeaders): string {
  const parts = [
    ...set.map(({ name }) => `set ${name}`),
    ...add.map(({ name }) => `add ${name}`),
    ...remove.map((name) => `remove ${name}`),
  ];
  return `answers: ${listed(parts) || 'no change'}`;
}

function timeInWords(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return 'as long as they like';
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/** Session persistence of a rule (HTTPRouteRule.sessionPersistence, GEP-1619): what sessions are bound to, and what carries them. */
import { contentHash } from './canonical.ts';
import type { HttpRule, RuleSource } from './snapshot.ts';

/** A session of one rule is none of another: "Route rules referencing the same service MUST NOT share persistent sessions". */
export function sessionBinding({ namespace, name, ruleName, rule }: RuleSource): string {
  // Names of objects and rules have no slash in them, and an index no "#" before it.
  return `${namespace}/${name}/${ruleName ?? `#${rule}`}`;
}

/** Name of the cookie or header: "If SessionName is not specified, then a unique cookie name should be generated". */
export function sessionName({ session, source }: Pick<HttpRule, 'session' | 'source'>): string {
  return session?.name ?? `gatewright-${contentHash(sessionBinding(source)).slice(0, 8)}`;
}

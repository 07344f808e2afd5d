/** What no compiler has checked where a construct is written in plain JavaScript. */

const KINDS = ['HTTPRoute', 'GRPCRoute'];

/** A listener without kinds would admit all of them (AllowedRoutes.kinds), and one with a foreign kind none. */
export function kindProblems(kinds: readonly unknown[]): string[] {
  if (kinds.length === 0)
    return [`no kind is granted: name at least one in kinds (${KINDS.join(', ')}), or leave kinds out`];
  return kinds
    .filter((kind) => !(KINDS as unknown[]).includes(kind))
    .map((kind) => `kind ${String(kind)} can not be granted: kinds takes ${KINDS.join(' and ')}`);
}

/** The answer for a request that several Gateways may get: only its address tells for which of them it is. */
import type { Explained, Explanation, RefusedRoute } from './explanation.ts';

/** Best first; of equals, the one that comes first. `refused` is asked only where no route serves the request. At least one explanation. */
export function explained(
  explanations: readonly [Explanation, ...Explanation[]],
  refused: () => readonly RefusedRoute[],
): Explained {
  const [first, ...others] = explanations.toSorted((a, b) => rankOf(a) - rankOf(b)) as [
    Explanation,
    ...Explanation[],
  ];
  return { ...first, others, refused: isServed(first) ? [] : refused() };
}

/** Whether a route takes the request, however it answers. */
export const isServed = ({ matches }: Explanation): boolean =>
  matches.some(({ outcome }) => outcome === 'serves');

/** Whether every such request gets an answer that was meant: of a backend, or a redirect. */
export const isAnswered = (explanation: Explanation): boolean => rankOf(explanation) === 0;

/** 0 where it is answered, 1 where some requests get an error, 2 without a route, 3 where no listener even takes the host. */
function rankOf(explanation: Explanation): number {
  if (!isServed(explanation)) return explanation.listeners.some(({ serves }) => serves) ? 2 : 3;
  const { status = 200, backends } = explanation;
  return status >= 400 || backends.some(({ share, unresolved }) => share > 0 && unresolved) ? 1 : 0;
}

/** RequestMirror (HTTPRouteFilter, extended): another backend gets a copy of the request, and its answer is thrown away. */
import type { BackendKey } from '../snapshot/snapshot.ts';
import type { FilterDefinition } from './definition.ts';

interface Mirror {
  /** As the route names it: `Service shop/cart:8080`. */
  readonly name: string;
  /** Absent where the reference did not resolve: "this BackendRef is invalid and must be dropped" (HTTPRequestMirrorFilter.backendRef). */
  readonly backend?: BackendKey;
  /** Of so many requests, so many are mirrored. */
  readonly share: readonly [part: number, whole: number];
}

export const requestMirror: FilterDefinition<'RequestMirror', Mirror> = {
  type: 'RequestMirror',
  features: ['HTTPRouteRequestMirror', 'HTTPRouteRequestMultipleMirrors', 'HTTPRouteRequestPercentageMirror'],
  onRules: true,
  onBackends: true,

  translate(filter, context) {
    const { backendRef, percent, fraction } = filter.requestMirror!;
    const { name, backend } = context.backend(backendRef, 'requestMirror.backendRef');
    const share = fraction
      ? ([fraction.numerator, fraction.denominator] as const)
      : ([percent ?? 100, 100] as const);
    return { name, ...(backend ? { backend } : {}), share };
  },

  compile({ backend, share: [part, whole] }) {
    return backend && part > 0 ? { mirror: { backend, share: part / whole } } : {};
  },

  explain({ name, backend, share: [part, whole] }) {
    if (!backend) return `mirrors nothing: ${name} can't be used`;
    const all =
      part === whole ? '' : whole === 100 ? `${part} % of requests ` : `${part} in ${whole} requests `;
    return `mirrors ${all}to ${name}`;
  },
};

/**
 * Regular expressions of routes are written by tenants, so they must run in linear time. The engine is injected: this
 * folder imports no package. An expression must match the whole value (Gateway API leaves it open; so do Envoy and Istio).
 */
export interface CompiledRegex {
  /** Whether the whole of `value` matches. Linear in its length. */
  test(value: string): boolean;
}

export interface RegexEngine {
  /** The compiled expression, or why it can't be used (syntax, size). Never throws. */
  compile(source: string): { readonly regex: CompiledRegex } | { readonly problem: string };
}

/** What a matcher sees of a request. Protocol engines implement it over what they parsed, without copying. */
export interface MatchRequest {
  /** As received, such as GET: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** Canonical host (`normalizeHost`): lower case, no port, no trailing dot. */
  readonly host: string;
  /** Normalized path (`normalizePath`), without query. */
  readonly path: string;
  /** Query without "?", as received; empty where there is none. */
  readonly query: string;
  /** The value of a header, by its lower-case name; values of one name joined by ", ". That of `host` is the authority in canonical form (`normalizeAuthority`). */
  header(name: string): string | undefined;
}

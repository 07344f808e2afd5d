/** What a layer found that is not as the case says. */
export interface Mismatch {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  /** Why it is as it is, in several lines. */
  readonly explanation?: string;
}

export function mismatch(what: string, expected: unknown, got: unknown): Mismatch {
  const text = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
  return { what, expected: text(expected), got: text(got) };
}

/** Nothing where the two are equal. */
export function unequal(what: string, expected: unknown, got: unknown): Mismatch[] {
  return expected === undefined || expected === got ? [] : [mismatch(what, expected, got)];
}

/** A text that a case wrote between slashes is a regular expression for the whole value; any other is the value. */
export function textMatches(expected: string, got: string): boolean {
  const [, source] = /^\/(.*)\/$/s.exec(expected) ?? [];
  // A path such as /one/ is no expression: only what has more than path characters in it is meant as one.
  return source !== undefined && /[\\^$*+?()[\]{}|]/.test(source)
    ? new RegExp(`^(?:${source})$`, 's').test(got)
    : expected === got;
}

/** Fails a test with everything that is wrong, or does nothing. */
export function failOn(caseFile: string, layer: string, found: readonly Mismatch[]): void {
  if (found.length === 0) return;
  const lines = found.map(({ what, expected, got, explanation }) => {
    const text = `  ${what}\n    expected ${expected}\n    got      ${got}`;
    return explanation ? `${text}\n${explanation.replace(/^/gm, '    | ')}` : text;
  });
  const error = new Error([`tests/cases/${caseFile}.yaml, ${layer}:`, ...lines].join('\n'));
  // Where in the runner it was thrown says nothing about the case.
  error.stack = error.message;
  throw error;
}

/**
 * What a test began to say and did not end: `expect(app).toRoute(...)` alone, or `.to(...)` of what gets only a share, without that
 * share. It would hold whatever the app does, so the test fails at its end, at the line of the statement.
 */

interface Statement {
  readonly text: () => string;
  /** Made where the statement stands, for its line. */
  readonly error: Error;
}

const open = new Map<object, Statement>();

/** `text` says what is missing. Until `end` with the same key. */
export function begin(key: object, text: () => string, error: Error): void {
  open.set(key, { text, error });
}

export function end(key: object): void {
  open.delete(key);
}

/** Throws where a statement was left open, and forgets it. */
export function refuseOpen(): void {
  const [first] = open.values();
  const others = open.size - 1;
  open.clear();
  if (!first) return;
  const { error, text } = first;
  error.message = others > 0 ? `${text()}\n(and ${others} more like it)` : text();
  throw error;
}

/** What answers gave to a client that it brings along when it comes again: cookies, and the last value of every header. */
export class Carried {
  readonly #cookies = new Map<string, string>();
  readonly #headers = new Map<string, string>();

  take(rawHeaders: readonly string[]): void {
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!.toLowerCase();
      const value = rawHeaders[i + 1]!;
      this.#headers.set(name, value);
      if (name !== 'set-cookie') continue;
      const [pair] = value.split(';');
      const at = pair!.indexOf('=');
      this.#cookies.set(pair!.slice(0, at), pair!.slice(at + 1));
    }
  }

  /** Names and values in turns; fields that no answer had are left out. */
  fields(names: readonly string[]): string[] {
    return names.flatMap((name) => {
      const value =
        name === 'cookie'
          ? [...this.#cookies].map((pair) => pair.join('=')).join('; ')
          : this.#headers.get(name.toLowerCase());
      return value ? [name, value] : [];
    });
  }
}

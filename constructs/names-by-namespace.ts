/** Names of objects by their namespace, in an order that does not depend on who was added first. */
export class NamesByNamespace {
  readonly #all = new Map<string, Set<string>>();

  add(namespace: string, name: string): void {
    this.#all.set(namespace, (this.#all.get(namespace) ?? new Set()).add(name));
  }

  get namespaces(): Iterable<string> {
    return this.#all.keys();
  }

  /** Sorted. */
  in(namespace: string): string[] {
    return [...(this.#all.get(namespace) ?? [])].sort();
  }

  get sorted(): [namespace: string, names: string[]][] {
    return [...this.#all]
      .map(([namespace, names]): [string, string[]] => [namespace, [...names].sort()])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

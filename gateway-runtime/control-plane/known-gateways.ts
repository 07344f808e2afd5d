/** The Gateways of our classes, and which of them have gone. */
import type { Infrastructure, TranslationChange } from '../translate/translation.ts';

export class KnownGateways {
  readonly #byKey = new Map<string, Infrastructure>();

  /** Takes over what changed. Returns those that are gone: one that was made again under its name meanwhile is told by its uid. */
  update({
    infrastructure,
    removedGateways,
  }: Pick<TranslationChange, 'infrastructure' | 'removedGateways'>): Set<string> {
    const gone = new Set(removedGateways);
    for (const [key, now] of infrastructure) {
      const before = this.#byKey.get(key);
      if (before && now && before.uid !== now.uid) gone.add(key);
      if (now) this.#byKey.set(key, now);
      else this.#byKey.delete(key);
    }
    return gone;
  }

  get keys(): string[] {
    return [...this.#byKey.keys()];
  }

  classOf(key: string): string | undefined {
    return this.#byKey.get(key)?.className;
  }
}

/** The pods of Gateways, as the EndpointSlices of their Services have them: no right on pods is needed. */
import type { RawObject } from '../../api/object.ts';
import type { PodView } from '../distribution-view.ts';

interface Slice {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly endpoints?:
    | readonly {
        readonly conditions?: { readonly ready?: boolean };
        readonly targetRef?: { readonly kind?: string; readonly name?: string };
      }[]
    | null;
}

const SERVICE_NAME = 'kubernetes.io/service-name';

/** Keys are `namespace/name` of a Service. */
export class Pods {
  /** By Service, then by the name of the slice: pods and whether they are ready. */
  readonly #slices = new Map<string, Map<string, ReadonlyMap<string, boolean>>>();
  readonly #services = new Map<string, string>();
  readonly #views = new Map<string, readonly PodView[]>();

  of(service: string): readonly PodView[] {
    return this.#views.get(service) ?? [];
  }

  /** The Services whose pods are others than before, or otherwise. */
  observe(namespace: string, name: string, object: RawObject | undefined, now: number): string[] {
    const slice = `${namespace}/${name}`;
    const before = this.#services.get(slice);
    const label = object && (object as unknown as Slice).metadata.labels?.[SERVICE_NAME];
    const service = label ? `${namespace}/${label}` : undefined;
    if (before !== undefined && before !== service) this.#drop(before, slice);
    if (service === undefined) this.#services.delete(slice);
    else {
      this.#services.set(slice, service);
      const slices = this.#slices.get(service) ?? new Map();
      this.#slices.set(service, slices.set(slice, podsOf(object as unknown as Slice)));
    }
    const touched = new Set([before, service].filter((each) => each !== undefined));
    return [...touched].filter((each) => this.#review(each, now));
  }

  #drop(service: string, slice: string): void {
    const slices = this.#slices.get(service);
    slices?.delete(slice);
    if (slices?.size === 0) this.#slices.delete(service);
  }

  /** Whether something is other than before. */
  #review(service: string, now: number): boolean {
    const before = this.of(service);
    const ready = new Map<string, boolean>();
    // A pod that moves from one slice to another is in both for a moment.
    for (const pods of this.#slices.get(service)?.values() ?? []) {
      for (const [pod, isReady] of pods) ready.set(pod, isReady || (ready.get(pod) ?? false));
    }
    const views = [...ready]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, isReady]): PodView => {
        const known = before.find((each) => each.name === name);
        return known?.ready === isReady ? known : { name, ready: isReady, since: now };
      });
    if (views.length === before.length && views.every((view, index) => view === before[index])) return false;
    if (views.length > 0) this.#views.set(service, views);
    else this.#views.delete(service);
    return true;
  }
}

function podsOf({ endpoints }: Slice): ReadonlyMap<string, boolean> {
  const pods = new Map<string, boolean>();
  for (const { conditions, targetRef } of endpoints ?? []) {
    // "A nil value should be interpreted as true" (EndpointConditions.ready).
    if (targetRef?.kind === 'Pod' && targetRef.name) pods.set(targetRef.name, conditions?.ready ?? true);
  }
  return pods;
}

/**
 * Objects in, snapshots and statuses out, at the cost of what changed. The stages are one file each: objects, gateway
 * classes, listeners, merge, gateways, listener sets, attachment, routes with their rules and backends, endpoints,
 * certificates, status. Each is a function of what it reads; here they are joined, and `outputs.ts` adds up what they say.
 *
 * Pure and total: no object, however broken, makes it throw, and none is altered.
 */
import { KINDS, type KindName } from '../api/kinds.ts';
import { type ObjectRef, refKey } from '../api/object.ts';
import { routeParents } from './attachment.ts';
import { Backends } from './backends.ts';
import { Certificates } from './certificates.ts';
import { backendEndpoints } from './endpoints.ts';
import { gatewayClassViews } from './gateway-classes.ts';
import { gatewayViews } from './gateways.ts';
import { listenerSetViews, orphanDiagnostics } from './listener-sets.ts';
import { declaredListeners } from './listeners.ts';
import { Memo } from './memo.ts';
import { Objects } from './objects.ts';
import { Outputs } from './outputs.ts';
import { References } from './references.ts';
import { routeViews } from './routes.ts';
import type { Change, TranslateOptions, Translation, TranslationChange } from './translation.ts';

export class Translator {
  readonly #memo = new Memo();
  readonly #objects: Objects;
  readonly #outputs: Outputs;
  /** By kind, what begins and ends the observation of one object. Other kinds are read by these only. */
  readonly #observed: Partial<Record<KindName, Observation>>;
  readonly #present = new Set<string>();

  constructor(options: TranslateOptions) {
    const memo = this.#memo;
    const objects = new Objects(memo);
    const references = new References(memo, objects);
    const certificates = new Certificates(memo, objects, references);
    const backends = new Backends(memo, objects, references);
    const declared = declaredListeners(memo, objects, certificates);
    const classes = gatewayClassViews(memo, objects);
    const gateways = gatewayViews(memo, objects, declared, options.classes ?? 'own');
    const listenerSets = listenerSetViews(memo, objects, gateways);
    const orphans = orphanDiagnostics(memo, objects);
    const parents = routeParents(memo, gateways, listenerSets);
    const routes = routeViews(memo, objects, parents, backends, options.regex);
    const outputs = new Outputs({
      gateways,
      listenerSets,
      endpoints: backendEndpoints(memo, objects),
      certificates: certificates.bundles,
    });
    this.#objects = objects;
    this.#outputs = outputs;
    this.#observed = {
      GatewayClass: {
        begin: (ref) => classes.observe((_, after) => outputs.gatewayClass(ref, after), ref.name),
        end: (ref) => classes.unobserve(ref.name),
      },
      Gateway: {
        begin: (ref) =>
          gateways.observe((before, after) => outputs.gateway(ref, before, after), ref.namespace, ref.name),
        end: (ref) => gateways.unobserve(ref.namespace, ref.name),
      },
      ListenerSet: {
        begin: (ref) => {
          listenerSets.observe((_, after) => outputs.listenerSet(ref, after), ref.namespace, ref.name);
          orphans.observe((_, after) => outputs.report(ref, 'orphan', after ?? []), ref.namespace, ref.name);
        },
        end: (ref) => {
          listenerSets.unobserve(ref.namespace, ref.name);
          orphans.unobserve(ref.namespace, ref.name);
        },
      },
      HTTPRoute: {
        begin: (ref) =>
          routes.observe((before, after) => outputs.route(ref, before, after), ref.namespace, ref.name),
        end: (ref) => routes.unobserve(ref.namespace, ref.name),
      },
    };
  }

  /** Takes changes as one step, and says what they altered. Of several changes of one object the last one counts. */
  apply(changes: readonly Change[]): TranslationChange {
    for (const change of changes) {
      if ('set' in change) this.#set(change.set);
      else this.#remove(change.remove);
    }
    this.#memo.settle();
    return this.#outputs.take();
  }

  /** Everything as of now. Does not change any more when further changes are applied. */
  get current(): Translation {
    return this.#outputs.current;
  }

  #set(raw: Parameters<Objects['set']>[0]): void {
    const { ref, diagnostics } = this.#objects.set(raw);
    this.#outputs.report(ref, `object ${ref.group}`, diagnostics);
    const observation = this.#observationOf(ref);
    if (!observation || this.#present.has(refKey(ref))) return;
    this.#present.add(refKey(ref));
    observation.begin(ref);
  }

  #remove(ref: ObjectRef): void {
    this.#objects.remove(ref);
    this.#outputs.report(ref, `object ${ref.group}`, []);
    const observation = this.#observationOf(ref);
    if (observation && this.#present.delete(refKey(ref))) observation.end(ref);
  }

  #observationOf(ref: ObjectRef): Observation | undefined {
    if (!Object.hasOwn(this.#observed, ref.kind)) return undefined;
    const kind = ref.kind as KindName;
    return KINDS[kind].group === ref.group ? this.#observed[kind] : undefined;
  }
}

interface Observation {
  begin(ref: ObjectRef): void;
  end(ref: ObjectRef): void;
}

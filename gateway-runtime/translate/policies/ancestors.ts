/**
 * For which Gateways a policy matters: those with a route to a Service that it names. Each gets the policy's status (PolicyStatus), kept
 * at the cost of the routes and policies that change.
 */
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../../api/names.ts';
import { type ObjectRef, refKey } from '../../api/object.ts';
import type { Diagnostic } from '../../snapshot/diagnostic.ts';
import { type GatewayId, gatewayKey } from '../../snapshot/snapshot.ts';
import { diagnose } from '../findings.ts';
import type { ObjectStatus } from '../translation.ts';
import type { PolicyView } from './backend-tls.ts';
import { MOST_ANCESTORS } from './left-out.ts';

interface Service {
  readonly namespace: string;
  readonly service: string;
}

interface Entry {
  readonly ref: ObjectRef;
  readonly view: PolicyView;
}

/** What is to be said of a policy; without a view, it is gone. */
export interface PolicyVerdict {
  readonly ref: ObjectRef;
  readonly status: ObjectStatus | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** ConfigMaps that are to be read for it. */
  readonly configMaps: readonly string[];
  /** Gateways for which its status has no place, by `namespace/name`. */
  readonly leftOut: readonly string[];
}

export class PolicyAncestors {
  /** By Service: how many routes of each Gateway send there. */
  readonly #gateways = new Map<string, Map<string, number>>();
  /** By Service. */
  readonly #policies = new Map<string, Map<string, ObjectRef>>();
  readonly #views = new Map<string, Entry>();
  readonly #due = new Map<string, ObjectRef>();
  /** When each Gateway was made, in milliseconds since 1970. */
  readonly #created = new Map<string, number>();

  /** When a Gateway was made; undefined where it is gone. */
  gateway(key: string, created: number | undefined): void {
    const before = this.#created.get(key);
    if (created === undefined) this.#created.delete(key);
    else this.#created.set(key, created);
    // One that comes or goes changes what routes send to, too; only one in the place of another of its name may not.
    if (before === undefined || created === undefined || before === created) return;
    for (const [policy, { ref }] of this.#views) this.#due.set(policy, ref);
  }

  /** A route of a Gateway sends to a Service from now on, or no longer. */
  count(gateway: GatewayId, { namespace, service }: Service, by: 1 | -1): void {
    const key = `${namespace}/${service}`;
    const counts = this.#gateways.get(key) ?? new Map<string, number>();
    this.#gateways.set(key, counts);
    const of = gatewayKey(gateway);
    const before = counts.get(of) ?? 0;
    if (before + by > 0) counts.set(of, before + by);
    else counts.delete(of);
    if (counts.size === 0) this.#gateways.delete(key);
    if (before > 0 && before + by > 0) return;
    for (const [policy, ref] of this.#policies.get(key) ?? []) this.#due.set(policy, ref);
  }

  policy(ref: ObjectRef, before: PolicyView | undefined, after: PolicyView | undefined): void {
    const key = refKey(ref);
    for (const name of before?.services ?? []) {
      const policies = this.#policies.get(`${ref.namespace}/${name}`);
      if (policies?.delete(key) && policies.size === 0) this.#policies.delete(`${ref.namespace}/${name}`);
    }
    for (const name of after?.services ?? []) {
      const service = `${ref.namespace}/${name}`;
      this.#policies.set(service, (this.#policies.get(service) ?? new Map()).set(key, ref));
    }
    if (after) this.#views.set(key, { ref, view: after });
    else this.#views.delete(key);
    this.#due.set(key, ref);
  }

  /** What is to be said anew since the last call. */
  *take(): Generator<PolicyVerdict> {
    for (const [key, ref] of this.#due) {
      this.#due.delete(key);
      yield this.#verdict(ref, this.#views.get(key)?.view);
    }
  }

  #verdict(ref: ObjectRef, view: PolicyView | undefined): PolicyVerdict {
    const nothing = { ref, status: undefined, configMaps: [], leftOut: [] };
    if (!view) return { ...nothing, diagnostics: [] };
    const gateways = new Set(
      view.services.flatMap((name) => [...(this.#gateways.get(`${ref.namespace}/${name}`)?.keys() ?? [])]),
    );
    const diagnostics = view.lost.map((finding) => diagnose('policy', ref, finding, 'warning'));
    // It is another controller's, or nobody's.
    if (gateways.size === 0) return { ...nothing, diagnostics };
    const created = (key: string) => this.#created.get(key) ?? Number.MAX_SAFE_INTEGER;
    const all = [...gateways].sort((a, b) => created(a) - created(b) || (a < b ? -1 : 1));
    const ancestors = all
      .slice(0, MOST_ANCESTORS)
      .sort()
      .map((key) => {
        const [namespace, name] = key.split('/') as [string, string];
        return {
          ancestorRef: { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name },
          controllerName: CONTROLLER_NAME,
          conditions: view.conditions,
        };
      });
    return {
      ref,
      status: { kind: 'BackendTLSPolicy', ref, ancestors },
      diagnostics: [...view.errors.map((finding) => diagnose('policy', ref, finding)), ...diagnostics],
      configMaps: view.configMaps,
      leftOut: all.slice(MOST_ANCESTORS),
    };
  }
}

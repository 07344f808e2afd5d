/**
 * Objects in, snapshots and statuses out, at the cost of what changed. The stages are one file each: objects, gateway
 * classes, listeners, merge, gateways, listener sets, attachment, shares, routes with their rules and backends, endpoints,
 * certificates, status. Each is a function of what it reads; here they are joined, and `outputs.ts` adds up what they say.
 *
 * Pure and total: no object, however broken, makes it throw, and none is altered.
 */
import { KINDS, type KindName } from '../api/kinds.ts';
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import { ROUTE_KINDS } from '../api/route-kinds.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { routeParents } from './attachment.ts';
import { Backends } from './backends.ts';
import { CaBundles } from './ca-bundles.ts';
import { Certificates } from './certificates.ts';
import { defaultGateways } from './default-gateways.ts';
import { backendEndpoints } from './endpoints.ts';
import { gatewayClassViews } from './gateway-classes.ts';
import { gatewayViews } from './gateways.ts';
import { grantStatuses } from './grant-statuses.ts';
import { Grants } from './grants.ts';
import { listenerSetViews } from './listener-sets.ts';
import { declaredListeners } from './listeners.ts';
import { type Derived, Memo } from './memo.ts';
import { Objects, type Withheld } from './objects.ts';
import { Outputs } from './outputs.ts';
import { missingClasses, missingGateways } from './parents.ts';
import { BackendTlsPolicies } from './policies/backend-tls.ts';
import { GatewayPolicies } from './policies/gateway-policies.ts';
import { gatewayPolicyViews, routePolicyViews } from './policies/policy-views.ts';
import { RoutePolicies } from './policies/route-policies.ts';
import { teamBounds } from './policies/team-bounds.ts';
import { References } from './references.ts';
import { type RoutePlaces, routePlaces } from './route-places.ts';
import { routeViews } from './routes.ts';
import { DEFAULT_LIMITS, Shares } from './shares.ts';
import type { Change, TranslateOptions, Translation, TranslationChange, Withhold } from './translation.ts';

/** What is observed of an object of one kind, by its namespace and name. */
type Watch = (ref: ObjectRef) => { begin(): void; end(): void };

function watch<V>(
  derived: Derived<V>,
  tell: (ref: ObjectRef, before: V | undefined, after: V | undefined) => void,
): Watch {
  return (ref) => ({
    begin: () => derived.observe((before, after) => tell(ref, before, after), ref.namespace, ref.name),
    end: () => derived.unobserve(ref.namespace, ref.name),
  });
}

export class Translator {
  readonly #memo = new Memo();
  readonly #objects: Objects;
  readonly #places: readonly Derived<RoutePlaces | undefined>[];
  readonly #shares: Shares;
  readonly #outputs: Outputs;
  /** Other kinds than these are only read by them. */
  readonly #watches: Partial<Record<KindName, readonly Watch[]>>;
  readonly #watched = new Set<string>();

  constructor(options: TranslateOptions) {
    const memo = this.#memo;
    const classes = options.classes ?? 'own';
    const objects = new Objects(memo);
    const references = new References(memo, objects);
    const certificates = new Certificates(memo, objects, references);
    const caBundles = new CaBundles(memo, objects, references);
    const tlsPolicies = new BackendTlsPolicies(memo, objects, caBundles);
    const backends = new Backends(memo, objects, references, tlsPolicies);
    const ofGateways = new GatewayPolicies(memo, objects);
    const policies = { gateways: ofGateways, routes: new RoutePolicies(memo, objects) };
    const grants = new Grants(memo, objects);
    const declared = declaredListeners(memo, objects, certificates);
    const gateways = gatewayViews(
      memo,
      objects,
      declared,
      certificates,
      caBundles,
      grants,
      ofGateways,
      classes,
    );
    const listenerSets = listenerSetViews(memo, objects, gateways);
    const parents = routeParents(memo, gateways, listenerSets);
    const defaults = defaultGateways(memo, objects, gateways);
    const shares = new Shares(memo, { ...DEFAULT_LIMITS, ...options.limits });
    const routeStages = ROUTE_KINDS.map((kind) => {
      const places = routePlaces(kind, memo, objects, parents, defaults, grants);
      return {
        kind,
        places,
        views: routeViews(kind, memo, objects, places, shares, grants, backends, policies, options.regex),
      };
    });
    const httpRoutes = routeStages.find(({ kind }) => kind === 'HTTPRoute')!.views;
    const outputs = new Outputs({
      gateways,
      listenerSets,
      endpoints: backendEndpoints(memo, objects),
      certificates: certificates.bundles,
    });
    const reportParent = (ref: ObjectRef, _: unknown, after: readonly Diagnostic[] | undefined) =>
      outputs.report(ref, 'parent', after ?? []);
    this.#objects = objects;
    this.#places = routeStages.map(({ places }) => places);
    this.#shares = shares;
    this.#outputs = outputs;
    this.#watches = {
      GatewayClass: [
        watch(gatewayClassViews(memo, objects), (ref, _, after) => outputs.gatewayClass(ref, after)),
      ],
      Gateway: [
        watch(gateways, (ref, before, after) => outputs.gateway(ref, before, after)),
        watch(missingClasses(memo, objects, classes), reportParent),
      ],
      ListenerSet: [
        watch(listenerSets, (ref, _, after) => outputs.listenerSet(ref, after)),
        watch(missingGateways(memo, objects), reportParent),
      ],
      Grant: [
        watch(
          grantStatuses(memo, objects, gateways, teamBounds(memo, objects, gateways, parents, ofGateways)),
          (ref, _, after) => outputs.grant(ref, after),
        ),
      ],
      BackendTLSPolicy: [
        watch(tlsPolicies.views, (ref, before, after) => outputs.backendTlsPolicy(ref, before, after)),
      ],
      GatewayPolicy: [
        watch(gatewayPolicyViews(memo, objects, ofGateways, gateways, listenerSets), (ref, _, after) =>
          outputs.policy(ref, after),
        ),
      ],
      RoutePolicy: [
        watch(routePolicyViews(memo, objects, policies.routes, httpRoutes), (ref, _, after) =>
          outputs.policy(ref, after),
        ),
      ],
      ...Object.fromEntries(
        routeStages.map(({ kind, places, views }) => [
          kind,
          [
            watch(places, (ref, before, after) => shares.route(ref, before, after)),
            watch(views, (ref, before, after) => outputs.route(ref, before, after)),
          ],
        ]),
      ),
    };
  }

  /** Takes changes as one step, and says what they altered. Of several changes of one object the last one counts. */
  apply(changes: readonly (Change | Withhold)[]): TranslationChange {
    for (const change of changes) {
      if ('set' in change) this.#set(change.set);
      else if ('remove' in change) this.#remove(change.remove);
      else this.#withhold(change.withhold, change);
    }
    // Where routes attach decides what each namespace takes up, and that which routes are served: so in this order.
    for (const places of this.#places) places.settle();
    this.#shares.settle(this.#outputs);
    this.#memo.settle();
    return this.#outputs.take();
  }

  /** Everything as of now. Does not change any more when further changes are applied. */
  get current(): Translation {
    return this.#outputs.current;
  }

  /** How many values were computed so far: what changes cost, whatever the machine. */
  get computations(): number {
    return this.#memo.computations;
  }

  #set(raw: RawObject): void {
    const { ref, diagnostics } = this.#objects.set(raw);
    this.#outputs.report(ref, `object ${ref.group}`, diagnostics);
    const watches = this.#watchesOf(ref);
    if (watches.length === 0 || this.#watched.has(refKey(ref))) return;
    this.#watched.add(refKey(ref));
    for (const each of watches) each(ref).begin();
  }

  #remove(ref: ObjectRef): void {
    this.#objects.remove(ref);
    this.#end(ref);
  }

  #withhold(ref: ObjectRef, why: Withheld): void {
    this.#objects.withhold(ref, why);
    this.#end(ref);
  }

  #end(ref: ObjectRef): void {
    this.#outputs.report(ref, `object ${ref.group}`, []);
    const watches = this.#watchesOf(ref);
    if (watches.length === 0 || !this.#watched.delete(refKey(ref))) return;
    for (const each of watches) each(ref).end();
  }

  #watchesOf(ref: ObjectRef): readonly Watch[] {
    if (!Object.hasOwn(this.#watches, ref.kind) || KINDS[ref.kind as KindName].group !== ref.group) return [];
    return this.#watches[ref.kind as KindName]!;
  }
}

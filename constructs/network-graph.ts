/** Who sends to whom, as far as the constructs of an app say it. */
import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { type AppReferenceGrant, referenceGrantsOf } from './consents.ts';
import { type GatewayBase, isGateway } from './gateway.ts';
import { type ListenerSpec, type RouteNamespaces, sameNamespace } from './listener.ts';
import { ATTACHMENTS, type SynthHooks } from './synth-hooks.ts';

export type Gateway = GatewayBase<Readonly<Record<string, ListenerSpec>>>;

/** Namespaces: these by name, and those with labels; `{}` has all of them. */
export interface Namespaces {
  readonly names: readonly string[];
  readonly labelled: readonly Readonly<Record<string, string>>[];
}

interface Lent {
  readonly from: readonly string[];
  readonly to: string;
}

export class NetworkGraph {
  readonly gateways: readonly Gateway[];
  readonly #lent: readonly Lent[];
  /** Namespaces that have routes. */
  readonly #routes: ReadonlySet<string>;

  constructor(app: IConstruct) {
    const constructs = app.node.root.node.findAll();
    this.gateways = constructs.filter(isGateway);
    const objects = constructs.filter((each) => ApiObject.isApiObject(each));
    this.#lent = referenceGrantsOf(app).flatMap(lentBy);
    this.#routes = new Set(
      objects
        .filter(({ kind, apiGroup }) => apiGroup === GATEWAY_GROUP && kind.endsWith('Route'))
        .flatMap(({ metadata }) => metadata.namespace ?? []),
    );
  }

  /** Where the backends of a gateway may be: with the routes that it admits, and where their owners lend them Services. */
  backendsOf(gateway: Gateway): Namespaces {
    const names = new Set(
      ((gateway as SynthHooks)[ATTACHMENTS]?.() ?? []).flatMap(({ team }) => team?.namespace ?? []),
    );
    const labelled: Readonly<Record<string, string>>[] = [];
    const admit = (routes: RouteNamespaces) => {
      if (routes.from === 'All') labelled.push({});
      else if (routes.from === 'Selector') labelled.push(routes.labels);
      // The platform's own, where it has any.
      else if (this.#routes.has(gateway.namespace)) names.add(gateway.namespace);
    };
    for (const { routes } of Object.values(gateway._specs)) admit(routes ?? sameNamespace());
    for (const { from, to } of this.#lent) if (from.some((each) => names.has(each))) names.add(to);
    return { names: [...names].sort(), labelled };
  }
}

/** Services that a ReferenceGrant lends to routes. */
function lentBy({ namespace: to, spec }: AppReferenceGrant): Lent[] {
  if (!spec.to.some(({ group, kind }) => group === '' && kind === 'Service')) return [];
  const from = spec.from.filter(({ kind }) => kind.endsWith('Route')).map(({ namespace }) => namespace);
  return [{ from, to }];
}

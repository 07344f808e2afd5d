/** What shared and dedicated gateways have in common: the Gateway object and the entries of its listeners. */
import { type ApiObject, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { NAMESPACE_NAME_LABEL } from '../gateway-runtime/api/names.ts';
import { AdmissionPolicies } from './admission.ts';
import { gatewayObject } from './api-object.ts';
import { requireChecks } from './checks.ts';
import { authoritiesOf, differingPorts, frontendTls } from './client-certificates.ts';
import { type DataPlaneProps, parametersObject } from './gateway-parameters.ts';
import { GatewayPolicyObject } from './gateway-policy.ts';
import { GrantObjects } from './grant-objects.ts';
import { isListener, type ListenerSpec, listenerProblems, type RouteNamespaces } from './listener.ts';
import { labelProblem, nameProblem } from './naming.ts';
import type { DefaultPolicy, EnforcedPolicy } from './policy-values.ts';
import { found, isObject, oneOf, optional, type Read, record, type Shape, text, type } from './props.ts';
import { platformProblems } from './role.ts';
import { PROTOCOLS, type RouteKind } from './route-kind.ts';
import type { TeamRef } from './team.ts';

/** A GatewayClass: by name, or as a `GatewayRuntime` gives it. */
export type GatewayClassRef = string | { readonly className: string };

/** Who holds teams to their grants. */
export type HeldBy = 'admission' | 'runtime' | 'listeners';

export const DEFAULT_CLASS = 'gatewright';

export interface GatewayProps<Listeners> {
  /** The listeners, by name; the order is that of the object. */
  readonly listeners: Listeners;
  /**
   * The class of the gateway: a GatewayRuntime, one of its classes, or the name of any GatewayClass.
   * @default 'gatewright'
   */
  readonly class?: GatewayClassRef;
  /**
   * The name of the Gateway object.
   * @default - the id of the construct
   */
  readonly name?: string;
  /**
   * The namespace of the Gateway object.
   * @default - the namespace of the chart
   */
  readonly namespace?: string;
  /**
   * How its data planes run, where that is not as its class says. Only for gateways that Gatewright serves.
   * @default - as the class says
   */
  readonly parameters?: DataPlaneProps;
  /**
   * What holds teams to their grants in a cluster, besides the listeners themselves. `admission`: policies by which the API server refuses what was
   * not granted (Kubernetes 1.30), and Grant objects, by which our runtime goes whatever routes say. `runtime`: the Grant objects alone. `listeners`:
   * nothing more, for implementations other than ours in clusters without our kinds.
   * @default 'admission'
   */
  readonly heldBy?: HeldBy;
}

export const GATEWAY_PROPS: Shape<GatewayProps<unknown>> = {
  listeners: record('listeners by name, { web: http(80) },', type('http() or https()', isListener)),
  class: optional(
    type(
      'a GatewayRuntime, a class of one, or a name',
      (value) =>
        typeof value === 'string' ||
        (isObject(value) && 'className' in value && typeof value.className === 'string'),
    ),
  ),
  name: optional(text),
  namespace: optional(text),
  parameters: optional(type('an object such as { replicas: 3 }', isObject)),
  heldBy: optional(oneOf('admission', 'runtime', 'listeners')),
};

/** An entry of `spec.listeners`. */
export type ListenerEntry = Record<string, unknown> & { readonly name: string };

/** Whether a construct is a gateway of this package or of a copy of it. */
export const isGateway = (
  construct: object,
): construct is GatewayBase<Readonly<Record<string, ListenerSpec>>> =>
  '_specs' in construct && 'className' in construct;

export abstract class GatewayBase<
  Listeners extends Readonly<Record<string, ListenerSpec>>,
> extends Construct {
  readonly name: string;
  readonly namespace: string;
  readonly className: string;
  readonly heldBy: HeldBy;
  /** The Gateway object. */
  readonly object: ApiObject;
  /** @internal */
  readonly _specs: Listeners;
  readonly #shape: readonly string[];
  #policy: GatewayPolicyObject | undefined;

  /** @internal Throws an Error where there are no listeners at all: nothing could be said of grants and routes on it. */
  constructor(
    scope: Construct,
    id: string,
    { props, problems }: Read<GatewayProps<Listeners>>,
    given: unknown,
  ) {
    super(scope, id);
    const listeners: unknown = isObject(given) && 'listeners' in given ? given.listeners : undefined;
    if (!isObject(listeners)) {
      const misspelt = problems.find((each) => each.endsWith('did you mean listeners?'));
      throw new Error(
        `${this.node.path}: ${misspelt ?? `a gateway takes an object with listeners, { listeners: { web: http(80) } }, this is ${found(given)}`}`,
      );
    }
    this.name = props.name ?? id;
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.className = typeof props.class === 'object' ? props.class.className : (props.class ?? DEFAULT_CLASS);
    // What is none is told; the others stay, so that nothing is told of grants on them.
    const usable = Object.entries<ListenerSpec>(listeners as Listeners).filter(([, each]) =>
      isListener(each),
    );
    this.heldBy = props.heldBy ?? 'admission';
    this.#shape = [
      ...problems,
      ...usable.flatMap(([name, each]) =>
        listenerProblems(each).map((problem) => `listener ${name}: ${problem}`),
      ),
    ];
    this._specs = Object.freeze(
      Object.fromEntries(
        usable.map(([name, each]) => [
          name,
          Object.freeze({ ...each, certificates: each.certificates.filter(isObject) }),
        ]),
      ),
    ) as unknown as Listeners;
    requireChecks(this, () => this._problems());
    const parametersRef =
      props.parameters &&
      parametersObject(this, 'Parameters', {
        name: this.name,
        namespace: this.namespace,
        parameters: props.parameters,
      });
    this.object = gatewayObject(this, 'Resource', {
      kind: 'Gateway',
      name: this.name,
      namespace: this.namespace,
      spec: () => ({
        gatewayClassName: this.className,
        ...(parametersRef ? { infrastructure: { parametersRef } } : {}),
        tls: frontendTls(this._specs),
        ...this._spec(),
      }),
    });
    if (this.heldBy !== 'listeners') new GrantObjects(this as never);
    if (this.heldBy === 'admission') new AdmissionPolicies(this as never);
  }

  /**
   * Forces something on all that is served here, whatever routes and their policies say: a GatewayPolicy with overrides. Routes may be stricter
   * where that can be. What is wrong is told at synth, also what a route of the app says beyond it.
   */
  enforce(policy: EnforcedPolicy): this {
    this.#policed.enforce(policy);
    return this;
  }

  /**
   * What routes have that say nothing themselves, and the bounds of what they may say: a GatewayPolicy with defaults. What is wrong is told at
   * synth.
   */
  defaults(policy: DefaultPolicy): this {
    this.#policed.defaults(policy);
    return this;
  }

  get #policed(): GatewayPolicyObject {
    this.#policy ??= new GatewayPolicyObject(this);
    return this.#policy;
  }

  /** @internal What the kind of gateway makes of its listeners. */
  abstract _spec(): { readonly listeners: readonly ListenerEntry[]; readonly [field: string]: unknown };

  /** @internal Each certificate that a listener names, with its namespace written out. */
  get _certificates(): { readonly name: string; readonly namespace: string }[] {
    return Object.values(this._specs)
      .flatMap((spec) => spec.certificates)
      .map(({ name, namespace = this.namespace }) => ({ name, namespace }));
  }

  /** @internal Each ConfigMap with certificates of authorities that a listener names, with its namespace written out. */
  get _authorities(): { readonly name: string; readonly namespace: string }[] {
    return Object.values(this._specs)
      .flatMap(authoritiesOf)
      .map(({ name, namespace = this.namespace }) => ({ name, namespace }));
  }

  /** @internal */
  _problems(): string[] {
    const ofPolicy = this.#policy?.problems ?? [];
    if (this.#shape.length + ofPolicy.length > 0) return [...this.#shape, ...ofPolicy];
    const problems = [
      ...nameProblem('Gateway', this.name),
      ...Object.keys(this._specs).flatMap((name) => labelProblem('listener', name)),
      ...differingPorts(this._specs),
      ...platformProblems(this, 'gateway', 'another chart and grant the team its hostnames'),
    ];
    const { listeners } = this._spec();
    if (listeners.length > 64) {
      problems.push(
        `the Gateway would have ${listeners.length} listeners, and an object holds 64: leave teamListeners at 'listener-set', so that each team gets an object of its own`,
      );
    }
    return problems;
  }
}

interface EntryProps {
  readonly name: string;
  readonly hostname?: string | undefined;
  readonly routes: EntryNamespaces;
  readonly kinds?: readonly RouteKind[];
}

export function listenerEntry(
  spec: Pick<ListenerSpec, 'port' | 'protocol' | 'certificates'>,
  { name, hostname, routes, kinds }: EntryProps,
): ListenerEntry {
  return {
    name,
    hostname,
    port: spec.port,
    protocol: spec.protocol,
    tls: apiTls(spec),
    allowedRoutes: {
      namespaces: apiNamespaces(routes),
      kinds: kinds?.map((kind) => ({ kind })),
    },
  };
}

function apiTls({
  protocol,
  certificates,
}: Pick<ListenerSpec, 'protocol' | 'certificates'>): Record<string, unknown> | undefined {
  if (protocol === 'TLS') return { mode: 'Passthrough' };
  if (protocol !== 'HTTPS') return undefined;
  return { certificateRefs: certificates.map(({ kind, name, namespace }) => ({ kind, name, namespace })) };
}

/** The kinds of routes, of some, that a listener can take. */
export const kindsAt = ({ protocol }: ListenerSpec, kinds: readonly RouteKind[]): RouteKind[] =>
  kinds.filter((kind) => PROTOCOLS[kind].includes(protocol));

/** The namespaces of teams, by the label that the API server itself writes, so that no label can be forged into a grant. */
export function onlyNamespacesOf(teams: readonly TeamRef[]): EntryNamespaces {
  const [first, ...others] = [...new Set(teams.map(({ namespace }) => namespace))].sort();
  return others.length > 0
    ? { from: 'Named', names: [first!, ...others] }
    : { from: 'Selector', labels: { [NAMESPACE_NAME_LABEL]: first! } };
}

/** Whom an entry admits; several namespaces by name are more than people can write. */
type EntryNamespaces = RouteNamespaces | { readonly from: 'Named'; readonly names: readonly string[] };

/** In the form of the API. */
export function apiNamespaces(routes: EntryNamespaces): Record<string, unknown> {
  if (routes.from === 'Selector') return { from: 'Selector', selector: { matchLabels: routes.labels } };
  if (routes.from !== 'Named') return { from: routes.from };
  const expression = { key: NAMESPACE_NAME_LABEL, operator: 'In', values: routes.names };
  return { from: 'Selector', selector: { matchExpressions: [expression] } };
}

/** `secure.shop.example.com`, and `secure-any.shop.example.com` for `*.shop.example.com`; the listener itself where it has no hostname. */
export function sectionName(listener: string, hostname: string | undefined): string {
  if (hostname === undefined) return listener;
  return hostname.startsWith('*.') ? `${listener}-any${hostname.slice(1)}` : `${listener}.${hostname}`;
}

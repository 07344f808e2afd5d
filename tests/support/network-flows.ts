/**
 * Whether NetworkPolicies let one pod connect to another (networking.k8s.io/v1): read from the objects and the words of the API, and from nothing
 * of what made them. A pod that no policy of a direction selects is open in that direction; else what any policy allows is allowed.
 */
export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is outside of the cluster, or on the network of a node. */
export const OUTSIDE = 'outside' as const;
export type Party = Pod | typeof OUTSIDE;

export interface Port {
  readonly port: number;
  /** @default 'TCP' */
  readonly protocol?: 'TCP' | 'UDP';
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
}

export interface NetworkPolicy {
  readonly metadata: { readonly namespace?: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

export class NetworkFlows {
  readonly #policies: readonly NetworkPolicy[];
  readonly #namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;

  /** @param namespaces Labels of namespaces that have more than their name. */
  constructor(
    policies: readonly NetworkPolicy[],
    namespaces: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ) {
    this.#policies = policies;
    this.#namespaces = namespaces;
  }

  allows(from: Party, to: Party, at: Port): boolean {
    return this.#lets('Egress', from, to, at) && this.#lets('Ingress', to, from, at);
  }

  #lets(direction: 'Ingress' | 'Egress', pod: Party, other: Party, at: Port): boolean {
    if (pod === OUTSIDE) return true;
    const selecting = this.#policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === pod.namespace &&
        spec.policyTypes.includes(direction) &&
        selects(spec.podSelector, pod.labels),
    );
    return (
      selecting.length === 0 ||
      selecting.some(({ spec }) =>
        ((direction === 'Ingress' ? spec.ingress : spec.egress) ?? []).some(
          (rule) =>
            this.#concerns(direction === 'Ingress' ? rule.from : rule.to, other, pod.namespace) &&
            hasPort(rule, at),
        ),
      )
    );
  }

  /** Without peers a rule is for everybody, outside too; a peer without a namespace selector is in the namespace of the policy. */
  #concerns(peers: readonly Peer[] | undefined, other: Party, own: string): boolean {
    if (!peers || peers.length === 0) return true;
    if (other === OUTSIDE) return false;
    const labels = { ...this.#namespaces[other.namespace], 'kubernetes.io/metadata.name': other.namespace };
    return peers.some(
      ({ podSelector, namespaceSelector }) =>
        (namespaceSelector ? selects(namespaceSelector, labels) : other.namespace === own) &&
        (!podSelector || selects(podSelector, other.labels)),
    );
  }
}

const hasPort = ({ ports }: Rule, { port, protocol = 'TCP' }: Port) =>
  !ports || ports.length === 0 || ports.some((each) => each.port === port && each.protocol === protocol);

function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      throw new Error(`operator ${operator} is not one that was expected here`);
    })
  );
}

/** Grants as translate reads them: what a namespace holds of a Gateway, and at which listeners that is asked. */
import { GRANTED_LISTENERS, TEAM_LABEL } from '../api/names.ts';
import { type BroughtListener, broughtProblem, type Holding } from '../grants/holding.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

export class Grants {
  readonly #holdings: Derived<Holding>;
  readonly #brought: Derived<string | undefined>;

  constructor(memo: Memo, objects: Objects) {
    this.#holdings = memo.derive((gatewayNamespace, gatewayName, namespace) => {
      const gateway = { namespace: gatewayNamespace!, name: gatewayName! };
      const specs = objects
        .grantsOfTo(gateway, namespace!)
        .map((each) => objects.get('Grant', each.namespace, each.name)!.spec);
      return {
        gateway: `${gatewayNamespace}/${gatewayName}`,
        team: specs[0]?.team ?? objects.namespaceLabel(namespace!, TEAM_LABEL) ?? namespace!,
        grants: specs.flatMap(({ grants }) => grants),
      };
    });
    /** Namespaces by the hostnames that they hold, as these are written. */
    const holders = memo.derive((gatewayNamespace, gatewayName) => {
      const byHostname = new Map<string, string[]>();
      for (const each of objects.grantsOf({ namespace: gatewayNamespace!, name: gatewayName! })) {
        const { namespace, grants } = objects.get('Grant', each.namespace, each.name)!.spec;
        for (const hostname of new Set(grants.flatMap(({ hostnames }) => hostnames))) {
          byHostname.set(hostname, [...(byHostname.get(hostname) ?? []), namespace]);
        }
      }
      return byHostname;
    });
    this.#brought = memo.derive((gatewayNamespace, gatewayName, namespace, port, protocol, hostname) => {
      const all = holders.get(gatewayNamespace!, gatewayName!);
      return broughtProblem(
        { port: Number(port), protocol: protocol!, ...(hostname ? { hostname } : {}) },
        namespace!,
        this.#holdings.get(gatewayNamespace!, gatewayName!, namespace!),
        (each) => all.get(each) ?? [],
      );
    });
  }

  /** What a namespace holds of a Gateway; nothing where there is no Grant. */
  of(gateway: GatewayId, namespace: string): Holding {
    return this.#holdings.get(gateway.namespace, gateway.name, namespace);
  }

  /** Why a namespace may not bring a listener to a Gateway, without a full stop. */
  broughtProblem(
    gateway: GatewayId,
    namespace: string,
    { port, protocol, hostname = '' }: BroughtListener,
  ): string | undefined {
    return this.#brought.get(gateway.namespace, gateway.name, namespace, `${port}`, protocol, hostname);
  }
}

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** Whether Grants are asked for at an object: of a Gateway, that its ListenerSets of other namespaces need one each. */
export const asksForGrants = ({ metadata: { annotations } }: Annotated): boolean =>
  annotations !== undefined && Object.hasOwn(annotations, GRANTED_LISTENERS);

/** The listeners of an object at which routes of other namespaces need a Grant that names them. */
export function grantedListeners(object: Annotated): (name: string) => boolean {
  if (!asksForGrants(object)) return () => false;
  const names = new Set(
    object.metadata.annotations![GRANTED_LISTENERS]!.split(',').map((each) => each.trim()),
  );
  return names.has('*') ? () => true : (name) => names.has(name);
}

/** GatewayPolicies: which of them are over a listener, what they make of the listener itself, and what is said of each. */
import type { KindObject } from '../../api/kinds.ts';
import { GATEWAY_GROUP, OWN_GROUP } from '../../api/names.ts';
import type { ObjectRef } from '../../api/object.ts';
import { contentHash } from '../../snapshot/canonical.ts';
import type { GatewayId } from '../../snapshot/snapshot.ts';
import type { DeclaredListener } from '../listeners.ts';
import type { Derived, Memo } from '../memo.ts';
import type { Name, Objects } from '../objects.ts';
import { type Level, minTlsVersion } from './levels.ts';
import { appliedBy } from './policed-rule.ts';
import { PolicyTargets } from './targets.ts';

export type GatewayPolicy = KindObject<'GatewayPolicy'>;
type Home = DeclaredListener['home'];

/** From the highest to the lowest. */
export interface Levels {
  /** Hash of `list`; empty where that is. */
  readonly key: string;
  readonly list: readonly Level[];
}

const NO_LEVELS: Levels = { key: '', list: [] };

export const gatewayPolicyRef = ({ namespace, name }: Name): ObjectRef => ({
  group: OWN_GROUP,
  kind: 'GatewayPolicy',
  namespace,
  name,
});

export class GatewayPolicies {
  readonly targets: PolicyTargets;
  readonly #objects: Objects;
  readonly #levels: Derived<Levels>;

  constructor(memo: Memo, objects: Objects) {
    this.#objects = objects;
    this.targets = new PolicyTargets('GatewayPolicy', GATEWAY_GROUP, memo, objects);
    this.#levels = memo.derive((gatewayNamespace, gatewayName, kind, namespace, name, section) => {
      const gateway = { kind: 'Gateway', namespace: gatewayNamespace!, name: gatewayName! };
      const home = { kind: kind!, namespace: namespace!, name: name! };
      const ofGateway = this.targets.holder(gateway);
      const ofSet = kind === 'ListenerSet' ? this.targets.holder(home) : undefined;
      const ofListener = section ? this.targets.holder(home, section) : undefined;
      const list = [ofGateway, ofSet, ofListener].flatMap((each) => (each ? this.level(each) : []));
      return list.length > 0 ? { key: contentHash(list), list } : NO_LEVELS;
    });
  }

  /** Those over a listener of a Gateway, or of a ListenerSet of it; with an empty section, those over all of its listeners. */
  over(gateway: GatewayId, { kind, namespace, name }: Home, section: string): Levels {
    return this.#levels.get(gateway.namespace, gateway.name, kind, namespace, name, section);
  }

  /** The policies that name an object or a listener of it, by listener; that of the whole object has an empty name. */
  of(home: Home): ReadonlyMap<string, Name> {
    return this.targets.of(home);
  }

  /** A listener with what policies say of its handshakes. */
  applyTo(listener: DeclaredListener, gateway: GatewayId): DeclaredListener {
    const { resource } = listener;
    if (!resource || !listener.terminates) return listener;
    const { list } = this.over(gateway, listener.home, listener.name);
    const held = list.length > 0 ? minTlsVersion(list) : undefined;
    if (!held) return listener;
    const { hash: _, ...rest } = resource;
    const policies = held.from.map(({ value, from: { policy, field } }) =>
      appliedBy(policy!, field, `handshakes are of ${value} or later`),
    );
    const policed = {
      ...rest,
      // The least that the proxy takes in any case.
      ...(held.value === 'TLSv1.2' ? {} : { minTlsVersion: held.value }),
      policies,
    };
    return { ...listener, resource: { ...policed, hash: contentHash(policed) } };
  }

  /** What a policy that is there says. */
  level({ namespace, name }: Name): Level {
    const { overrides, defaults } = this.#objects.get('GatewayPolicy', namespace, name)!.spec;
    return {
      policy: gatewayPolicyRef({ namespace, name }),
      ...(overrides ? { overrides } : {}),
      ...(defaults ? { defaults } : {}),
    };
  }
}

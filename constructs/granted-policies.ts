/** What GatewayPolicies say of the listeners of a grant, as data: what the platform's repository writes for that of the team. */
import { GATEWAY_POLICY_VERSION, type GatewayPolicySpec } from '../gateway-runtime/api/gateway-policy.ts';
import { type KindObject, parse } from '../gateway-runtime/api/kinds.ts';
import { OWN_GROUP } from '../gateway-runtime/api/names.ts';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import type { GrantData } from './import-grant.ts';
import { isObject } from './props.ts';

type Fixed<Value> = Value extends object ? { readonly [Key in keyof Value]: Fixed<Value[Key]> } : Value;

/** A GatewayPolicy beside the gateway: its name, and its spec, as far as that is about the grant. */
export type GrantPolicy = Fixed<{ name: string } & GatewayPolicySpec>;

type Granted = Pick<GrantData, 'gateway' | 'places'>;
type TargetRef = GatewayPolicySpec['targetRefs'][number];

/** Of all objects the policies over the listeners of a grant, by name. */
export function policiesOf(objects: readonly RawObject[], grant: Granted): GrantPolicy[] {
  return objects
    .flatMap((object) => {
      const parsed = object.kind === 'GatewayPolicy' ? parse(object) : undefined;
      if (parsed?.outcome !== 'known' || parsed.ref.namespace !== namespaceOf(grant)) return [];
      const { spec } = parsed.object as KindObject<'GatewayPolicy'>;
      const targetRefs = spec.targetRefs.filter((target) => isOver(target, grant));
      const { overrides, defaults } = spec;
      const said = { ...(overrides ? { overrides } : {}), ...(defaults ? { defaults } : {}) };
      return targetRefs.length > 0 ? [{ name: parsed.ref.name, ...said, targetRefs }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a policy beside the gateway with this target is over one of the listeners. */
const isOver = ({ kind, name, sectionName }: TargetRef, { gateway, places }: Granted): boolean =>
  (kind === 'Gateway' && sectionName === undefined && gateway.endsWith(`/${name}`)) ||
  places.some(
    (place) =>
      place.kind === kind &&
      place.name === name &&
      (sectionName === undefined || place.sectionName === sectionName),
  );

const namespaceOf = ({ gateway }: Granted): string => gateway.slice(0, gateway.indexOf('/'));

const objectOf = ({ name, ...spec }: GrantPolicy, grant: Granted): RawObject => ({
  apiVersion: `${OWN_GROUP}/${GATEWAY_POLICY_VERSION}`,
  kind: 'GatewayPolicy',
  metadata: { name, namespace: namespaceOf(grant) },
  spec,
});

/** The policies of some grants as objects. One that is over several of them has the targets of each. */
export function policyObjects(grants: readonly GrantData[]): RawObject[] {
  const found = new Map<string, { grant: GrantData; policy: GrantPolicy; targets: Map<string, TargetRef> }>();
  for (const grant of grants) {
    for (const policy of grant.policies ?? []) {
      const key = `${namespaceOf(grant)}/${policy.name}`;
      const known = found.get(key) ?? { grant, policy, targets: new Map() };
      for (const target of policy.targetRefs) known.targets.set(JSON.stringify(target), target);
      found.set(key, known);
    }
  }
  return [...found.values()].map(({ grant, policy, targets }) =>
    objectOf({ ...policy, targetRefs: [...targets.values()] }, grant),
  );
}

const ANYWHERE: Granted = { gateway: 'infra/gateway', places: [] };

/** Whether it is one that the API takes. */
export const isPolicy = (value: unknown): boolean =>
  isObject(value) && parse(objectOf(value as GrantPolicy, ANYWHERE)).outcome === 'known';

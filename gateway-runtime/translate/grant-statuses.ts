/**
 * The status of Grants: that they count, and for admission, which can look up nothing else, what owners of other namespaces let the routes of the
 * team refer to, and what its RoutePolicies can say.
 */
import type { Bounds } from '../api/bounds.ts';
import { OWN_GROUP } from '../api/names.ts';
import { consentsTo } from '../grants/consents.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import { Conditions, diagnose, sentence } from './findings.ts';
import type { GatewayView } from './gateways.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';
import { missingGrantedGateway } from './parents.ts';
import type { ObjectStatus } from './translation.ts';

export interface GrantView {
  readonly status: Extract<ObjectStatus, { kind: 'Grant' }>;
  readonly diagnostics: readonly Diagnostic[];
}

/** By namespace and name of the Grant; undefined where there is none, or its Gateway is another controller's. */
export function grantStatuses(
  memo: Memo,
  objects: Objects,
  gateways: Derived<GatewayView | undefined>,
  bounds: Derived<Bounds>,
): Derived<GrantView | undefined> {
  const consents = memo.derive((namespace) =>
    consentsTo(
      namespace!,
      objects
        .grantsTo(namespace!)
        .map((each) => ({ ...each, spec: objects.get('ReferenceGrant', each.namespace, each.name)!.spec })),
    ),
  );
  const isOurs = memo.derive((namespace, name) => gateways.get(namespace!, name!) !== undefined);
  return memo.derive((namespace, name) => {
    const grant = objects.get('Grant', namespace!, name!);
    if (!grant) return undefined;
    const { gatewayName, team, namespace: home } = grant.spec;
    const lost = missingGrantedGateway(objects, namespace!, gatewayName);
    if (!lost && !isOurs.get(namespace!, gatewayName)) return undefined;
    const ref = { group: OWN_GROUP, kind: 'Grant', namespace: namespace!, name: name! };
    const conditions = new Conditions(grant.metadata.generation);
    if (lost) conditions.add('Accepted', 'False', lost.reason, sentence(lost));
    else {
      const message = `Team ${team} has it of Gateway ${namespace}/${gatewayName} for what is in namespace ${home}.`;
      conditions.add('Accepted', 'True', 'Accepted', message);
    }
    return {
      status: {
        kind: 'Grant',
        ref,
        conditions: conditions.list,
        references: consents.get(home),
        bounds: bounds.get(home),
      },
      diagnostics: lost ? [diagnose('grant', ref, lost, 'warning')] : [],
    };
  });
}

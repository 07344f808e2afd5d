/** What stands between us and the objects of the cluster: rights that are missing, an API server that is away. */
import type { KindName } from '../../api/kinds.ts';
import type { Diagnostic } from '../../snapshot/diagnostic.ts';
import type { CollectionState } from './reflector.ts';
import { resourceName } from './resources.ts';

/** As the constructs write it. */
const CLUSTER_ROLE = {
  group: 'rbac.authorization.k8s.io',
  kind: 'ClusterRole',
  namespace: '',
  name: 'gatewright-control-plane',
};
const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

export function collectionDiagnostics(
  states: ReadonlyMap<KindName, CollectionState>,
  crds: CollectionState,
): Diagnostic[] {
  const all = [
    ...[...states].map(([kind, state]) => [resourceName(kind), state] as const),
    [CRDS, crds] as const,
  ];
  const diagnostics: Diagnostic[] = [];
  for (const [resource, state] of all) {
    if (state.phase !== 'denied') continue;
    const consequence =
      resource === CRDS ? 'their versions are not checked' : 'nothing is served anew before it can be read';
    diagnostics.push({
      severity: resource === CRDS ? 'warning' : 'error',
      code: 'cluster/denied',
      object: CLUSTER_ROLE,
      message: `found no right to list and watch ${resource}; ${consequence}`,
      fix: 'synthesize and apply the runtime anew',
    });
  }
  const unreachable = all.flatMap(([resource, state]) =>
    state.phase === 'unreachable' ? [{ resource, message: state.message }] : [],
  );
  if (unreachable.length > 0) {
    const resources = unreachable.map(({ resource }) => resource).join(', ');
    diagnostics.push({
      severity: 'warning',
      code: 'cluster/unreachable',
      object: { group: '', kind: 'Service', namespace: 'default', name: 'kubernetes' },
      message: `the API server can't be reached for ${resources}, and what was read before stays in use: ${unreachable[0]!.message}`,
      fix: 'nothing, where it comes back by itself',
    });
  }
  return diagnostics;
}

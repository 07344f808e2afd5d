/** Admission policies of gateways: which there are; what they say is tried in tests/e2e/control/admission*.e2e.ts. */
import { describe, expect, it } from '@jest/globals';
import { App, JsonPatch } from 'cdk8s';
import { allNamespaces, http, PlatformChart, SharedGateway, Team } from 'gatewright';
import { named, objects, ofKind } from './synth.ts';

const POLICY = 'ValidatingAdmissionPolicy';
const BINDING = 'ValidatingAdmissionPolicyBinding';

function platformOf(heldBy?: 'admission' | 'runtime' | 'listeners') {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shared = new SharedGateway(platform, 'shared-gw', {
    listeners: { web: http(80) },
    ...(heldBy ? { heldBy } : {}),
  });
  shared.grant(new Team(platform, 'shop'), { hostnames: ['shop.example.com'] });
  return { app, platform, shared };
}

describe('a gateway', () => {
  it('has a policy for teams with a grant, and one for all other namespaces, which fail closed', () => {
    const { app } = platformOf();
    const policies = ofKind(app, POLICY);
    expect(policies.map(({ metadata }) => metadata)).toEqual([
      { name: 'shared-gw.infra.granted.gatewright.dev' },
      { name: 'shared-gw.infra.ungranted.gatewright.dev' },
    ]);
    const resources = ['httproutes', 'grpcroutes', 'tlsroutes', 'tcproutes', 'udproutes', 'listenersets'];
    const [granted, ungranted] = policies.map(({ spec }) => spec);
    for (const { failurePolicy, matchConstraints } of [granted, ungranted]) {
      expect(failurePolicy).toBe('Fail');
      expect(matchConstraints.resourceRules[0]).toEqual({
        apiGroups: ['gateway.networking.k8s.io'],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE'],
        resources,
      });
    }
    expect(ungranted.matchConstraints.resourceRules).toHaveLength(1);
    // Without a Grant nothing is known of what a policy of a team can say.
    expect(granted.matchConstraints.resourceRules.slice(1)).toEqual([
      {
        apiGroups: ['gatewright.dev'],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['routepolicies'],
      },
    ]);
    expect(policies[0]!.spec.paramKind).toEqual({ apiVersion: 'gatewright.dev/v1alpha1', kind: 'Grant' });
  });

  it('that is made a default one takes no route by that of who has grants there, unless a listener is open to whole namespaces', () => {
    /** In the policy for those who have grants, and in that for those who have none. */
    const ofDefaults = (app: App) =>
      ofKind(app, POLICY).map(
        ({ spec }) =>
          spec.validations.filter(({ expression }: { expression: string }) =>
            expression.includes('variables.spec.useDefaultGateways'),
          ).length,
      );
    const { app, shared } = platformOf();
    expect(ofDefaults(app)).toEqual([0, 0]);
    shared.object.addJsonPatch(JsonPatch.add('/spec/defaultScope', 'All'));
    expect(ofDefaults(app)).toEqual([1, 0]);

    const other = new App();
    const platform = new PlatformChart(other, 'platform', { namespace: 'infra' });
    const open = new SharedGateway(platform, 'open-gw', {
      listeners: { web: http(80, { routes: allNamespaces() }) },
    });
    open.object.addJsonPatch(JsonPatch.add('/spec/defaultScope', 'All'));
    expect(ofDefaults(other)).toEqual([0, 0]);
  });

  it('binds each team to its Grant, and gives its namespace the right to attach and no other', () => {
    const { app } = platformOf();
    expect(named(app, BINDING, 'shop.shared-gw.infra.granted.gatewright.dev').spec).toEqual({
      policyName: 'shared-gw.infra.granted.gatewright.dev',
      validationActions: ['Deny'],
      paramRef: { name: 'shared-gw-shop', namespace: 'infra', parameterNotFoundAction: 'Deny' },
      matchResources: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
      },
    });
    expect(named(app, 'Role', 'gatewright-attach-shared-gw')).toMatchObject({
      metadata: { namespace: 'infra' },
      rules: [
        {
          apiGroups: ['gateway.networking.k8s.io'],
          resources: ['gateways'],
          resourceNames: ['shared-gw'],
          verbs: ['attach'],
        },
      ],
    });
    expect(named(app, 'RoleBinding', 'gatewright-attach-shared-gw-shop')).toMatchObject({
      metadata: { namespace: 'infra' },
      subjects: [
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:serviceaccounts:shop' },
      ],
    });
  });

  it('tells its ListenerSets from those of a gateway whose name is longer, and its open listeners from others', () => {
    const { app, platform } = platformOf();
    new SharedGateway(platform, 'shared-gw-internal', {
      listeners: { web: http(80), open: http(81, { routes: allNamespaces() }) },
    });
    const text = (name: string) =>
      JSON.stringify(named(app, POLICY, `${name}.infra.granted.gatewright.dev`).spec);
    expect(text('shared-gw')).toContain(String.raw`!p.name.startsWith(\"shared-gw-internal-\")`);
    expect(text('shared-gw-internal')).toContain(String.raw`in [\"open\"]`);
  });

  it.each(['runtime', 'listeners'] as const)('leaves admission out where %s holds teams', (heldBy) => {
    const { app } = platformOf(heldBy);
    const kinds = objects(app).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.startsWith('Validating') || kind.startsWith('Role'))).toEqual([]);
    expect(kinds.includes('Grant')).toBe(heldBy === 'runtime');
  });
});

/** What an infrastructure provider and a platform put into a cluster besides gateways: the runtime, teams, their rights. */
import { describe, expect, it } from '@jest/globals';
import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { GatewayRuntime, http, https, PlatformChart, SharedGateway, secretRef, Team } from 'gatewright';
import { TOKEN_AUDIENCE } from '../../gateway-runtime/distribution/messages.ts';
import { errors, named, objects, ofKind, type SynthesizedObject } from './synth.ts';

function cluster() {
  const app = new App();
  const runtime = new GatewayRuntime(new Chart(app, 'runtime', { namespace: 'ignored' }), 'gatewright', {
    image: 'registry.example.com/gatewright@sha256:1',
    classes: {
      gatewright: {},
      internal: {
        description: 'reached from inside',
        parametersRef: { group: 'example.com', kind: 'Parameters', name: 'internal' },
      },
    },
  });
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  return { app, runtime, platform };
}

describe('GatewayRuntime', () => {
  it('makes its classes, with parameters where they have some', () => {
    const { app } = cluster();
    expect(ofKind(app, 'GatewayClass').map(({ metadata, spec }) => [metadata, spec])).toEqual([
      [{ name: 'gatewright' }, { controllerName: 'gatewright.dev/gateway-controller' }],
      [
        { name: 'internal' },
        {
          controllerName: 'gatewright.dev/gateway-controller',
          description: 'reached from inside',
          parametersRef: { group: 'example.com', kind: 'Parameters', name: 'internal' },
        },
      ],
    ]);
  });

  it('makes parameters of its classes and of gateways into objects that they refer to', () => {
    const app = new App();
    const runtime = new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
      image: 'registry.example.com/gatewright:1',
      classes: { gatewright: { parameters: { replicas: 3, service: { type: 'NodePort' } } } },
    });
    const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
    new SharedGateway(platform, 'edge', {
      class: runtime,
      listeners: { web: http(80) },
      parameters: { autoscaling: { maxReplicas: 9 } },
    });
    expect(named(app, 'CustomResourceDefinition', 'gatewayparameters.gatewright.dev').metadata).toEqual({
      name: 'gatewayparameters.gatewright.dev',
    });
    const parameters = ofKind(app, 'GatewayParameters');
    expect(parameters.map(({ apiVersion, metadata, spec }) => [apiVersion, metadata, spec])).toEqual([
      [
        'gatewright.dev/v1alpha1',
        { name: 'gatewright', namespace: 'gatewright-system' },
        { replicas: 3, service: { type: 'NodePort' } },
      ],
      [
        'gatewright.dev/v1alpha1',
        { name: 'edge', namespace: 'infra' },
        { autoscaling: { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 70 } },
      ],
    ]);
    const reference = { group: 'gatewright.dev', kind: 'GatewayParameters' };
    expect(named(app, 'GatewayClass', 'gatewright').spec.parametersRef).toEqual({
      ...reference,
      name: 'gatewright',
      namespace: 'gatewright-system',
    });
    expect(named(app, 'Gateway', 'edge').spec.infrastructure.parametersRef).toEqual({
      ...reference,
      name: 'edge',
    });
    expect(errors(app)).toEqual([]);
  });

  it('says which parameters are wrong, and of which class or gateway', () => {
    const app = new App();
    new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
      image: 'registry.example.com/gatewright:1',
      classes: { gatewright: { parameters: { replicas: 0 } } },
    });
    new SharedGateway(new PlatformChart(app, 'platform', { namespace: 'infra' }), 'edge', {
      listeners: { web: http(80) },
      parameters: { podDisruptionBudget: { minAvailable: '1' } },
    });
    expect(errors(app)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^\[runtime\/gatewright.*spec\.replicas: found 0, expected a whole number from 1 to 1000/,
        ),
        expect.stringMatching(/^\[platform\/edge.*spec\.podDisruptionBudget\.minAvailable: found "1"/),
      ]),
    );
  });

  it('runs without root, without capabilities, on a read-only file system, with probes', () => {
    const { app } = cluster();
    const { metadata, spec } = named(app, 'Deployment', 'gatewright');
    const pod = spec.template.spec;
    const [container] = pod.containers;
    expect(metadata.namespace).toBe('gatewright-system');
    expect(spec.replicas).toBe(2);
    expect(pod.serviceAccountName).toBe('gatewright');
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: 65532,
      runAsNonRoot: true,
      runAsUser: 65532,
    });
    expect(container.livenessProbe.httpGet).toMatchObject({ path: '/healthz', port: 9902 });
    expect(container.readinessProbe.httpGet).toMatchObject({ path: '/readyz', port: 9902 });
    expect(container.startupProbe).toBeDefined();
    expect(container.ports).toContainEqual({ name: 'admin', containerPort: 9902, protocol: 'TCP' });
    expect(spec.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
    expect(
      pod.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey),
    ).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
    expect(named(app, 'PodDisruptionBudget', 'gatewright-control-plane').spec).toEqual({
      maxUnavailable: 1,
      selector: spec.selector,
    });
    expect(Object.entries(spec.selector.matchLabels)).toEqual([['app.kubernetes.io/name', 'gatewright']]);
  });

  it('knows who and where it is, runs data planes of its own image, and is dialled at its Service', () => {
    const { app } = cluster();
    const { spec } = named(app, 'Deployment', 'gatewright');
    const [{ args, env, ports, image, imagePullPolicy }] = spec.template.spec.containers;
    expect(imagePullPolicy).toBe('IfNotPresent');
    expect(args).toEqual(['/gatewright/control-plane.js']);
    const path = (name: string) =>
      env.find((each: { name: string }) => each.name === name).valueFrom.fieldRef.fieldPath;
    expect([path('GATEWRIGHT_NAMESPACE'), path('GATEWRIGHT_POD'), path('GATEWRIGHT_POD_IP')]).toEqual([
      'metadata.namespace',
      'metadata.name',
      'status.podIP',
    ]);
    expect(env).toContainEqual({ name: 'GATEWRIGHT_IMAGE', value: image });
    const [{ volumeMounts }] = spec.template.spec.containers;
    expect(env).toContainEqual({
      name: 'GATEWRIGHT_TOKEN_FILE',
      value: `${volumeMounts[0].mountPath}/token`,
    });
    const [{ serviceAccountToken }] = spec.template.spec.volumes[0].projected.sources;
    expect(serviceAccountToken).toMatchObject({ audience: TOKEN_AUDIENCE, path: 'token' });
    const service = named(app, 'Service', 'gatewright-control-plane');
    expect(service.metadata.namespace).toBe('gatewright-system');
    expect(service.spec.selector).toEqual(spec.template.metadata.labels);
    expect(service.spec.ports).toEqual([
      { name: 'distribution', port: 9903, targetPort: 9903, protocol: 'TCP' },
    ]);
    expect(ports).toContainEqual({ name: 'distribution', containerPort: 9903, protocol: 'TCP' });
  });

  it('may read what it translates, write status, hold its lease, and read no Secret of a cluster', () => {
    const { app } = cluster();
    const { rules } = named(app, 'ClusterRole', 'gatewright-control-plane');
    const rights = rules.flatMap(({ resources, verbs }: { resources: string[]; verbs: string[] }) =>
      resources.map((resource) => [resource, verbs.join()]),
    );
    expect(rights.filter(([, verbs]: string[]) => verbs !== 'get,list,watch')).toEqual([
      ['backendtlspolicies/status', 'patch,update'],
      ['gatewayclasses/status', 'patch,update'],
      ['gateways/status', 'patch,update'],
      ['httproutes/status', 'patch,update'],
      ['listenersets/status', 'patch,update'],
      ['tlsroutes/status', 'patch,update'],
      ['gatewaypolicies/status', 'patch,update'],
      ['grants/status', 'patch,update'],
      ['routepolicies/status', 'patch,update'],
      ['tokenreviews', 'create'],
    ]);
    expect(rights.map(([resource]: string[]) => resource)).not.toContain('secrets');
    const lease = named(app, 'Role', 'gatewright-leader-election');
    expect(lease.metadata.namespace).toBe('gatewright-system');
    expect(lease.rules[1].resourceNames).toEqual(['gatewright']);
    for (const kind of ['ClusterRoleBinding', 'RoleBinding']) {
      for (const { subjects } of ofKind(app, kind)) {
        expect(subjects).toEqual([
          { kind: 'ServiceAccount', name: 'gatewright', namespace: 'gatewright-system' },
        ]);
      }
    }
  });

  it('may read the Secrets that listeners of its gateways name, by name, and those of no other class', () => {
    const { app, runtime, platform } = cluster();
    const listeners = (...names: string[]) => ({
      web: http(80),
      secure: https(
        443,
        names.map((name) => secretRef(name, name.includes('/') ? { namespace: name.split('/')[0]! } : {})),
      ),
    });
    new SharedGateway(platform, 'one', { class: runtime, listeners: listeners('b', 'a') });
    new SharedGateway(platform, 'two', {
      class: runtime.class('internal'),
      namespace: 'other',
      listeners: listeners('c'),
    });
    new SharedGateway(platform, 'three', { class: 'nginx', listeners: listeners('d') });
    const roles = () =>
      ofKind(app, 'Role')
        .filter(({ metadata }) => metadata.name === 'gatewright-certificates')
        .map(({ metadata, rules }) => [metadata.namespace, rules]);
    const reads = (...resourceNames: string[]) => [
      { apiGroups: [''], resources: ['secrets'], resourceNames, verbs: ['get', 'list', 'watch'] },
    ];
    expect(roles()).toEqual([
      ['infra', reads('a', 'b')],
      ['other', reads('c')],
    ]);
    new SharedGateway(platform, 'four', { class: runtime, listeners: listeners('e') });
    expect(roles()).toEqual([
      ['infra', reads('a', 'b', 'e')],
      ['other', reads('c')],
    ]);
    expect(objects(app)).toEqual(objects(app));
  });

  describe('reads what backends are reached over TLS with', () => {
    const certificateRoles = (app: App) =>
      ofKind(app, 'Role')
        .filter(({ metadata }) => metadata.name === 'gatewright-certificates')
        .map(({ metadata, rules }) => [metadata.namespace, rules]);
    const reads = (resource: string, ...resourceNames: string[]) => ({
      apiGroups: [''],
      resources: [resource],
      resourceNames,
      verbs: ['get', 'list', 'watch'],
    });
    function policy(app: App, namespace: string, name: string, validation: object) {
      const chart = new Chart(app, `${namespace}-${name}`, { namespace });
      const port = { name: 'https', port: 443 };
      new ApiObject(chart, 'service', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        ...{ spec: { ports: [port] } },
      });
      new ApiObject(chart, 'policy', {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'BackendTLSPolicy',
        metadata: { name },
        ...{
          spec: {
            targetRefs: [{ group: '', kind: 'Service', name }],
            validation: { hostname: 'backend.example.com', ...validation },
          },
        },
      });
    }
    const from = (...names: string[]) => ({
      caCertificateRefs: names.map((name) => ({ group: '', kind: 'ConfigMap', name })),
    });

    it('ConfigMaps that BackendTLSPolicies name, by name, in the namespace of each', () => {
      const { app, runtime, platform } = cluster();
      policy(app, 'shop', 'cart', from('b', 'a'));
      policy(app, 'shop', 'checkout', from('b', 'c'));
      policy(app, 'news', 'feed', from('roots'));
      policy(app, 'mail', 'inbox', { wellKnownCACertificates: 'System' });
      expect(certificateRoles(app)).toEqual([]);
      new SharedGateway(platform, 'nginx', { class: 'nginx', listeners: { web: http(80) } });
      expect(certificateRoles(app)).toEqual([]);
      new SharedGateway(platform, 'edge', { class: runtime, listeners: { web: http(80) } });
      expect(certificateRoles(app)).toEqual([
        ['news', [reads('configmaps', 'roots')]],
        ['shop', [reads('configmaps', 'a', 'b', 'c')]],
      ]);
      expect(
        ofKind(app, 'RoleBinding')
          .filter(({ metadata }) => metadata.name === 'gatewright-certificates')
          .map(({ metadata }) => metadata.namespace),
      ).toEqual(['news', 'shop']);
    });

    it('the Secret that a Gateway shows to backends, beside those of its listeners, and that of no other class', () => {
      const { app, runtime, platform } = cluster();
      const gateway = (name: string, className: typeof runtime | string, ref: object) => {
        const listeners = { secure: https(443, secretRef('web')) };
        const { object } = new SharedGateway(platform, name, { class: className, listeners });
        const clientCertificateRef = { name: `${name}-client`, ...ref };
        object.addJsonPatch(JsonPatch.add('/spec/tls', { backend: { clientCertificateRef } }));
      };
      gateway('one', runtime, {});
      gateway('two', runtime, { namespace: 'vault' });
      gateway('three', 'nginx', {});
      new ApiObject(platform, 'grant', {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'ReferenceGrant',
        metadata: { name: 'clients', namespace: 'vault' },
        ...{
          spec: {
            from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra' }],
            to: [{ group: '', kind: 'Secret' }],
          },
        },
      });
      expect(certificateRoles(app)).toEqual([
        ['infra', [reads('secrets', 'one-client', 'web')]],
        ['vault', [reads('secrets', 'two-client')]],
      ]);
    });
  });

  it('may make what is named after its gateways, where they are, and nothing else', () => {
    const { app, runtime, platform } = cluster();
    const gateway = (name: string, props: object) =>
      new SharedGateway(platform, name, { listeners: { web: http(80) }, ...props });
    gateway('one', { class: runtime });
    gateway('two', { class: runtime.class('internal') });
    gateway('three', { class: 'nginx' });
    gateway('four', { class: runtime, namespace: 'other' });
    const roles = ofKind(app, 'Role').filter(({ metadata }) => metadata.name === 'gatewright-provisioner');
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['infra', 'other']);
    const writing = roles.map(({ rules }) =>
      rules.filter(({ verbs }: { verbs: string[] }) => !verbs.includes('list')),
    );
    for (const { resourceNames, verbs } of writing[0]) {
      expect(resourceNames).toEqual(['one-gatewright', 'two-internal']);
      expect(verbs).not.toContain('*');
    }
    expect(writing[0].flatMap(({ resources }: { resources: string[] }) => resources)).toEqual([
      'configmaps',
      'serviceaccounts',
      'deployments',
      'horizontalpodautoscalers',
      'poddisruptionbudgets',
      'services',
    ]);
    expect(writing[1][0].resourceNames).toEqual(['four-gatewright']);
    expect(ofKind(app, 'ClusterRole').map(({ metadata }) => metadata.name)).toEqual([
      'gatewright-control-plane',
    ]);
  });

  it('may make and read as much in every namespace only where it was told so', () => {
    const app = new App();
    const runtime = new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
      image: 'registry.example.com/gatewright:1',
      permissions: 'cluster',
    });
    new SharedGateway(new PlatformChart(app, 'platform', { namespace: 'infra' }), 'one', {
      class: runtime,
      listeners: { secure: https(443, [secretRef('a')]) },
    });
    expect(ofKind(app, 'ClusterRole').map(({ metadata }) => metadata.name)).toEqual([
      'gatewright-control-plane',
      'gatewright-provisioner',
      'gatewright-certificates',
    ]);
    expect(ofKind(app, 'ClusterRoleBinding')).toHaveLength(3);
    expect(named(app, 'ClusterRole', 'gatewright-certificates').rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(JSON.stringify(named(app, 'ClusterRole', 'gatewright-provisioner'))).not.toContain(
      'resourceNames',
    );
    // Another one is for teams, and of the gateway.
    const own = ofKind(app, 'Role').filter(({ metadata }) => !metadata.name.includes('attach'));
    expect(own.map(({ metadata }) => metadata.namespace)).toEqual(['gatewright-system', 'gatewright-system']);
  });

  it('may create Secrets beside itself, and read and change there only its authority', () => {
    const { app } = cluster();
    const { metadata, rules } = named(app, 'Role', 'gatewright-authority');
    expect(metadata.namespace).toBe('gatewright-system');
    expect(rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['gatewright-authority'],
        verbs: ['get', 'update'],
      },
    ]);
  });

  it('writes no namespace into cluster-scoped objects, whatever the chart says', () => {
    const { app } = cluster();
    const scoped = (object: SynthesizedObject) => object.metadata.namespace !== undefined;
    const clusterKinds = ['Namespace', 'GatewayClass', 'ClusterRole', 'ClusterRoleBinding'];
    expect(objects(app).filter((object) => clusterKinds.includes(object.kind) && scoped(object))).toEqual([]);
    expect(objects(app).some((object) => object.metadata.namespace === 'ignored')).toBe(false);
  });
});

describe('Team', () => {
  it('is a namespace with the label of the team; the label with its name is left to the server', () => {
    const { app, platform } = cluster();
    new Team(platform, 'shop', {
      namespace: 'shop-prod',
      labels: { tier: 'gold', 'gatewright.dev/team': 'forged' },
    });
    expect(named(app, 'Namespace', 'shop-prod').metadata).toEqual({
      name: 'shop-prod',
      labels: { tier: 'gold', 'gatewright.dev/team': 'shop' },
    });
    expect(ofKind(app, 'RoleBinding').some(({ metadata }) => metadata.namespace === 'shop-prod')).toBe(false);
  });

  it('lets its group edit routes of the kinds it was granted, and work in its namespace', () => {
    const { app, platform } = cluster();
    const shop = new Team(platform, 'shop', { group: 'shop-developers' });
    const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
    const resources = () =>
      ofKind(app, 'Role').find(({ metadata }) => metadata.namespace === 'shop')!.rules[0].resources;
    expect(resources()).toEqual(['referencegrants']);
    shared.grant(shop, { hostnames: ['shop.example.com'], kinds: ['HTTPRoute'] });
    expect(resources()).toEqual(['httproutes', 'referencegrants']);
    const bindings = ofKind(app, 'RoleBinding').filter(({ metadata }) => metadata.namespace === 'shop');
    expect(bindings.map(({ roleRef, subjects }) => [roleRef.kind, roleRef.name, subjects[0].name])).toEqual([
      ['Role', 'gatewright-routes', 'shop-developers'],
      ['ClusterRole', 'edit', 'shop-developers'],
    ]);
    expect(JSON.stringify(resources())).not.toContain('gateways');
  });

  it('has a name that a namespace can have', () => {
    const { app, platform } = cluster();
    new Team(platform, 'Shop');
    new Team(platform, 'x'.repeat(64), { namespace: 'ok' });
    expect(errors(app)).toEqual([
      expect.stringMatching(/^\[platform\/Shop\] team "Shop": a name has lower-case letters/),
      expect.stringMatching(/^\[platform\/Shop\] namespace "Shop": a name has/),
      expect.stringMatching(/^\[platform\/x{64}\] team "x{64}": a name has .* at most 63 characters$/),
    ]);
  });
});

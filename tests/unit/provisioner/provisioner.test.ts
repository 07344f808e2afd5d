/** When the provisioner writes, and when it does not; tests/e2e/provisioner holds it against a real API server. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { Provisioner } from '../../../gateway-runtime/control/provisioner.ts';
import type { Infrastructure } from '../../../gateway-runtime/translate/translation.ts';
import { eventually } from '../../cluster/command.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { needs, SURROUNDINGS } from './needs.ts';

const GATEWAY = { namespace: 'infra', name: 'edge' };
const FIVE = ['serviceaccounts', 'configmaps', 'services', 'poddisruptionbudgets', 'deployments'];
const GATEWAY_API = '/apis/gateway.networking.k8s.io/v1';

let provisioner: Provisioner | undefined;

afterEach(() => provisioner?.stop());

function setUp(cluster = new MemoryCluster()) {
  const events: string[] = [];
  let leads = true;
  const { image, controlPlane, bundle } = SURROUNDINGS;
  const made = new Provisioner({
    client: cluster.client,
    mayWrite: () => leads,
    image,
    controlPlane,
    onState: () => {},
    onEvent: (message) => events.push(message),
  });
  provisioner = made;
  cluster.onService = (name, object) =>
    made.observe({ group: '', kind: 'Service', namespace: 'infra', name }, object as never);
  const want = (infrastructure: Infrastructure | undefined) =>
    made.want(new Map([['infra/edge', infrastructure]]));
  const ready = (service: string, isReady: boolean) =>
    made.observe(
      { group: 'discovery.k8s.io', kind: 'EndpointSlice', namespace: 'infra', name: `${service}-1` },
      {
        metadata: {
          labels: {
            ...cluster.find(`services/${service}`)!.metadata.labels,
            'kubernetes.io/service-name': service,
          },
        },
        endpoints: [{ targetRef: { kind: 'Pod', name: 'p' }, conditions: { ready: isReady } }],
      },
    );
  const stopLeading = () => {
    leads = false;
  };
  return { cluster, events, provisioner: made, want, ready, stopLeading, trust: () => made.trust(bundle) };
}

const soon = (check: () => void) => eventually(5_000, async () => check());
const all = (className: string, kinds = FIVE) => kinds.map((kind) => `PATCH ${kind}/edge-${className}`);
/** Everything that was begun has come to its end. */
const settled = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
};

async function provided() {
  const test = setUp();
  test.provisioner.lead();
  test.trust();
  test.want(needs());
  await soon(() => expect(test.cluster.writes).toEqual(all('ours')));
  return test;
}

describe('nothing is written', () => {
  it('before everything is known: what is wanted, whom data planes trust, that we lead', async () => {
    const { cluster, provisioner, want, trust } = setUp();
    want(needs());
    await settled();
    provisioner.lead();
    await settled();
    expect(cluster.writes).toEqual([]);
    trust();
    await soon(() => expect(cluster.writes).toEqual(all('ours')));
  });

  it('once we lead no longer, whether we were told so or not', async () => {
    const { cluster, provisioner, want, stopLeading } = await provided();
    stopLeading();
    want(needs({ labels: { a: 'b' } }));
    await settled();
    provisioner.follow();
    want(needs({ labels: { a: 'c' } }));
    await settled();
    expect(cluster.writes).toHaveLength(FIVE.length);
  });

  it('where nothing is other than it was, whatever is said again', async () => {
    const { cluster, provisioner, want, trust, ready } = await provided();
    trust();
    want(needs());
    ready('edge-ours', true);
    provisioner.follow();
    provisioner.lead();
    await settled();
    expect(cluster.writes).toHaveLength(FIVE.length);
  });

  it('again where a webhook has another idea of an object, until that is wanted otherwise', async () => {
    const test = setUp();
    test.cluster.admit = (object) =>
      object.kind === 'Deployment'
        ? { ...object, spec: { ...(object.spec as object), replicas: 9 } }
        : object;
    test.provisioner.lead();
    test.trust();
    test.want(needs());
    await soon(() => expect(test.cluster.writes).toEqual(all('ours')));
    test.want(needs());
    await settled();
    expect(test.cluster.writes).toHaveLength(FIVE.length);
    test.want(needs({ parameters: { replicas: 3 } }));
    await soon(() => expect(test.cluster.writes).toHaveLength(FIVE.length + 1));
    await settled();
    expect(test.cluster.writes).toHaveLength(FIVE.length + 1);
  });
});

describe('only what differs is written', () => {
  it('where a Gateway needs something else', async () => {
    const { cluster, want } = await provided();
    want(needs({ ports: [{ port: 8080, protocol: 'HTTP' }] }));
    await soon(() => expect(cluster.writes.slice(FIVE.length)).toEqual(['PATCH services/edge-ours']));
  });

  it('where data planes are to trust another authority', async () => {
    const { cluster, provisioner } = await provided();
    provisioner.trust('PEM of two');
    await soon(() => expect(cluster.writes.slice(FIVE.length)).toEqual(['PATCH configmaps/edge-ours']));
  });

  it('and what scales a Deployment is left its number', async () => {
    const { cluster, want } = await provided();
    const path = [...cluster.objects.keys()].find((each) => each.includes('deployments'))!;
    const scaler = { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 70 };
    const { spec, ...rest } = cluster.find('deployments/edge-ours')!;
    cluster.put(path, { ...rest, spec: { ...(spec as object), replicas: 7 } });
    want(needs({ parameters: { autoscaling: scaler } }));
    await soon(() => expect(cluster.find('horizontalpodautoscalers/edge-ours')).toBeDefined());
    expect(cluster.find('deployments/edge-ours')!.spec).toMatchObject({ replicas: 7 });
    want(needs());
    await soon(() => expect(cluster.find('horizontalpodautoscalers/edge-ours')).toBeUndefined());
  });
});

describe('what is needed no longer', () => {
  it('of another class stays until a data plane of the new one is ready', async () => {
    const { cluster, want, ready } = await provided();
    ready('edge-ours', true);
    want(needs({ className: 'other' }));
    await soon(() => expect(cluster.writes.slice(FIVE.length)).toEqual(all('other')));
    ready('edge-other', false);
    await settled();
    expect(cluster.find('deployments/edge-ours')).toBeDefined();
    ready('edge-other', true);
    await soon(() => {
      for (const kind of FIVE) expect(cluster.find(`${kind}/edge-ours`)).toBeUndefined();
    });
    for (const kind of FIVE) expect(cluster.find(`${kind}/edge-other`)).toBeDefined();
  });

  it.each([
    ['is gone, for the garbage collector', undefined, undefined, 5],
    ['is refused', 'ours', 'gatewright.dev/gateway-controller', 5],
    ['is of another controller', 'theirs', 'example.com/controller', 0],
    ['is of a class that is gone', 'ours', undefined, 0],
  ])('where the Gateway %s', async (_, className, controllerName, left) => {
    const { cluster, want, provisioner } = await provided();
    if (className) {
      const gateway = {
        metadata: { name: 'edge' } as ApiObject['metadata'],
        spec: { gatewayClassName: className },
      };
      cluster.objects.set(`${GATEWAY_API}/namespaces/infra/gateways/edge`, gateway as ApiObject);
    }
    if (className && controllerName) {
      const gatewayClass = {
        metadata: { name: className } as ApiObject['metadata'],
        spec: { controllerName },
      };
      cluster.objects.set(`${GATEWAY_API}/gatewayclasses/${className}`, gatewayClass as ApiObject);
    }
    want(undefined);
    await soon(() => expect(cluster.writes).toHaveLength(5 + (5 - left)));
    await settled();
    expect(FIVE.filter((kind) => cluster.find(`${kind}/edge-ours`))).toHaveLength(left);
    expect(provisioner.accountOf(GATEWAY)).toBeUndefined();
  });

  it('is only what the Gateway owns, and nothing that has our labels on it', async () => {
    const { cluster, want } = await provided();
    const { labels } = cluster.find('deployments/edge-ours')!.metadata;
    const path = [...cluster.objects.keys()].find((each) => each.includes('deployments'))!;
    cluster.put(path.replace('edge-ours', 'copy'), {
      metadata: { name: 'copy', namespace: 'infra', labels } as never,
    });
    want(needs({ parameters: { replicas: 1 } }));
    await soon(() => expect(cluster.writes).toHaveLength(FIVE.length + 1));
    await settled();
    expect(cluster.find('deployments/copy')).toBeDefined();
  });

  it('by a Gateway that was let go before we led is found by its Service', async () => {
    const { cluster, provisioner } = await provided();
    await provisioner.stop();
    cluster.objects.set(`${GATEWAY_API}/namespaces/infra/gateways/edge`, {
      metadata: { name: 'edge' } as ApiObject['metadata'],
      spec: { gatewayClassName: 'theirs' },
    });
    const next = setUp(cluster);
    next.provisioner.lead();
    next.trust();
    const service = cluster.find('services/edge-ours')!;
    next.provisioner.observe(
      { group: '', kind: 'Service', namespace: 'infra', name: 'edge-ours' },
      service as never,
    );
    await settled();
    expect(cluster.find('deployments/edge-ours')).toBeDefined();
    next.provisioner.want(new Map());
    await soon(() => expect(FIVE.filter((kind) => cluster.find(`${kind}/edge-ours`))).toEqual([]));
  });
});

describe('what the API server refuses is a problem of the Gateway', () => {
  const refusing = async (kind: string, error: ApiError, change: Partial<Infrastructure> = {}) => {
    const test = setUp();
    test.cluster.admit = (object) => {
      if (object.kind === kind) throw error;
      return object;
    };
    test.provisioner.lead();
    test.trust();
    test.want(needs(change));
    await soon(() => expect(test.provisioner.stateOf(GATEWAY).problem).toBeDefined());
    return test;
  };

  it('with what it said, and the rest is made nevertheless', async () => {
    const { cluster, provisioner, events } = await refusing(
      'Deployment',
      new ApiError(403, 'Forbidden', 'deployments.apps "edge-ours" is forbidden: exceeded quota: pods'),
    );
    const message =
      'Deployment infra/edge-ours was refused by the API server: deployments.apps "edge-ours" is forbidden: exceeded quota: pods';
    expect(provisioner.stateOf(GATEWAY).problem).toEqual({ reason: 'NoResources', message });
    expect(cluster.find('services/edge-ours')).toBeDefined();
    await soon(() =>
      expect(cluster.writes.filter((each) => each.includes('deployments')).length).toBeGreaterThan(1),
    );
    expect(events).toEqual([`Gateway infra/edge: ${message}`]);
    cluster.admit = (object) => object;
    await soon(() =>
      expect(provisioner.stateOf(GATEWAY).problem).toMatchObject({ reason: 'AddressNotAssigned' }),
    );
  });

  it('unless the API server is only busy while what is there does its work', async () => {
    const { cluster, provisioner, want } = await provided();
    let refusals = 0;
    cluster.admit = (object) => {
      if (++refusals < 3) throw new ApiError(503, 'ServiceUnavailable', 'busy');
      return object;
    };
    want(needs({ parameters: { replicas: 4 } }));
    await soon(() => expect(refusals).toBe(1));
    await settled();
    expect(provisioner.stateOf(GATEWAY).problem).toMatchObject({ reason: 'AddressNotAssigned' });
    await soon(() => expect(cluster.find('deployments/edge-ours')!.spec).toMatchObject({ replicas: 4 }));
  });

  it('which says which right is missing', async () => {
    const { provisioner } = await refusing(
      'ConfigMap',
      new ApiError(403, 'Forbidden', 'configmaps "edge-ours" is forbidden: User "x" cannot patch resource'),
    );
    expect(provisioner.stateOf(GATEWAY).problem!.message).toContain(
      'no right to write configmaps in namespace infra: Role gatewright-provisioner there is missing or does not name edge-ours',
    );
  });

  it('which says that the address it asks for can not be had', async () => {
    const { provisioner } = await refusing(
      'Service',
      new ApiError(422, 'Invalid', 'spec.clusterIPs: Invalid value: ["192.0.2.1"]: not in the valid range'),
      {
        addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
        parameters: { service: { type: 'ClusterIP' } },
      },
    );
    expect(provisioner.stateOf(GATEWAY).problem).toMatchObject({ reason: 'AddressNotUsable' });
  });
});

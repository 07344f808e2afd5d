/** The cluster itself: pods on every node, a Service with its name, a LoadBalancer address, real traffic to each. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { eventually, run } from '../cluster/command.ts';
import { NODE } from '../cluster/images.ts';
import { ask, echoDeployment, echoService, RESTRICTED, restrictedNamespace } from './echo.ts';
import { KubeApi } from './kube-api.ts';
import { observed, PATIENCE } from './waiting.ts';

/** A cluster of our own has no way out to a registry; any other is expected to have one. */
const clientImage = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? NODE : 'docker.io/library/node:24-slim';

const namespace = `gatewright-smoke-${randomBytes(3).toString('hex')}`;
const namespaceObject = restrictedNamespace(namespace);
const echo = echoDeployment(namespace);
const service = (name: string, spec: object) => echoService(namespace, name, spec);

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly phase: string };
}

interface LoadBalanced {
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] } };
}

/** The address that the Service is given. */
const addressOf = async (name: string) =>
  observed<LoadBalanced, string>(
    api,
    await api.pathOf(service(name, {})),
    'address',
    ({ status }) => status.loadBalancer.ingress?.[0]?.ip,
  );

const pods = async () =>
  (await api.get<{ items: Pod[] }>(`/api/v1/namespaces/${namespace}/pods?labelSelector=app=echo`)).items;

/** All of these pods, and no other, answer in the end. */
async function answeredBy(address: string, expected: readonly string[]): Promise<void> {
  await eventually(PATIENCE, async () => {
    const answered = new Set<string>();
    for (let request = 0; request < 16; request++) answered.add((await ask(address, '/')).pod);
    expect([...answered].sort()).toEqual([...expected].sort());
  });
}

/** Links of workers can be cut in a cluster of our own. */
const whereLinksAreOurs = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? it : it.skip;

let api: KubeApi;

beforeAll(async () => {
  api = await KubeApi.connect();
  await api.applyAll([namespaceObject, echo, service('echo', {}), service('edge', { type: 'LoadBalancer' })]);
  await observed<{ status: { readyReplicas?: number } }, true>(
    api,
    await api.pathOf(echo),
    'two ready replicas',
    ({ status }) => status.readyReplicas === 2 || undefined,
  );
});

afterAll(async () => {
  await api.remove(namespaceObject);
  const path = await api.pathOf(namespaceObject);
  await eventually(PATIENCE, async () => expect((await api.call('GET', path)).status).toBe(404));
  api.close();
});

describe('the cluster', () => {
  it('answers at a LoadBalancer address, from every pod of the Service, on every node', async () => {
    const address = await addressOf('edge');
    const echoes = await pods();
    expect(new Set(echoes.map(({ spec }) => spec.nodeName)).size).toBe(2);
    await eventually(PATIENCE, async () =>
      expect(await ask(address, '/some/path?x=1')).toMatchObject({ path: '/some/path?x=1', namespace }),
    );
    await answeredBy(
      address,
      echoes.map(({ metadata }) => metadata.name),
    );
  });

  whereLinksAreOurs('gives no new connection to a node whose link is cut', async () => {
    await api.applyAll([service('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })]);
    const address = await addressOf('local');
    const [one, other] = await pods();
    const both = [one!.metadata.name, other!.metadata.name];
    await answeredBy(address, both);
    await run('ip', ['link', 'set', other!.spec.nodeName, 'down']);
    try {
      const cut = performance.now();
      await answeredBy(address, [one!.metadata.name]);
      // Long before the control plane has noticed.
      expect(performance.now() - cut).toBeLessThan(10_000);
    } finally {
      await run('ip', ['link', 'set', other!.spec.nodeName, 'up']);
    }
    await answeredBy(address, both);
  });

  it('gives pods its name service and their Services', async () => {
    const client: RawObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client', namespace },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'client',
            image: clientImage,
            command: [
              'node',
              '-e',
              `fetch('http://echo.${namespace}.svc.cluster.local/from-a-pod').then((answer) => answer.text()).then(console.log)`,
            ],
            securityContext: RESTRICTED,
          },
        ],
      },
    };
    await api.applyAll([client]);
    const path = await api.pathOf(client);
    const phase = await observed<Pod, string>(api, path, 'end', ({ status }) =>
      ['Succeeded', 'Failed'].includes(status.phase) ? status.phase : undefined,
    );
    const { body: log } = await api.call('GET', `${path}/log`);
    expect({ phase, log }).toMatchObject({ phase: 'Succeeded', log: expect.stringContaining('/from-a-pod') });
  });
});

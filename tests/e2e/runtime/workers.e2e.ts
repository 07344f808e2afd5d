/** Data planes of several workers each, clients with certificates, and sessions that all of them honour, also after one was killed. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { containerPort } from '../../../gateway-runtime/distribution/ports.ts';
import { eventually } from '../../cluster/command.ts';
import { authority, issue } from '../../support/certificates.ts';
import { root, shows } from '../../support/client-certificates.ts';
import { TlsClient } from '../../support/tls-client.ts';
import { echoDeployment, echoService, restrictedNamespace } from '../echo.ts';
import { KubeApi } from '../kube-api.ts';
import { isOurCluster } from '../under-change/machine.ts';
import { observed, PATIENCE } from '../waiting.ts';
import { type DataPlanePod, hasClient, workersOf } from './data-plane-pods.ts';
import { CLASS, type Conditioned, hasTrue, installRuntime, removeAll } from './installed.ts';

const HOST = 'shop.example.com';
const GATEWAYS = 'gateway.networking.k8s.io/v1';
const REPLICAS = 2;
const WORKERS = 2;

const suffix = randomBytes(3).toString('hex');
const [infra, team] = [`infra-${suffix}`, `shop-${suffix}`];
const clients = root('Clients of the shop');
const known = shows(clients, 'a known client');
const unknown = shows(root('Others'), 'an unknown client');

const { certificate, privateKey } = issue(`${infra}/edge`, [HOST]);
const gateway: RawObject = {
  apiVersion: GATEWAYS,
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: infra },
  spec: {
    gatewayClassName: CLASS,
    infrastructure: {
      parametersRef: { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'two-workers' },
    },
    tls: {
      frontend: {
        default: { validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'clients' }] } },
      },
    },
    listeners: [
      {
        ...{ name: 'secure', port: 443, protocol: 'HTTPS', hostname: HOST },
        tls: { certificateRefs: [{ name: 'edge' }] },
        allowedRoutes: { namespaces: { from: 'All' } },
      },
    ],
  },
};
const objects: readonly RawObject[] = [
  restrictedNamespace(infra),
  restrictedNamespace(team),
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'edge', namespace: infra },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'clients', namespace: infra },
    data: { 'ca.crt': clients.certificate },
  },
  {
    apiVersion: 'gatewright.dev/v1alpha1',
    kind: 'GatewayParameters',
    metadata: { name: 'two-workers', namespace: infra },
    spec: { replicas: REPLICAS, workers: WORKERS },
  },
  echoDeployment(team),
  echoService(team, 'cart', {}),
  {
    apiVersion: GATEWAYS,
    kind: 'HTTPRoute',
    metadata: { name: 'cart', namespace: team },
    spec: {
      hostnames: [HOST],
      parentRefs: [{ name: 'edge', namespace: infra }],
      rules: [{ sessionPersistence: { sessionName: 'S' }, backendRefs: [{ name: 'cart', port: 80 }] }],
    },
  },
  gateway,
];

let api: KubeApi;
let uninstall = async () => {};
const opened: TlsClient[] = [];

const describeOnOurs = isOurCluster ? describe : describe.skip;

beforeAll(async () => {
  if (!isOurCluster) return;
  api = await KubeApi.connect();
  uninstall = await installRuntime(api);
  await api.applyAll(objects);
  const path = await api.pathOf(gateway);
  await observed<Conditioned, true>(api, path, 'Programmed=True', hasTrue('Programmed'));
}, 3 * PATIENCE);

afterEach(() => {
  for (const each of opened.splice(0)) each.destroy();
});

afterAll(async () => {
  if (!isOurCluster) return;
  await removeAll(api, objects);
  await uninstall();
  api.close();
}, 3 * PATIENCE);

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly podIP?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

/** Those of the Gateway, once they are as many as wanted, ready, and with all of their workers. */
const pods = (): Promise<DataPlanePod[]> =>
  eventually(2 * PATIENCE, async () => {
    const { items } = await api.get<Pods>(
      `/api/v1/namespaces/${infra}/pods?labelSelector=gateway.networking.k8s.io%2Fgateway-name%3Dedge`,
    );
    const ready = items.filter(({ metadata, status }) => {
      const isReady = status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
      return isReady && !metadata.deletionTimestamp;
    });
    const found = ready.map(({ metadata, status }) => ({ name: metadata.name, ip: status.podIP! }));
    expect(found.map((each) => workersOf(each).length)).toEqual(Array(REPLICAS).fill(WORKERS));
    return found;
  });

/** A connection with a handshake done. */
async function open(
  { ip }: DataPlanePod,
  shown: { cert?: string; key?: string } = known,
): Promise<TlsClient> {
  const socket = connect({
    ...{ host: ip, port: containerPort(443), ca: authority, servername: HOST, ALPNProtocols: ['http/1.1'] },
    ...shown,
  });
  const client = new TlsClient(socket);
  opened.push(client);
  await once(socket, 'secureConnect');
  return client;
}

/** One that this worker has accepted: the system chooses, so as many are opened as it takes. */
function openTo(pod: DataPlanePod, worker: number): Promise<TlsClient> {
  return eventually(PATIENCE, async () => {
    const client = await open(pod);
    if (hasClient(worker, client.socket.localPort!)) return client;
    client.destroy();
    throw new Error(`no connection to ${pod.name} is taken by the worker ${worker}`);
  });
}

interface Answer {
  readonly status: number;
  /** The pod that answered. */
  readonly pod: string;
  /** Of a session that began. */
  readonly cookie: string | undefined;
}

async function ask(client: TlsClient, cookie?: string): Promise<Answer> {
  const fields = ['GET / HTTP/1.1', `Host: ${HOST}`, ...(cookie ? [`Cookie: ${cookie}`] : [])];
  client.send(`${fields.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  const text = await client.untilClosed();
  return {
    status: Number(text.slice(9, 12)),
    pod: /"pod":\s*"([^"]+)"/.exec(text)?.[1] ?? text,
    cookie: /^set-cookie: (S=[\w-]+)/im.exec(text)?.[1],
  };
}

/** By every worker of every pod. */
async function expectKept(all: readonly DataPlanePod[], session: Answer): Promise<void> {
  for (const pod of all) {
    for (const worker of workersOf(pod)) {
      const answer = await ask(await openTo(pod, worker), session.cookie);
      expect(answer).toEqual({ status: 200, pod: session.pod, cookie: undefined });
    }
  }
}

/** One at each of the two endpoints. */
async function begin(pod: DataPlanePod): Promise<Answer[]> {
  const begun = new Map<string, Answer>();
  await eventually(PATIENCE, async () => {
    const answer = await ask(await open(pod));
    expect(answer).toMatchObject({ status: 200, cookie: expect.stringMatching(/^S=[\w-]{64}$/) });
    begun.set(answer.pod, answer);
    expect(begun.size).toBe(2);
  });
  return [...begun.values()];
}

describeOnOurs('with two workers in each of two pods', () => {
  it(
    'clients without a certificate of the authority get nothing from any worker',
    async () => {
      for (const pod of await pods()) {
        for (const worker of workersOf(pod)) {
          expect((await ask(await openTo(pod, worker))).status).toBe(200);
        }
        for (const shown of [{}, unknown]) {
          // TLS 1.3 tells of a refusal after the client's end of the handshake.
          const refused = open(pod, shown).then(async (client) => {
            client.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
            return client.untilClosed();
          });
          expect(await refused.catch(() => '')).toBe('');
        }
      }
    },
    3 * PATIENCE,
  );

  it(
    'sessions are at their endpoint through every one of them, also after a worker was killed, and a pod',
    async () => {
      const before = await pods();
      const sessions = await begin(before[0]!);
      for (const session of sessions) await expectKept(before, session);
      const [first, second] = before as [DataPlanePod, DataPlanePod];
      const [killed, other] = workersOf(first) as [number, number];
      const held = await openTo(first, other);
      process.kill(killed, 'SIGKILL');
      expect(await ask(held, sessions[0]!.cookie)).toMatchObject({ status: 200, pod: sessions[0]!.pod });
      await eventually(PATIENCE, async () => {
        expect(workersOf(first).filter((pid) => pid !== killed)).toHaveLength(WORKERS);
      });
      expect((await pods()).map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
      for (const session of sessions) await expectKept(before, session);
      await api.call('DELETE', `/api/v1/namespaces/${infra}/pods/${second.name}?gracePeriodSeconds=1`);
      const after = await eventually(2 * PATIENCE, async () => {
        const found = await pods();
        expect(found.map(({ name }) => name)).not.toContain(second.name);
        return found;
      });
      for (const session of sessions) await expectKept(after, session);
    },
    6 * PATIENCE,
  );
});

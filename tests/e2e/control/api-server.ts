/** etcd and a kube-apiserver of a test's own, on loopback addresses and free ports; gone with the process that started them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { Connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { builds, built } from '../../cluster/builds.ts';
import { makeCertificates } from '../../cluster/certificates.ts';
import { eventually } from '../../cluster/command.ts';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class ApiServer {
  readonly #folder: string;
  readonly #processes: ChildProcess[];
  readonly port: number;
  /** As the cluster's administrator. */
  readonly connection: Connection;
  readonly client: ApiClient;

  private constructor(folder: string, processes: ChildProcess[], port: number) {
    this.#folder = folder;
    this.#processes = processes;
    this.port = port;
    const file = (name: string) => readFileSync(join(folder, name), 'utf8');
    this.connection = {
      server: new URL(`https://127.0.0.1:${port}`),
      ca: file('ca.crt'),
      certificate: file('admin.crt'),
      key: file('admin.key'),
      insecure: false,
      namespace: 'default',
    };
    this.client = new ApiClient(this.connection);
  }

  static async start(): Promise<ApiServer> {
    const [etcd, kubernetes] = [await built(builds.etcd), await built(builds.kubernetes)];
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-api-'));
    await makeCertificates(folder, []);
    const path = (name: string) => join(folder, name);
    symlinkSync(kubernetes, path('kube-apiserver'));
    const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
    const [store, peer] = [`http://127.0.0.1:${etcdPort}`, `http://127.0.0.1:${peerPort}`];
    const run = (program: string, name: string, flags: Record<string, string>) => {
      const log = openSync(path(`${name}.log`), 'a');
      const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
      // It ends with us, also where we are killed.
      const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
        stdio: ['ignore', log, log],
      });
      closeSync(log);
      return child;
    };
    const processes = [
      run(etcd, 'etcd', {
        'data-dir': path('etcd'),
        'unsafe-no-fsync': 'true',
        'log-level': 'warn',
        'listen-client-urls': store,
        'advertise-client-urls': store,
        'listen-peer-urls': peer,
        'initial-advertise-peer-urls': peer,
        'initial-cluster': `default=${peer}`,
      }),
      run(path('kube-apiserver'), 'kube-apiserver', {
        'etcd-servers': store,
        'bind-address': '127.0.0.1',
        'advertise-address': '127.0.0.1',
        'endpoint-reconciler-type': 'none',
        'secure-port': `${port}`,
        'cert-dir': path('apiserver'),
        'tls-cert-file': path('apiserver.crt'),
        'tls-private-key-file': path('apiserver.key'),
        'client-ca-file': path('ca.crt'),
        'service-account-key-file': path('service-accounts.key'),
        'service-account-signing-key-file': path('service-accounts.key'),
        'service-account-issuer': 'https://kubernetes.default.svc',
        'service-cluster-ip-range': '10.96.0.0/16',
        'authorization-mode': 'RBAC',
        // Without a controller manager namespaces have no service accounts of their own.
        'disable-admission-plugins': 'ServiceAccount',
        profiling: 'false',
      }),
    ];
    const server = new ApiServer(folder, processes, port);
    try {
      await eventually(60_000, () => server.client.get('/api/v1/namespaces/default'));
    } catch (error) {
      const log = readFileSync(path('kube-apiserver.log'), 'utf8').split('\n').slice(-15).join('\n');
      await server.stop();
      throw new Error(`The API server does not come up: ${(error as Error).message}\n${log}`);
    }
    return server;
  }

  /** The same API server at another address, such as that of a relay. */
  connectionAt(port: number): Connection {
    return { ...this.connection, server: new URL(`https://127.0.0.1:${port}`) };
  }

  async stop(): Promise<void> {
    this.client.close();
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

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

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'is-there-an-address' },
  spec: { ports: [{ port: 80 }] },
};

type Flags = Readonly<Record<string, string>>;

interface Ports {
  readonly api: number;
  readonly etcd: number;
  readonly peer: number;
}

const loopback = (port: number) => `http://127.0.0.1:${port}`;

const etcdFlags = (folder: string, { etcd, peer }: Ports): Flags => ({
  'data-dir': join(folder, 'etcd'),
  'unsafe-no-fsync': 'true',
  'log-level': 'warn',
  'listen-client-urls': loopback(etcd),
  'advertise-client-urls': loopback(etcd),
  'listen-peer-urls': loopback(peer),
  'initial-advertise-peer-urls': loopback(peer),
  'initial-cluster': `default=${loopback(peer)}`,
});

const apiServerFlags = (folder: string, { api, etcd }: Ports): Flags => ({
  'etcd-servers': loopback(etcd),
  'bind-address': '127.0.0.1',
  'advertise-address': '127.0.0.1',
  'endpoint-reconciler-type': 'none',
  'secure-port': `${api}`,
  'cert-dir': join(folder, 'apiserver'),
  'tls-cert-file': join(folder, 'apiserver.crt'),
  'tls-private-key-file': join(folder, 'apiserver.key'),
  'client-ca-file': join(folder, 'ca.crt'),
  'service-account-key-file': join(folder, 'service-accounts.key'),
  'service-account-signing-key-file': join(folder, 'service-accounts.key'),
  'service-account-issuer': 'https://kubernetes.default.svc',
  'service-cluster-ip-range': '10.96.0.0/16',
  'authorization-mode': 'RBAC',
  // Without a controller manager namespaces have no service accounts of their own.
  'disable-admission-plugins': 'ServiceAccount',
  profiling: 'false',
});

export class ApiServer {
  readonly #folder: string;
  readonly #ports: Ports;
  /** By program. */
  readonly #processes = new Map<string, ChildProcess>();
  /** As the cluster's administrator. */
  readonly connection: Connection;
  readonly client: ApiClient;

  private constructor(folder: string, ports: Ports) {
    this.#folder = folder;
    this.#ports = ports;
    const file = (name: string) => readFileSync(join(folder, name), 'utf8');
    this.connection = {
      server: new URL(`https://127.0.0.1:${ports.api}`),
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
    // Where a test is interrupted, nobody stops it.
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    await makeCertificates(folder, []);
    symlinkSync(etcd, join(folder, 'etcd-server'));
    symlinkSync(kubernetes, join(folder, 'kube-apiserver'));
    const server = new ApiServer(folder, {
      api: await freePort(),
      etcd: await freePort(),
      peer: await freePort(),
    });
    try {
      server.#run('etcd-server', etcdFlags(folder, server.#ports));
      await server.#serve();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get port(): number {
    return this.#ports.api;
  }

  /** The same API server at another address, such as that of a relay. */
  connectionAt(port: number): Connection {
    return { ...this.connection, server: new URL(`https://127.0.0.1:${port}`) };
  }

  /** Kills the API server and starts it again: it knows what is stored, and nothing of what happened before. */
  async restart(): Promise<void> {
    await this.#kill('kube-apiserver');
    await this.#serve();
  }

  async stop(): Promise<void> {
    this.client.close();
    for (const program of this.#processes.keys()) await this.#kill(program);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #serve(): Promise<void> {
    this.#run('kube-apiserver', apiServerFlags(this.#folder, this.#ports));
    try {
      await eventually(60_000, () => this.#answers());
    } catch (error) {
      const log = readFileSync(join(this.#folder, 'kube-apiserver.log'), 'utf8')
        .split('\n')
        .slice(-15)
        .join('\n');
      throw new Error(`The API server does not come up: ${(error as Error).message}\n${log}`);
    }
  }

  async #answers(): Promise<void> {
    await this.client.get('/api/v1/namespaces/default');
    // Addresses of Services are given out a moment after all else is there.
    await this.client.call('POST', '/api/v1/namespaces/default/services?dryRun=All', { body: SERVICE });
  }

  #run(program: string, flags: Flags): void {
    const log = openSync(join(this.#folder, `${program}.log`), 'a');
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    // It ends with us, also where we are killed.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', join(this.#folder, program), ...args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#processes.set(program, child);
  }

  async #kill(program: string): Promise<void> {
    const child = this.#processes.get(program);
    this.#processes.delete(program);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

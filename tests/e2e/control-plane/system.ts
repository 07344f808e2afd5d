/**
 * Replicas of the control plane and data planes as processes of their own, against the API server of a test, with tokens that it
 * issued. Around them is what a cluster would provide: a Service, files with authorities and tokens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { TOKEN_AUDIENCE } from '../../../gateway-runtime/distribution/messages.ts';
import { eventually } from '../../cluster/command.ts';
import { DataPlaneProcess } from '../../support/data-plane-process.ts';
import type { ApiServer } from '../control/api-server.ts';
import { LocalService } from './service.ts';

const MAIN = fileURLToPath(new URL('../../../gateway-runtime/control-plane/main.ts', import.meta.url));

/** Where the control plane is in these tests. */
export const NAMESPACE = 'default';
const ACCOUNT = 'gatewright';

export class ControlPlaneProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  output = '';

  /** `node`: flags of Node itself. */
  constructor(args: readonly string[], node: readonly string[] = []) {
    this.#child = spawn(process.execPath, [...node, '--conditions=gatewright-source', MAIN, ...args], {
      env: { PATH: process.env.PATH },
    });
    this.#exit = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  #number(text: RegExp): Promise<number> {
    return eventually(20_000, async () => {
      const [, found] = text.exec(this.output) ?? [];
      if (!found) throw new Error(`found no ${text} in ${this.output}`);
      return Number(found);
    });
  }

  /** Where the inspector is, of a process that was started with one. */
  inspector(): Promise<string> {
    return eventually(20_000, async () => {
      const [, url] = /Debugger listening on (ws:\S+)/.exec(this.output) ?? [];
      if (!url) throw new Error(`found no inspector in ${this.output}`);
      return url;
    });
  }

  /** Where data planes are served. */
  port = () => this.#number(/data planes are served at port (\d+)/);

  async ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const port = await this.#number(/health and metrics at 127\.0\.0\.1:(\d+)/);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.text() };
  }

  async leads(): Promise<boolean> {
    return (await this.ask('/metrics')).body.includes('\ngatewright_leader 1\n');
  }

  untilReady(): Promise<void> {
    return eventually(20_000, async () => {
      const { status, body } = await this.ask('/readyz');
      if (status !== 200) throw new Error(`${body}: ${this.output}`);
    });
  }

  /** Resolves with the code or signal with which it ended. */
  async end(signal: NodeJS.Signals): Promise<unknown> {
    this.#child.kill(signal);
    const [code, by] = await this.#exit;
    return code ?? by;
  }

  /** Of the process. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

export class System {
  readonly #server: ApiServer;
  readonly folder = mkdtempSync(join(tmpdir(), 'gatewright-system-'));
  readonly caFile = join(this.folder, 'ca.pem');
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly service: LocalService;
  #started = 0;

  private constructor(server: ApiServer, service: LocalService) {
    this.#server = server;
    this.service = service;
  }

  static async on(server: ApiServer): Promise<System> {
    const system = new System(server, await LocalService.start());
    await system.account(NAMESPACE, ACCOUNT);
    return system;
  }

  /** A replica that other replicas and data planes can reach. */
  async controlPlane(
    connection: Connection = this.#server.connection,
    node: readonly string[] = [],
  ): Promise<ControlPlaneProcess> {
    const name = `control-${++this.#started}`;
    const file = (suffix: string, text: string) => {
      const path = join(this.folder, `${name}-${suffix}`);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const { server, ca, certificate, key } = connection;
    const base64 = (text = '') => Buffer.from(text).toString('base64');
    const kubeconfig = file(
      'kubeconfig',
      JSON.stringify({
        'current-context': 'test',
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: NAMESPACE } }],
        clusters: [
          { name: 'test', cluster: { server: server.href, 'certificate-authority-data': base64(ca) } },
        ],
        users: [
          {
            name: 'test',
            user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) },
          },
        ],
      }),
    );
    const started = new ControlPlaneProcess(
      [
        ...['--kubeconfig', kubeconfig],
        ...['--pod', name],
        ...['--pod-ip', '127.0.0.1'],
        ...['--listen', '127.0.0.1:0'],
        ...['--admin', '127.0.0.1:0'],
        ...['--names', '127.0.0.1'],
        ...['--token-file', file('token', await this.token(NAMESPACE, ACCOUNT))],
        ...['--lease', '3'],
        '--no-provision',
      ],
      node,
    );
    this.#ends.push(() => started.end('SIGKILL'));
    await started.untilReady();
    this.service.targets.push(await started.port());
    writeFileSync(this.caFile, await this.bundle());
    return started;
  }

  /** What the provisioner would put beside data planes. */
  async bundle(): Promise<string> {
    const { data } = await this.#server.client.get<{ data: Record<string, string> }>(
      `/api/v1/namespaces/${NAMESPACE}/secrets/gatewright-authority`,
    );
    const content = JSON.parse(Buffer.from(data['authority.json']!, 'base64').toString());
    return content.roots.map(({ certificate }: { certificate: string }) => certificate).join('');
  }

  async account(namespace: string, name: string): Promise<void> {
    await this.#server.client.call(
      'PATCH',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}?fieldManager=test&force=true`,
      {
        body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
        contentType: 'application/apply-patch+yaml',
      },
    );
  }

  /** Of a service account, as the kubelet would project it. */
  async token(namespace: string, account: string, audience: string = TOKEN_AUDIENCE): Promise<string> {
    const { status } = await this.#server.client.call<{ status: { token: string } }>(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: [audience], expirationSeconds: 3600 },
        },
      },
    );
    return status.token;
  }

  /** A data plane of a Gateway of the class `gatewright`; `says` is the Gateway that it says it serves. */
  async dataPlane(gateway: string, replica: string, says = gateway): Promise<DataPlaneProcess> {
    const account = `${gateway}-gatewright`;
    await this.account(NAMESPACE, account);
    const tokenFile = join(this.folder, `${replica}-token`);
    writeFileSync(tokenFile, await this.token(NAMESPACE, account));
    const started = DataPlaneProcess.run(
      ['--replica', replica, '--ports', '80:0,443:0', '--unready-time', '0.2', '--leave-time', '0.2'],
      {
        GATEWRIGHT_GATEWAY: `${NAMESPACE}/${says}`,
        GATEWRIGHT_CONTROL_PLANE: `127.0.0.1:${this.service.port}`,
        GATEWRIGHT_CA_FILE: this.caFile,
        GATEWRIGHT_TOKEN_FILE: tokenFile,
        GATEWRIGHT_STATE_FOLDER: join(this.folder, `${replica}-state`),
        GATEWRIGHT_ADDRESS: '127.0.0.1',
        GATEWRIGHT_ADMIN: '127.0.0.1:0',
      },
    );
    this.#ends.push(() => started.kill());
    return started;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#ends.splice(0).map((end) => end()));
    await this.service.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

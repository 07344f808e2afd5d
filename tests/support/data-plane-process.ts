/** The process of a data plane, started as a container would be. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { exchange } from './client.ts';
import { type ControlPlane, until } from './distribution.ts';

const MAIN = fileURLToPath(new URL('../../gateway-runtime/data-plane/main.ts', import.meta.url));

/** Milliseconds that a process may take to start: a machine with few processors starts several at once. */
export const PATIENCE = 60_000;

export class DataPlaneProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  /** What it wrote. */
  output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'exit');
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  static run(args: readonly string[], environment: Record<string, string> = {}): DataPlaneProcess {
    return new DataPlaneProcess(
      spawn(process.execPath, ['--conditions=gatewright-source', MAIN, ...args], {
        env: {
          PATH: process.env.PATH,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          ...environment,
        },
      }),
    );
  }

  /** For GATEWAY, with flags for what differs from pod to pod and variables for the rest. */
  static begin(
    control: ControlPlane,
    replica: string,
    flags: readonly string[] = ['--ports', '80:0'],
    environment: Record<string, string> = {},
  ): DataPlaneProcess {
    const { tokenFile, caFile, folder } = control.options(replica);
    return DataPlaneProcess.run(
      ['--replica', replica, ...flags, '--unready-time', '0.6', '--leave-time', '0.6'],
      {
        GATEWRIGHT_GATEWAY: 'infra/gw',
        GATEWRIGHT_CONTROL_PLANE: `127.0.0.1:${control.port}`,
        GATEWRIGHT_CA_FILE: caFile,
        GATEWRIGHT_TOKEN_FILE: tokenFile,
        GATEWRIGHT_STATE_FOLDER: folder,
        GATEWRIGHT_ADDRESS: '127.0.0.1',
        GATEWRIGHT_ADMIN: '127.0.0.1:0',
        ...environment,
      },
    );
  }

  /** Resolves when admin listens, and what was served last is. */
  static async start(...options: Parameters<typeof DataPlaneProcess.begin>): Promise<DataPlaneProcess> {
    const started = DataPlaneProcess.begin(...options);
    await until('admin listens', () => started.output.includes('health and metrics'), PATIENCE).catch(
      async ({ message }: Error) => {
        // Nobody else knows of it.
        await started.kill();
        throw new Error(`${message}: ${started.output}`);
      },
    );
    return started;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get #admin(): number {
    return Number(/health and metrics at 127\.0\.0\.1:(\d+)/.exec(this.output)![1]);
  }

  /** Undefined where nobody answers. */
  async readiness(): Promise<number | undefined> {
    try {
      return (await exchange(this.#admin, { host: 'localhost', path: '/readyz' })).status;
    } catch {
      return undefined;
    }
  }

  async untilReady(patience = PATIENCE): Promise<void> {
    const deadline = performance.now() + patience;
    while ((await this.readiness()) !== 200) {
      if (performance.now() > deadline) throw new Error(`it does not get ready: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The port that it bound for port 80: admin tells, asked for a port that there is not. */
  async port(): Promise<number> {
    const asked = await exchange(this.#admin, {
      host: 'localhost',
      path: '/explain?url=http://a.example.com:1/',
    });
    return Number(/ at (\d+) for 80/.exec(asked.body)![1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Code or signal. */
  async exit(): Promise<unknown> {
    const [code, signal] = await this.#exit;
    return code ?? signal;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exit;
  }
}

/**
 * The client side of the stream: dials the control plane, proves which Gateway it serves, hands in what comes and answers it.
 * Whatever ends a stream, it dials again; what serves is not touched by that.
 */
import { readFile } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { Connection } from '../distribution/connection.ts';
import { InvalidContentError } from '../distribution/exactly.ts';
import { handshake } from '../distribution/handshake.ts';
import { DISTRIBUTION_LIMITS, type DistributionLimits } from '../distribution/limits.ts';
import {
  type Answer,
  type Commit,
  type ControlMessage,
  checkedControlMessage,
  type Hello,
  PROTOCOL,
  type Section,
  type Welcome,
} from '../distribution/messages.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { Received } from './serving-state.ts';

export interface ControlStreamOptions {
  readonly host: string;
  readonly port: number;
  /** Name that the control plane's certificate is for. Default: the host. */
  readonly serverName?: string;
  /** The authorities to be trusted, PEM. Read at each dial, since they are replaced while we run. */
  readonly caFile: string;
  /** Read at each dial, since it is replaced long before it is no longer valid. */
  readonly tokenFile: string;
  readonly gateway: GatewayId;
  /** Name of the pod. */
  readonly replica: string;
  /** What to say of ourselves when we dial. */
  readonly standing: () => Pick<Hello, 'held' | 'ready'>;
  /** The control plane has taken our hello. */
  readonly onWelcome: (welcome: Welcome) => void;
  /** Never rejects. */
  readonly onCommit: (commit: Commit, received: Readonly<Record<Section, Received>>) => Promise<Answer>;
  /** What operators may want to read, as a sentence. */
  readonly onEvent: (message: string) => void;
  readonly limits?: Partial<DistributionLimits>;
  /** Milliseconds between dials: doubles from first to longest; some of each wait is chance. */
  readonly backoff?: { readonly first: number; readonly longest: number };
}

const BACKOFF = { first: 200, longest: 10_000 };

interface Collected {
  readonly put: unknown[];
  readonly remove: string[];
}

const nothing = (): Record<Section, Collected> => ({
  resources: { put: [], remove: [] },
  endpoints: { put: [], remove: [] },
  certificates: { put: [], remove: [] },
});

export class ControlStream {
  readonly #options: ControlStreamOptions;
  readonly #limits: DistributionLimits;
  readonly #backoff: { readonly first: number; readonly longest: number };
  #connection: Connection | undefined;
  /** On its way to be a connection. */
  #socket: TLSSocket | undefined;
  #isWelcome = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #told = '';

  constructor(options: ControlStreamOptions) {
    this.#options = options;
    this.#limits = { ...DISTRIBUTION_LIMITS, ...options.limits };
    this.#backoff = options.backoff ?? BACKOFF;
  }

  /** Whether the control plane has taken our hello, and the stream stands. */
  get isConnected(): boolean {
    return this.#isWelcome;
  }

  start(): void {
    void this.#dial();
  }

  /** Has the control plane know. */
  tellReadiness(ready: boolean): void {
    if (this.#isWelcome) this.#connection?.send({ type: 'readiness', ready });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#connection?.end('stopping', 'the data plane stops');
  }

  async #dial(): Promise<void> {
    const { host, port, serverName, caFile, tokenFile } = this.#options;
    try {
      const [ca, token] = await Promise.all([readText(caFile), readText(tokenFile)]);
      if (this.#isStopped) return;
      const socket = connect({
        host,
        port,
        ca,
        ...(serverName === undefined ? {} : { servername: serverName }),
        minVersion: 'TLSv1.3',
        ALPNProtocols: [PROTOCOL],
      });
      this.#socket = socket;
      await handshake(socket, this.#limits.handshake);
      this.#socket = undefined;
      if (socket.alpnProtocol !== PROTOCOL) {
        socket.destroy();
        throw new Error(`the control plane does not speak ${PROTOCOL}`);
      }
      this.#speak(socket, token.trim());
    } catch (error) {
      this.#again((error as Error).message);
    }
  }

  #speak(socket: TLSSocket, token: string): void {
    const { gateway, replica, standing } = this.#options;
    const limits = this.#limits;
    let collected = nothing();
    let size = 0;
    let isApplying = false;
    const began = performance.now();
    const patience = setTimeout(
      () => connection.destroy(`there was no answer to hello within ${limits.hello / 1000} s`),
      limits.hello,
    );
    const onMessage = (message: ControlMessage, bytes: number) => {
      if (message.type === 'goodbye') {
        // It is known to be well, and asks for nothing but a new connection.
        if (message.reason === 'renew' || message.reason === 'stopping') this.#failures = 0;
        connection.destroy(message.message);
      } else if (message.type === 'welcome' && !this.#isWelcome) {
        clearTimeout(patience);
        this.#isWelcome = true;
        this.#options.onWelcome(message);
        this.#tell('connected to the control plane');
      } else if (!this.#isWelcome) {
        throw new InvalidContentError(`${message.type}: expected welcome`);
      } else if (message.type === 'part') {
        size += bytes;
        if (size > limits.update)
          throw new InvalidContentError(`part: expected at most ${limits.update} bytes`);
        const section = collected[message.section];
        for (const each of message.put) section.put.push(each);
        for (const each of message.remove) section.remove.push(each);
      } else if (message.type === 'commit') {
        if (isApplying)
          throw new InvalidContentError('commit: expected none before the last one is answered');
        isApplying = true;
        const received = collected;
        collected = nothing();
        size = 0;
        void this.#options.onCommit(message, received).then((answer) => {
          isApplying = false;
          connection.send(answer);
        });
      } else if (message.type !== 'beat') {
        throw new InvalidContentError(`${message.type}: expected it once`);
      }
    };
    const connection = new Connection({
      socket,
      limit: limits.controlFrame,
      limits,
      onMessage: (value, bytes) => onMessage(checkedControlMessage(value), bytes),
      onClose: (why) => {
        clearTimeout(patience);
        this.#connection = undefined;
        this.#isWelcome = false;
        // One that stood for a while was no failure to connect.
        if (performance.now() - began > this.#backoff.longest) this.#failures = 0;
        this.#again(why);
      },
    });
    this.#connection = connection;
    connection.send({ type: 'hello', gateway, replica, token, ...standing() });
  }

  #again(why: string): void {
    if (this.#isStopped) return;
    this.#tell(`not connected to the control plane: ${why}`);
    const { first, longest } = this.#backoff;
    const wait = Math.min(longest, first * 2 ** Math.min(this.#failures++, 30));
    this.#timer = setTimeout(() => void this.#dial(), wait * (0.5 + Math.random() / 2));
  }

  /** Not the same again and again. */
  #tell(message: string): void {
    if (message !== this.#told) this.#options.onEvent(message);
    this.#told = message;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The data plane of one Gateway in a process of its own: what the control plane sends, served; and what was served last, kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin } from '../admin/admin.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import { InvalidContentError } from '../distribution/exactly.ts';
import { DISTRIBUTION_LIMITS, type DistributionLimits } from '../distribution/limits.ts';
import { type Answer, boundedDiagnostics, type Commit, type Section } from '../distribution/messages.ts';
import { orderText } from '../distribution/order.ts';
import type { RegexEngine } from '../match/regex.ts';
import { Agent, type AgentOptions } from '../proxy/agent.ts';
import { Metrics } from '../proxy/telemetry/metrics.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { WorkerProgram } from '../workers/worker-process.ts';
import { Workers } from '../workers/workers.ts';
import { ControlStream, type ControlStreamOptions } from './control-stream.ts';
import { LastKnownGood } from './last-known-good.ts';
import { type Content, held, type Received, step, wholeUpdate } from './serving-state.ts';

export interface DataPlaneOptions
  extends Pick<
    ControlStreamOptions,
    'host' | 'port' | 'serverName' | 'caFile' | 'tokenFile' | 'gateway' | 'replica' | 'backoff'
  > {
  readonly regex: RegexEngine;
  /** Where listeners are bound. */
  readonly address: string;
  /** The port to bind for a listener port. */
  readonly bindPort: (port: number) => number;
  readonly admin: { readonly address: string; readonly port: number };
  /** Of last-known-good. */
  readonly folder: string;
  /** Called with whole lines, without the last line end, and how many they are. */
  readonly accessLog?: (lines: string, count: number) => void;
  /** Lines of the access log so far that could not be written. */
  readonly linesLost?: () => number;
  /** What operators may want to read, as a sentence. */
  readonly onEvent: (message: string) => void;
  /** More than one: processes that share the ports. Default: this process serves. */
  readonly workers?: { readonly count: number; readonly program: WorkerProgram };
  readonly engine?: AgentOptions['engine'];
  readonly proxyLimits?: AgentOptions['limits'];
  readonly limits?: Partial<DistributionLimits>;
}

/** Milliseconds of each stage of a stop. */
export interface StopTimes {
  /** Unready, and all else as before: until load balancers have seen it. */
  readonly unready: number;
  /** Then answers ask clients to leave. */
  readonly leave: number;
}

export const STOP_TIMES: StopTimes = { unready: 5_000, leave: 2_000 };

export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #limits: DistributionLimits;
  readonly #agent: Agent | Workers;
  /** What the control plane was told of it. */
  #toldReady = false;
  readonly #admin: Admin;
  readonly #stream: ControlStream;
  readonly #lastKnownGood: LastKnownGood;
  #content: Content | undefined;
  #sessionKeys: readonly string[] = [];
  #isStopping = false;
  #last: Promise<unknown> = Promise.resolve();

  /** Throws where an option is not valid. */
  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#limits = { ...DISTRIBUTION_LIMITS, ...options.limits };
    const { gateway, regex, address, bindPort, admin, folder, accessLog, onEvent, proxyLimits } = options;
    const { engine, workers } = options;
    const metrics = new Metrics({ process: true });
    if (options.linesLost) metrics.putLog(options.linesLost);
    const served = {
      gateway,
      address,
      bindPort,
      metrics,
      serverName: options.replica,
      ...(engine ? { engine } : {}),
      ...(proxyLimits ? { limits: proxyLimits } : {}),
    };
    this.#agent =
      workers && workers.count > 1
        ? new Workers({
            ...served,
            ...workers,
            onEvent,
            onReadiness: () => this.#tellReadiness(),
            ...(accessLog ? { accessLog } : {}),
          })
        : new Agent({
            ...served,
            regex,
            ...(accessLog ? { accessLog: (line: string) => accessLog(line, 1) } : {}),
          });
    this.#admin = new Admin({ gateways: () => [this.#shown()], metrics, regex, ...admin });
    this.#lastKnownGood = new LastKnownGood({ folder, gateway, onProblem: onEvent });
    this.#stream = new ControlStream({
      ...options,
      standing: () => {
        this.#toldReady = this.isReady;
        return { ...(this.#content ? { held: held(this.#content) } : {}), ready: this.isReady };
      },
      onWelcome: ({ sessionKeys = [] }) => {
        this.#last = this.#last.then(() => this.#useSessionKeys(sessionKeys));
      },
      onCommit: (commit, received) => {
        // One after the other, also where the stream is another one meanwhile.
        const answer = this.#last.then(() => this.#apply(commit, received));
        this.#last = answer;
        return answer;
      },
    });
  }

  get isReady(): boolean {
    return this.#agent.ready && !this.#isStopping;
  }

  get isConnected(): boolean {
    return this.#stream.isConnected;
  }

  /** The port bound for a listener port. */
  boundPort(port: number): number | undefined {
    return this.#agent.boundPort(port);
  }

  /**
   * Resolves with the port of admin once that listens and last-known-good serves. Rejects where the port can't be bound. It may be stopped before that,
   * and then begins nothing more.
   */
  async start(): Promise<number> {
    const port = await this.#admin.listen();
    await this.#restore();
    if (!this.#isStopping) this.#stream.start();
    return port;
  }

  /**
   * Without a failed request: unready first, so that no new clients are sent here; then clients are asked to leave; then what is
   * left is drained. The control plane is heard until then: endpoints come and go meanwhile too. From then on nothing new is served, which is
   * not to look as if it were refused.
   */
  async stop({ unready, leave }: StopTimes = STOP_TIMES): Promise<void> {
    if (!this.isReady) return this.close();
    this.#isStopping = true;
    this.#tellReadiness();
    await sleep(unready);
    this.#agent.retire();
    await sleep(leave);
    this.#stream.stop();
    await this.#agent.drain();
    await this.close();
  }

  /** At once. */
  async close(): Promise<void> {
    this.#isStopping = true;
    this.#stream.stop();
    await Promise.all([this.#agent.close(), this.#lastKnownGood.close(), this.#admin.close()]);
  }

  async #restore(): Promise<void> {
    const { gateway, onEvent } = this.#options;
    try {
      const content = await this.#lastKnownGood.load();
      if (!content || this.#isStopping) return;
      const { accepted, diagnostics } = await this.#agent.apply(wholeUpdate(gateway, content));
      if (!accepted) throw new Error(diagnostics[0]?.message);
      this.#content = content;
      this.#sessionKeys = content.sessionKeys;
      onEvent(`serving what was served last, version ${orderText(content.order)}`);
    } catch (error) {
      if (this.#isStopping) return;
      onEvent(`what was served last is not used: ${(error as Error).message}`);
    }
  }

  /** Kept with what is served: sessions go on after a restart without a control plane, too. */
  async #useSessionKeys(sessionKeys: readonly string[]): Promise<void> {
    if (sessionKeys.length === 0 || sessionKeys.join() === this.#sessionKeys.join()) return;
    const { accepted } = await this.#agent.apply({ sessionKeys });
    if (!accepted) return;
    this.#sessionKeys = sessionKeys;
    if (!this.#content) return;
    this.#content = { ...this.#content, sessionKeys };
    this.#lastKnownGood.save(this.#content);
  }

  async #apply(commit: Commit, received: Readonly<Record<Section, Received>>): Promise<Answer> {
    const { gateway, onEvent } = this.#options;
    const wasReady = this.#toldReady;
    try {
      const { update, after } = step(gateway, this.#content, commit, received);
      const { accepted, diagnostics } = await this.#agent.apply(update);
      if (!accepted) return this.#answer('nack', commit, diagnostics);
      this.#content = { ...after, sessionKeys: this.#sessionKeys };
      this.#lastKnownGood.save(this.#content);
      this.#tellReadiness();
      if (this.#toldReady !== wasReady) onEvent(`serving version ${orderText(after.order)}`);
      return this.#answer('ack', commit, diagnostics);
    } catch (error) {
      const message =
        error instanceof InvalidContentError
          ? error.message
          : 'what came could not be applied; this is a bug';
      return this.#answer('nack', commit, [this.#refusal(message)]);
    }
  }

  #tellReadiness(): void {
    if (this.isReady === this.#toldReady) return;
    this.#toldReady = this.isReady;
    this.#stream.tellReadiness(this.isReady);
  }

  #answer(type: Answer['type'], { order }: Commit, diagnostics: readonly Diagnostic[]): Answer {
    if (type === 'nack')
      this.#options.onEvent(`refused version ${orderText(order)}: ${diagnostics[0]?.message}`);
    return {
      type,
      order,
      version: this.#content?.version ?? '',
      diagnostics: boundedDiagnostics(diagnostics, this.#limits.diagnostics),
    };
  }

  #refusal(message: string): Diagnostic {
    const object = { group: GATEWAY_GROUP, kind: 'Gateway', ...idOf(this.#options.gateway) };
    return { severity: 'error', code: 'snapshot/not-sound', object, message };
  }

  /** For admin: ready is what load balancers are to know. */
  #shown() {
    const agent = this.#agent;
    return {
      gateway: agent.gateway,
      ready: this.isReady,
      snapshot: agent.snapshot,
      boundPort: (port: number) => agent.boundPort(port),
      publicPort: (port: number) => agent.publicPort(port),
    };
  }
}

const idOf = ({ namespace, name }: GatewayId) => ({ namespace, name });

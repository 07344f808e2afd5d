/**
 * The process of one worker: an agent that serves what the parent sends, on ports that it shares with others. It knows nothing of the control plane, keeps
 * nothing, and ends when the parent is gone.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../distribution/connection.ts';
import { DISTRIBUTION_LIMITS } from '../distribution/limits.ts';
import { boundedDiagnostics } from '../distribution/messages.ts';
import type { RegexEngine } from '../match/regex.ts';
import { Agent, type AgentUpdate } from '../proxy/agent.ts';
import type { GatewayMetrics } from '../proxy/telemetry/gateway-metrics.ts';
import { LogFile } from '../proxy/telemetry/log-file.ts';
import { Metrics } from '../proxy/telemetry/metrics.ts';
import type { BackendKey, Endpoint } from '../snapshot/snapshot.ts';
import type { Apply, FromWorker, Serve, SharedPort, ToWorker } from './messages.ts';
import { UpdateParts } from './update-messages.ts';

/** The file descriptor of the pipe to the parent. */
export const CHANNEL = 3;
/** Milliseconds between what is told without being asked; what was counted meanwhile dies with the process. */
const TELL = 1_000;
/** Of an answer. */
const DIAGNOSTICS = 1_000;
/** Series, and backends, in one message. */
const SERIES = 2_000;

/** Serves until the parent says otherwise. */
export function runWorker(regex: RegexEngine): void {
  // A terminal signals all of its processes; this one is told what to do by its parent.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  new Worker(regex).start();
}

class Worker {
  readonly #regex: RegexEngine;
  readonly #connection: Connection;
  readonly #log = new LogFile(process.stdout.fd);
  readonly #parts = new UpdateParts();
  /** As they last came: the parent has as many. */
  readonly #standIns = new Map<BackendKey, readonly Endpoint[]>();
  #retiredAt = 0;
  #agent: Agent | undefined;
  #counted: GatewayMetrics | undefined;
  #ports: ReadonlyMap<number, SharedPort> = new Map();
  /** Updates are applied, and messages sent, one after the other. */
  #applied: Promise<unknown> = Promise.resolve();
  #sent: Promise<unknown> = Promise.resolve();

  constructor(regex: RegexEngine) {
    this.#regex = regex;
    this.#connection = new Connection({
      socket: new Socket({ fd: CHANNEL, readable: true, writable: true }),
      limit: DISTRIBUTION_LIMITS.controlFrame,
      // A parent that is gone has closed the pipe. One that is only slow costs no connection.
      limits: { beat: TELL, silence: Number.POSITIVE_INFINITY },
      onMessage: (value) => this.#onMessage(value as ToWorker),
      onClose: () => process.exit(0),
    });
  }

  start(): void {
    this.#send([JSON.stringify({ type: 'started' } satisfies FromWorker)]);
    setInterval(() => this.#tell(), TELL).unref();
  }

  #onMessage(message: ToWorker): void {
    switch (message.type) {
      case 'serve':
        this.#serve(message);
        break;
      case 'resources':
      case 'entries':
        this.#parts.take(message);
        break;
      case 'stand-ins':
        for (const [key, found] of message.entries) this.#standIns.set(key, found);
        break;
      case 'apply':
        this.#take(message);
        break;
      case 'ticket-keys':
        this.#agent?.setTicketKeys(Buffer.from(message.keys, 'base64'));
        break;
      case 'retire':
        this.#retiredAt = performance.now();
        this.#agent?.retire();
        break;
      case 'drain':
        void this.#drain(message.leave);
        break;
      case 'count':
        this.#tell(message.question);
        break;
    }
  }

  #serve({ type: _, accessLog, ticketKeys, ...options }: Serve): void {
    const metrics = new Metrics();
    this.#agent = new Agent({
      ...options,
      regex: this.#regex,
      metrics,
      ticketKeys: Buffer.from(ticketKeys, 'base64'),
      sharedPort: (port) => this.#ports.get(port),
      fallbackEndpoints: ({ key }) => this.#standIns.get(key) ?? [],
      publicPort: (port) => this.#ports.get(port)?.publicPort ?? port,
      ...(accessLog ? { accessLog: (line: string) => this.#log.write(line) } : {}),
    });
    this.#counted = metrics.gateways[0];
  }

  #take(message: Apply): void {
    const update = this.#parts.complete(message);
    this.#applied = this.#applied.then(() => this.#apply(message, update));
  }

  async #apply(message: Apply, update: AgentUpdate): Promise<void> {
    const agent = this.#agent!;
    this.#ports = new Map(message.ports.map((each) => [each.port, each]));
    const { diagnostics, ...told } = await agent.apply(update);
    const result = { ...told, diagnostics: boundedDiagnostics(diagnostics, DIAGNOSTICS) };
    const bound = message.ports.flatMap(({ port }) => {
      const number = agent.boundPort(port);
      return number === undefined ? [] : [[port, number] as const];
    });
    this.#send([JSON.stringify({ type: 'applied', id: message.id, result, bound } satisfies FromWorker)]);
  }

  async #drain(leave: number): Promise<void> {
    const left = leave - (performance.now() - this.#retiredAt);
    if (left > 0) await sleep(left);
    const drained = this.#agent?.drain();
    await this.#agent?.unbound();
    this.#send([JSON.stringify({ type: 'unbound' } satisfies FromWorker)]);
    await drained;
    await this.#log.end();
    this.#tell();
    await this.#sent;
    this.#connection.end('stopping', 'drained');
  }

  #tell(answers?: number): void {
    const { events, series } = this.#counted?.take() ?? { events: [], series: [] };
    const { user, system } = process.cpuUsage();
    const rest = {
      cpu: user + system,
      memory: process.memoryUsage.rss(),
      ...(answers === undefined ? {} : { answers }),
    };
    const all = answers === undefined ? [] : [...(this.#counted?.figures() ?? [])];
    const most = Math.max(series.length, all.length);
    const messages: FromWorker[] = [];
    for (let from = 0; from === 0 || from < most; from += SERIES) {
      const to = from + SERIES;
      const counts = { events: from === 0 ? events : [], series: series.slice(from, to) };
      messages.push({ type: 'counted', counts, figures: all.slice(from, to), more: to < most, ...rest });
    }
    this.#send(messages.map((each) => JSON.stringify(each)));
  }

  #send(messages: readonly string[]): void {
    this.#sent = this.#sent.then(() => this.#connection.sendAll(messages));
  }
}

/**
 * The data plane of one Gateway in several processes that share its ports. To whoever feeds it, it is as an Agent: an update is accepted when every
 * process that serves has applied it. A worker that ends, does not answer or does not take what the others took is replaced while the
 * others go on; the one in its place serves nothing before it has all that they have.
 */
import { GATEWAY_GROUP } from '../api/names.ts';
import type { AgentOptions, AgentResult, AgentUpdate } from '../proxy/agent.ts';
import { LIMITS } from '../proxy/limits.ts';
import { Metrics } from '../proxy/telemetry/metrics.ts';
import { TicketKeys } from '../proxy/ticket-keys.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { GatewayId, Snapshot } from '../snapshot/snapshot.ts';
import type { Applied, FromWorker, Serve, SharedPort, Unbound } from './messages.ts';
import { Place, type PlaceOptions } from './place.ts';
import { Served } from './served.ts';
import { SharedPorts } from './shared-ports.ts';
import { standInMessages, updateMessages } from './update-messages.ts';
import { WorkersMetrics } from './workers-metrics.ts';

type FromAgent = 'gateway' | 'bindPort' | 'publicPort' | 'metrics';
/** What workers are told as it is. */
type ToAgent = 'engine' | 'trustedHops' | 'serverName' | 'limits' | 'fallbackEndpoints';

export interface WorkersOptions
  extends Pick<AgentOptions, FromAgent | ToAgent>,
    Pick<PlaceOptions, 'program'> {
  readonly count: number;
  /** Where listeners are bound. */
  readonly address: string;
  /** Called with whole lines of JSON, without the last line end, and how many they are. */
  readonly accessLog?: (lines: string, count: number) => void;
  /** What operators may want to read, as a sentence. */
  readonly onEvent: (message: string) => void;
  /** `ready` has changed. */
  readonly onReadiness?: () => void;
  readonly times?: Partial<WorkersTimes>;
}

export interface WorkersTimes {
  /** Milliseconds until a worker that has not answered an update is replaced. */
  readonly answer: number;
  /** Milliseconds between signs of life, and without one until a worker is replaced. */
  readonly silence: { readonly beat: number; readonly silence: number };
  readonly backoff: PlaceOptions['backoff'];
}

/** Answers come before the control plane gives up waiting for one. */
const TIMES: WorkersTimes = {
  answer: 30_000,
  silence: { beat: 2_000, silence: 15_000 },
  backoff: { first: 100, longest: 10_000 },
};

/** Milliseconds beyond the drain of an agent, for its process to end. */
const END = 5_000;

/** An update that is being applied. */
interface Pending {
  readonly id: number;
  readonly messages: () => Iterable<string>;
  /** Workers that ended over it. */
  lost: number;
  overdue?: NodeJS.Timeout;
  readonly done: (answers: readonly Applied[]) => void;
}

export class Workers {
  readonly gateway: GatewayId;
  readonly #options: WorkersOptions;
  readonly #times: WorkersTimes;
  readonly #places: readonly Place[];
  readonly #ports: SharedPorts;
  readonly #ticketKeys: TicketKeys;
  readonly #metrics: WorkersMetrics;
  #served: Served;
  /** Of what is served. */
  #servedPorts: readonly SharedPort[] = [];
  #servedId = 0;
  #nextId = 1;
  #pending: Pending | undefined;
  #state: 'starting' | 'serving' | 'draining' = 'starting';
  #retiredAt: number | undefined;
  #wasReady = false;
  #last: Promise<unknown> = Promise.resolve();
  #ended: Promise<void> | undefined;

  /** Starts the processes. */
  constructor(options: WorkersOptions) {
    const { gateway, address, metrics = new Metrics(), program, count, accessLog } = options;
    const { bindPort = (port) => port, publicPort = (port) => port } = options;
    this.gateway = gateway;
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#served = Served.nothing(gateway);
    this.#ports = new SharedPorts({ address, bindPort, publicPort });
    this.#ticketKeys = new TicketKeys((keys) => {
      for (const place of this.#places) {
        if (place.isBegun) place.send({ type: 'ticket-keys', keys: keys.toString('base64') });
      }
    });
    this.#places = Array.from(
      { length: count },
      (_, index) =>
        new Place({
          number: index + 1,
          program,
          limits: this.#times.silence,
          backoff: this.#times.backoff,
          onLines: (lines, found) => accessLog?.(lines, found),
          onMessage: (place, message) => this.#onMessage(place, message),
          onEnd: (place, how, wait) => this.#onEnd(place, index + 1, how, wait),
        }),
    );
    this.#metrics = new WorkersMetrics(metrics, gateway, this.#places);
  }

  /** Serves, and will go on: true from the first snapshot until drain, while there is a worker that serves. */
  get ready(): boolean {
    return this.#state === 'serving' && this.serving > 0;
  }

  /** What serves now. */
  get snapshot(): Snapshot | undefined {
    return this.#served.snapshot;
  }

  /** How many take requests. */
  get serving(): number {
    return this.#places.filter(({ serves }) => serves).length;
  }

  /** Of the processes. */
  get pids(): number[] {
    return this.#places.flatMap(({ pid }) => pid ?? []);
  }

  /** The port bound for a listener port of the Gateway. */
  boundPort(port: number): number | undefined {
    for (const { applied } of this.#places) {
      const found = applied?.bound.find(([each]) => each === port);
      if (found) return found[1];
    }
    return undefined;
  }

  /** The port under which clients reach a listener port of the Gateway. */
  publicPort(port: number): number {
    return this.#options.publicPort?.(port) ?? port;
  }

  /** Resolves when what was given is served by every worker that serves. */
  apply(update: AgentUpdate): Promise<AgentResult> {
    const result = this.#last.then(() => this.#apply(update));
    this.#last = result.catch(() => {});
    return result;
  }

  /** As of Agent. */
  retire(): void {
    this.#retiredAt ??= performance.now();
    for (const place of this.#places) if (place.isBegun) place.send({ type: 'retire' });
  }

  /** Has all of them answer what is in flight, and end. Not used again. */
  drain(): Promise<void> {
    const leave = this.#retiredAt === undefined ? 0 : performance.now() - this.#retiredAt;
    const patience = leave + (this.#options.limits?.drain ?? LIMITS.drain) + END;
    return this.#stop((place) => {
      if (place.isBegun) place.send({ type: 'drain', leave });
      else place.kill('it is not needed any more');
      return place.end(patience);
    });
  }

  /** As of Agent. */
  async unbound(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.unbound));
  }

  /** Ends all of them at once. */
  close(): Promise<void> {
    return this.#stop((place) => {
      place.kill('it is not needed any more');
      return place.end(END);
    });
  }

  async #stop(end: (place: Place) => Promise<void>): Promise<void> {
    this.#state = 'draining';
    this.#ticketKeys.close();
    const ended = Promise.all(this.#places.map(end));
    this.#ended = Promise.all([this.#ended, ended]).then(() => {});
    await this.#ended;
    this.#settle([]);
    await this.#last;
    this.#metrics.close();
  }

  async #apply(update: AgentUpdate): Promise<AgentResult> {
    const before = this.#served;
    if (this.#state === 'draining') return this.#refused([], {}, before);
    const after = before.after(update);
    if (update.delta) {
      await this.#ports.choose(after.ports);
      this.#metrics.know(update.delta);
    }
    const answers = await this.#ask(update, after);
    this.#ports.settled();
    const accepted = answers.filter(({ result }) => result.accepted);
    if (accepted.length === 0) return this.#refused(answers, update, before);
    this.#served = after;
    this.#servedPorts = this.#ports.all;
    this.#servedId = answers[0]!.id;
    if (update.delta) this.#metrics.took(before, after);
    if (update.delta && this.#state === 'starting') this.#state = 'serving';
    for (const place of this.#places) {
      if (place.applied?.result.accepted === false) place.kill('it did not take what the others took');
    }
    this.#tellReadiness();
    const diagnostics = distinct(accepted.flatMap(({ result }) => result.diagnostics));
    return { accepted: true, version: after.version, diagnostics };
  }

  async #refused(answers: readonly Applied[], { delta }: AgentUpdate, before: Served): Promise<AgentResult> {
    if (delta) {
      this.#metrics.refused(delta, before);
      await this.#ports.choose(before.ports);
    }
    const [first] = answers;
    return first
      ? first.result
      : { accepted: false, version: before.version, diagnostics: [this.#noAnswer()] };
  }

  #noAnswer(): Diagnostic {
    const { namespace, name } = this.gateway;
    return {
      severity: 'error',
      code: this.#state === 'draining' ? 'agent/draining' : 'workers/no-answer',
      object: { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name },
      message:
        this.#state === 'draining'
          ? 'this data plane is stopping'
          : `none of ${this.#places.length} workers could apply it: they ended or did not answer within ${this.#times.answer / 1000} s; what served before goes on serving`,
    };
  }

  #ask(update: AgentUpdate, after: Served): Promise<readonly Applied[]> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<readonly Applied[]>();
    const ports = this.#ports.all;
    this.#pending = { id, messages: () => this.#messages(id, update, after, ports), lost: 0, done: resolve };
    for (const place of this.#places) if (place.isBegun) place.sendAll(this.#pending.messages());
    // It may have begun to stop while ports were chosen.
    if (this.#state === 'draining') this.#settle([]);
    this.#check();
    return promise;
  }

  *#messages(id: number, update: AgentUpdate, { resources }: Served, ports: readonly SharedPort[]) {
    const { fallbackEndpoints } = this.#options;
    if (fallbackEndpoints) yield* standInMessages(update, resources, fallbackEndpoints);
    yield* updateMessages(id, update, ports);
  }

  /** Whether all have answered that serve, or will without having to be restarted. */
  #check(): void {
    const pending = this.#pending;
    if (!pending) return;
    const isComing = this.#places.some(({ isNew }) => isNew);
    // One that does not come at all ends as silent.
    if (!isComing) pending.overdue ??= setTimeout(() => this.#onOverdue(pending), this.#times.answer);
    const asked = this.#places.filter(({ isBegun, isNew }) => isBegun || isNew);
    if (asked.some(({ answered }) => answered < pending.id)) return;
    if (asked.length > 0 || pending.lost > 0) this.#settle(asked.map(({ applied }) => applied!));
  }

  #settle(answers: readonly Applied[]): void {
    clearTimeout(this.#pending?.overdue);
    this.#pending?.done(answers);
    this.#pending = undefined;
  }

  #onOverdue(pending: Pending): void {
    const late = this.#places.filter(({ answered }) => answered < pending.id);
    for (const place of late) place.kill(`it did not answer within ${this.#times.answer / 1000} s`);
    pending.lost += late.length;
    // Those that wait to be started again end nothing.
    this.#check();
  }

  #onMessage(place: Place, message: Exclude<FromWorker, Unbound>): void {
    if (message.type === 'started') this.#begin(place);
    else if (message.type === 'applied') this.#onApplied(place, message);
    else this.#metrics.counted(place, message);
  }

  /** It gets what all others have, and then what they are getting. */
  #begin(place: Place): void {
    const { engine, trustedHops, serverName, limits, address, accessLog } = this.#options;
    const serve: Serve = {
      type: 'serve',
      gateway: this.gateway,
      address,
      accessLog: accessLog !== undefined,
      ticketKeys: this.#ticketKeys.current.toString('base64'),
      ...(engine ? { engine } : {}),
      ...(trustedHops ? { trustedHops } : {}),
      ...(serverName === undefined ? {} : { serverName }),
      ...(limits ? { limits } : {}),
    };
    place.send(serve);
    if (this.#retiredAt !== undefined) place.send({ type: 'retire' });
    if (this.#servedId > 0) {
      place.sendAll(this.#messages(this.#servedId, this.#served.whole, this.#served, this.#servedPorts));
    }
    if (this.#pending) place.sendAll(this.#pending.messages());
    place.isBegun = true;
    if (this.#state === 'draining') place.send({ type: 'drain', leave: 0 });
  }

  #onApplied(place: Place, applied: Applied): void {
    place.applied = applied;
    if (!applied.result.accepted && applied.id === this.#servedId) {
      place.kill('it did not take what the others serve');
    }
    this.#check();
    this.#tellReadiness();
  }

  #onEnd(place: Place, number: number, how: string, wait: number | undefined): void {
    if (this.#pending && place.isBegun && place.answered < this.#pending.id) this.#pending.lost++;
    this.#metrics.ended(place);
    if (wait !== undefined) {
      const next = wait > 0 ? `in ${wait / 1000} s` : 'now';
      this.#options.onEvent(`worker ${number} ended: ${how}; another one is started in its place ${next}`);
    }
    // When the place knows of it.
    queueMicrotask(() => {
      this.#check();
      this.#tellReadiness();
    });
  }

  #tellReadiness(): void {
    if (this.ready === this.#wasReady) return;
    this.#wasReady = this.ready;
    this.#options.onReadiness?.();
  }
}

function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(diagnostics.map((each) => [JSON.stringify(each), each])).values()];
}

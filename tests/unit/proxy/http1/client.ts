/** A connection of a client by hand: what it sends, when it reads, and what time it is. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Bulk } from '../../../../gateway-runtime/proxy/engine-http1/bulk.ts';
import { ClientStream } from '../../../../gateway-runtime/proxy/engine-http1/client-stream.ts';
import type { Clock, Timed } from '../../../../gateway-runtime/proxy/engine-http1/clock.ts';
import type { EngineContext } from '../../../../gateway-runtime/proxy/engine-http1/engine.ts';
import { PUBLIC } from '../../../../gateway-runtime/proxy/engine-http1/transport.ts';
import { Unsent } from '../../../../gateway-runtime/proxy/engine-http1/unsent.ts';
import { UpstreamPool } from '../../../../gateway-runtime/proxy/engine-http1/upstream-pool.ts';
import type {
  Exchange,
  ExchangeHandler,
  ExchangeTotals,
} from '../../../../gateway-runtime/proxy/exchange.ts';
import { LIMITS, type Limits } from '../../../../gateway-runtime/proxy/limits.ts';

/** The time is what a test says. */
export class ManualClock {
  now = 0;
  date = 'Thu, 01 Jan 1970 00:00:00 GMT';
  readonly timed = new Set<Timed>();

  add(timed: Timed): void {
    this.timed.add(timed);
  }

  delete(timed: Timed): void {
    this.timed.delete(timed);
  }

  /** In steps of 100 ms, each of them looked at. */
  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.now < until) {
      this.now += Math.min(100, until - this.now);
      for (const each of this.timed) {
        try {
          each.check(this.now);
        } catch (error) {
          each.fail(error);
        }
      }
    }
  }
}

/** The server's end of a connection whose other end reads what it is told to read. */
export class ManualSocket extends Duplex {
  readonly remoteAddress = '192.0.2.1';
  sent = '';
  /** Milliseconds of silence after which the kernel is to ask the other side. */
  keepAlive: number | undefined;
  #reads: boolean;
  #waiting: (() => void)[] = [];

  constructor(reads: boolean) {
    super({ allowHalfOpen: true, highWaterMark: 16 * 1024, decodeStrings: true });
    this.#reads = reads;
    this.on('error', () => {});
  }

  override _read(): void {}

  setKeepAlive(isOn: boolean, delay: number): void {
    this.keepAlive = isOn ? delay : undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.sent += chunk.toString('latin1');
      done();
    };
    if (this.#reads) take();
    else this.#waiting.push(take);
  }

  override _final(done: () => void): void {
    if (this.#reads) done();
    else this.#waiting.push(done);
  }

  /** Its peer reads from now on. */
  readAll(): void {
    this.#reads = true;
    for (const take of this.#waiting.splice(0)) take();
  }
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));

type Handled = Partial<ExchangeHandler>;

export class ManualClient {
  readonly clock = new ManualClock();
  readonly socket: ManualSocket;
  readonly stream: ClientStream;
  readonly context: EngineContext;
  readonly requests: Exchange[] = [];
  readonly totals: ExchangeTotals[] = [];
  readonly malformed: number[] = [];
  readonly errors: unknown[] = [];

  constructor({
    limits = {},
    handler = {},
    reads = true,
    tls = false,
  }: { limits?: Partial<Limits>; handler?: Handled; reads?: boolean; tls?: boolean } = {}) {
    this.socket = new ManualSocket(reads);
    const context = {
      limits: { ...LIMITS, ...limits },
      clock: this.clock as unknown as Clock,
      handler: {
        onRequest: (exchange: Exchange) => {
          const { problem, request } = exchange;
          exchange.reply({
            status: problem?.status ?? 200,
            headers: [],
            body: problem?.message ?? `${request.method} ${request.path}`,
          });
        },
        onResponse: () => {},
        onFailure: () => {},
        onMalformed: (_: unknown, status: number) => this.malformed.push(status),
        onConnectionDropped: () => {},
        onHandshakeFailure: () => {},
        ...handler,
        onEnd: (exchange: Exchange, totals: ExchangeTotals) => {
          this.requests.push(exchange);
          this.totals.push(totals);
          handler.onEnd?.(exchange, totals);
        },
        onInternalError: (error: unknown) => this.errors.push(error),
      },
    } as unknown as { -readonly [Key in keyof EngineContext]: EngineContext[Key] };
    context.transport = PUBLIC;
    context.bulk = new Bulk((error) => this.errors.push(error));
    context.unsent = new Unsent(context.limits.unsent, (error) => this.errors.push(error));
    context.pool = new UpstreamPool(context, context.limits.connectionsPerEndpoint);
    context.mirrors = new UpstreamPool(context, context.limits.mirrorsPerEndpoint);
    this.context = context;
    const connection = { remoteAddress: '192.0.2.1', remotePort: 1, port: 80, tls };
    this.stream = new ClientStream(context, this.socket as unknown as Socket, connection, false, () => {});
  }

  /** As one piece, or in pieces of so many octets. */
  async send(text: string, size = text.length): Promise<void> {
    for (let at = 0; at < text.length; at += size) {
      this.socket.push(Buffer.from(text.slice(at, at + size), 'latin1'));
      await turn();
    }
  }

  async end(): Promise<void> {
    this.socket.push(null);
    await turn();
    await turn();
  }

  get statuses(): number[] {
    return [...this.socket.sent.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  }
}

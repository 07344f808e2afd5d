/**
 * What a client sends on a connection, read by the engine's reader of requests in pieces and with an application behind it, both as a plan of
 * four octets says: it answers at once, when a request has ended, or later, and takes bodies and answers as they come or with pauses.
 */
import type { Clock } from '../../gateway-runtime/proxy/engine-http1/clock.ts';
import type { EngineContext } from '../../gateway-runtime/proxy/engine-http1/engine.ts';
import {
  type RequestBody,
  RequestReader,
  type RequestSink,
} from '../../gateway-runtime/proxy/engine-http1/request-reader.ts';
import type { Wire } from '../../gateway-runtime/proxy/engine-http1/transport.ts';
import { LIMITS } from '../../gateway-runtime/proxy/limits.ts';
import type { RequestTarget, TargetProblem } from '../../gateway-runtime/proxy/request-target.ts';

export interface TakenRequest {
  readonly method: string;
  readonly target: string;
  /** Those that are forwarded, names in lower case. */
  readonly fields: readonly string[];
  /** The status with which it is answered in place of a backend; 0: it is routed. */
  readonly problem: number;
  /** One character per octet; undefined where it was answered before its end. */
  body: string | undefined;
  /** Each with its line end. */
  trailers: string;
  isWhole: boolean;
}

export interface Conversation {
  readonly requests: readonly TakenRequest[];
  /** The status that said that what came is no request, or not the rest of a body; 0 where all was. */
  readonly refused: number;
  /** Which of the requests that was, or which one was not begun for it. */
  readonly refusedAt: number;
  /** Nothing more is read: something was refused, or a request was the last one. */
  readonly isOver: boolean;
  /** The client speaks HTTP/2. */
  readonly isHttp2: boolean;
  /** Of the body of the last request, or between requests. */
  readonly isWaiting: boolean;
}

export const PLAN = 4;
/** In one piece, each request answered when it has ended. */
export const PLAIN = Buffer.from([1, 0, 0, 0]);

const AT_ONCE = 0;
const AT_ITS_END = 1;
const LATER = 2;

/** What the first octet of a plan has bits for. */
const readPlan = (plan: Buffer) => ({
  /** In which one answers is two bits for requests in turn, so that both are on one connection. */
  answers: (number: number) => [AT_ONCE, AT_ITS_END, LATER, number % 3][plan[0]! & 3]!,
  holdsBody: (plan[0]! & 4) !== 0,
  holdsAnswers: (plan[0]! & 8) !== 0,
  /** What was read is overwritten by the next read, as that of a socket is. */
  isLent: (plan[0]! & 16) !== 0,
  /** Pauses end behind every piece, or behind every third. */
  rests: (plan[0]! & 32) === 0 ? 1 : 3,
});

/** Ends of the pieces: three lengths in turn, of which 0 is all that is left. */
function pieces(plan: Buffer, length: number, cut: number): number[] {
  const ends: number[] = [];
  for (let [at, turn] = [0, 0]; at < length; turn++) {
    const size = plan[1 + (turn % (PLAN - 1))]! || length;
    const end = Math.min(length, at + size);
    if (cut > at && cut < end) ends.push(cut);
    ends.push(end);
    at = end;
  }
  return ends;
}

/** Whether some request of a connection with this plan may be answered before its body has come. */
export const answersEarly = (plan: Buffer): boolean => [AT_ONCE, LATER, 3].includes(plan[0]! & 3);

/** `cut` is where there is another piece. */
export function converse(octets: Buffer, plan: Buffer, cut: number): Conversation {
  const application = new Application(plan);
  return application.take(octets, pieces(plan, octets.length, cut));
}

class Application implements RequestSink {
  exchange: RequestBody | undefined;
  readonly #plan: ReturnType<typeof readPlan>;
  readonly #wire: Wire & { writableNeedDrain: boolean } = {
    writableNeedDrain: false,
    writableLength: 0,
    write: () => true,
    cork() {},
    uncork() {},
    pause: () => {
      this.#isPaused = true;
    },
    resume: () => {
      this.#isPaused = false;
    },
  };
  readonly #reader: RequestReader;
  readonly #requests: TakenRequest[] = [];
  #isPaused = false;
  #isOver = false;
  #isHttp2 = false;
  #refused = 0;
  #refusedAt = 0;
  /** The request in progress may be answered when there is a pause. */
  #isAnswerDue = false;

  constructor(plan: Buffer) {
    this.#plan = readPlan(plan);
    const clock = { now: 0 } as Clock;
    this.#reader = new RequestReader({ limits: LIMITS, clock } as EngineContext, this.#wire, this);
  }

  take(octets: Buffer, ends: readonly number[]): Conversation {
    const lent = Buffer.alloc(octets.length);
    let at = 0;
    for (const [index, end] of ends.entries()) {
      while (this.#isPaused && this.#rest());
      if (this.#isPaused && !this.#isOver) throw new Error('paused, and nothing ends it');
      if (this.#isOver) break;
      if (this.#plan.isLent) {
        octets.copy(lent, 0, at, end);
        this.#reader.take(lent, 0, end - at, false);
        lent.fill('!');
      } else this.#reader.take(octets, at, end, true);
      at = end;
      if (index % this.#plan.rests === 0) this.#rest();
    }
    while (this.#rest());
    const { phase } = this.#reader;
    return {
      requests: this.#requests,
      refused: this.#refused,
      refusedAt: this.#refusedAt,
      isOver: this.#isOver,
      isHttp2: this.#isHttp2,
      isWaiting: phase === 'head' || phase === 'body',
    };
  }

  /** Ends all pauses. False where there was none. */
  #rest(): boolean {
    let wasOne = false;
    if (this.#wire.writableNeedDrain) {
      wasOne = true;
      this.#wire.writableNeedDrain = false;
      if (this.#reader.phase === 'head') this.#reader.resume();
    }
    if (this.exchange?.takesBody === false) {
      wasOne = true;
      this.#takesBody = true;
      this.#reader.resume();
    }
    if (this.#isAnswerDue && !this.#isOver) {
      wasOne = true;
      this.#answer();
    }
    return wasOne && !this.#isOver;
  }

  #takesBody = true;

  #answer(): void {
    this.#isAnswerDue = false;
    this.exchange = undefined;
    const { head } = this.#reader;
    if (head.close || head.minor === 0) {
      this.#end();
      return;
    }
    if (this.#plan.holdsAnswers) this.#wire.writableNeedDrain = true;
    this.#reader.next();
    if (!this.#reader.isReading) this.#reader.resume();
  }

  #end(): void {
    this.#isOver = true;
    this.exchange = undefined;
    this.#reader.drop();
  }

  onRequest(target: RequestTarget | TargetProblem, hasBody: boolean): void {
    if (this.exchange || this.#isOver) throw new Error('a request before the one before it is answered');
    const { head } = this.#reader;
    const fields: string[] = [];
    head.each((name, value) => fields.push(`${name.toLowerCase()}: ${value}`));
    const request: TakenRequest = {
      method: head.method,
      target: head.method === '' ? '' : head.text.slice(head.targetStart, head.targetEnd),
      fields,
      problem: 'message' in target ? target.status : 0,
      body: '',
      trailers: '',
      isWhole: !hasBody,
    };
    const answers = this.#plan.answers(this.#requests.push(request));
    this.#takesBody = !this.#plan.holdsBody;
    this.exchange = this.#bodyOf(request, answers);
    if (hasBody && answers === AT_ITS_END) return;
    if (hasBody) request.body = undefined;
    if (answers === LATER) this.#isAnswerDue = true;
    else this.#answer();
  }

  #bodyOf(request: TakenRequest, answers: number): RequestBody {
    const isTaking = () => this.#takesBody;
    return {
      get takesBody() {
        return isTaking();
      },
      onRequestBody: (octets, start, end) => {
        if (end <= start) throw new Error(`content from ${start} to ${end}`);
        if (request.isWhole) throw new Error('content behind the end');
        if (request.body !== undefined) request.body += octets.toString('latin1', start, end);
        this.#takesBody = !this.#plan.holdsBody;
      },
      onRequestEnd: (trailers) => {
        if (request.isWhole) throw new Error('a second end');
        request.isWhole = true;
        request.trailers = trailers;
        if (answers === AT_ITS_END) this.#answer();
      },
      flushRequest() {},
    };
  }

  onMalformed(status: number): void {
    this.#refuse(status, this.#requests.length);
  }

  onMalformedBody(status: number): void {
    this.#refuse(status, this.#requests.length - 1);
  }

  #refuse(status: number, at: number): void {
    if (this.#isOver) throw new Error('refused, and nothing is read any more');
    this.#refused = status;
    this.#refusedAt = at;
    this.#isAnswerDue = false;
    this.#end();
  }

  onPreface(): void {
    this.#isHttp2 = true;
    this.#end();
  }
}

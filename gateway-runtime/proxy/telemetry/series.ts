/** What is counted of requests that have rule, listener and backend in common. */
import type { BackendKey, RouteRule } from '../../snapshot/snapshot.ts';
import type { ExchangeTotals, UpstreamFailure } from '../exchange.ts';
import type { SessionWord } from '../sessions/rule-sessions.ts';
import type { TlsFailure } from '../tls-routes/tls-connection.ts';

/** Upper bounds in seconds. */
export const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30] as const;
export const CODE_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export type Labels = Readonly<Record<string, string>>;

/** Places in `numbers`: what a request adds to is near each other, since of many routes nearly nothing is in the processor's cache. */
const SECONDS = CODE_CLASSES.length;
const RECEIVED = SECONDS + 1;
const SENT = RECEIVED + 1;
const FIRST_BUCKET = SENT + 1;
const REPEATED = FIRST_BUCKET + BUCKETS.length + 1;
const ZEROS: readonly number[] = Array.from({ length: REPEATED + 1 }, () => 0);

/** As plain data. */
export interface Counts {
  readonly numbers: readonly number[];
  readonly failures?: readonly (readonly [string, number])[];
  readonly sessions?: readonly (readonly [string, number])[];
}

/** Whose requests they are, as labels say it. */
interface OfRule {
  readonly rule: RouteRule;
}

export class Series {
  readonly listener: string;
  readonly backend: BackendKey | '';
  /** Requests under way are counted elsewhere. */
  isGone = false;
  readonly #gateway: string;
  readonly #of: OfRule | undefined;
  readonly #numbers: number[] = ZEROS.slice();
  /** Few requests have any. */
  #failures: Map<string, number> | undefined;
  #sessions: Map<string, number> | undefined;

  /** @param of absent: of requests that no rule served */
  constructor(gateway: string, of: OfRule | undefined, listener: string, backend: BackendKey | '') {
    this.#gateway = gateway;
    this.#of = of;
    this.listener = listener;
    this.backend = backend;
  }

  /** Of a TLSRoute: connections are counted, as class `none`. */
  get isOfConnections(): boolean {
    return this.#of?.rule.type === 'tls-rule';
  }

  get labels(): Labels {
    const source = this.#of?.rule.source;
    return {
      gateway: this.#gateway,
      listener: this.listener,
      route: source ? `${source.namespace}/${source.name}` : '',
      rule: source ? (source.ruleName ?? String(source.rule)) : '',
      backend: this.backend.slice('backend/'.length),
    };
  }

  /** By class of status: `CODE_CLASSES`. */
  get codes(): readonly number[] {
    return this.#numbers.slice(0, CODE_CLASSES.length);
  }

  /** Requests in each bucket alone, the last above all bounds. */
  get buckets(): readonly number[] {
    return this.#numbers.slice(FIRST_BUCKET, REPEATED);
  }

  get seconds(): number {
    return this.#numbers[SECONDS]!;
  }

  get received(): number {
    return this.#numbers[RECEIVED]!;
  }

  get sent(): number {
    return this.#numbers[SENT]!;
  }

  /** Times that requests were sent to a backend again. */
  get repeated(): number {
    return this.#numbers[REPEATED]!;
  }

  get failures(): Iterable<readonly [string, number]> {
    return this.#failures ?? [];
  }

  /** Requests by what became of their session, where the rule has sessions. */
  get sessions(): Iterable<readonly [string, number]> {
    return this.#sessions ?? [];
  }

  request({ status, duration, bytesReceived, bytesSent }: ExchangeTotals): void {
    const numbers = this.#numbers;
    numbers[Math.min(5, Math.floor(status / 100))]!++;
    const seconds = duration / 1_000;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > BUCKETS[bucket]!) bucket++;
    numbers[FIRST_BUCKET + bucket]!++;
    numbers[SECONDS]! += seconds;
    numbers[RECEIVED]! += bytesReceived;
    numbers[SENT]! += bytesSent;
  }

  connection(seconds: number, received: number, sent: number): void {
    const numbers = this.#numbers;
    numbers[0]!++;
    numbers[SECONDS]! += seconds;
    numbers[RECEIVED]! += received;
    numbers[SENT]! += sent;
  }

  repeat(times: number): void {
    this.#numbers[REPEATED]! += times;
  }

  fail(failure: UpstreamFailure | TlsFailure): void {
    this.#failures ??= new Map();
    add(this.#failures, failure, 1);
  }

  session(word: SessionWord): void {
    this.#sessions ??= new Map();
    add(this.#sessions, word, 1);
  }

  /** Leaves the series at 0, as the same object: requests under way have it. Undefined where no request was counted. */
  take(): Counts | undefined {
    const numbers = this.#numbers;
    let isAny = false;
    for (let i = 0; i < CODE_CLASSES.length; i++) if (numbers[i] !== 0) isAny = true;
    if (!isAny) return undefined;
    const counts = {
      numbers: numbers.slice(),
      ...(this.#failures ? { failures: [...this.#failures] } : {}),
      ...(this.#sessions ? { sessions: [...this.#sessions] } : {}),
    };
    numbers.fill(0);
    this.#failures = this.#sessions = undefined;
    return counts;
  }

  /** What another process counted. */
  add({ numbers, failures = [], sessions = [] }: Counts): void {
    for (const [index, each] of numbers.entries()) this.#numbers[index]! += each;
    this.#failures = sum(this.#failures, failures);
    this.#sessions = sum(this.#sessions, sessions);
  }
}

/** `counts` with `more`; undefined where there is nothing in either. */
function sum(counts: Map<string, number> | undefined, more: NonNullable<Counts['failures']>) {
  if (more.length === 0) return counts;
  const all = counts ?? new Map<string, number>();
  for (const [key, times] of more) add(all, key, times);
  return all;
}

function add(counts: Map<string, number>, key: string, times: number): void {
  counts.set(key, (counts.get(key) ?? 0) + times);
}

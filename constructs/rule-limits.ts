/** How long requests of a rule may take, and when they are sent again. */
import { apiDuration, type TimeSpan, timeSpan } from './duration.ts';
import { isObject, list, number, type OptionalType, optional, read, type Shape, type } from './props.ts';

export interface Timeouts {
  /**
   * From the head of a request to the end of its response, all attempts together; then it gets a 504. `'0s'` is no limit.
   * @default - those of the gateway
   */
  readonly request?: TimeSpan;
  /**
   * For one attempt at a backend, at most as long as `request`. `'0s'` is no limit.
   * @default - those of the gateway
   */
  readonly backendRequest?: TimeSpan;
}

export interface Retry {
  /**
   * How often a request that failed is sent again, at most.
   * @default 1
   */
  readonly attempts?: number;
  /**
   * The statuses of a backend on which it is, from 400 to 599. Where no connection comes about, or one breaks, it is anyway.
   * @default - none
   */
  readonly codes?: readonly number[];
  /**
   * How long to wait before, at least.
   * @default - 25ms
   */
  readonly backoff?: TimeSpan;
}

const TIMEOUTS: Shape<Timeouts> = { request: optional(timeSpan), backendRequest: optional(timeSpan) };
const RETRY: Shape<Retry> = {
  attempts: optional(number),
  codes: optional(list('a list of at least one status', number)),
  backoff: optional(timeSpan),
};

const object = (expected: string): OptionalType => optional(type(expected, isObject));

export interface RuleLimits {
  /**
   * How long its requests may take.
   * @default - as long as the gateway lets them
   */
  readonly timeouts?: Timeouts;
  /**
   * When a request that failed is sent again; `{}` for once, after a broken connection.
   * @default - never, but where no connection came about
   */
  readonly retry?: Retry;
}

export const LIMITS: Shape<RuleLimits> = {
  timeouts: object("times, such as { request: '10s' },"),
  retry: object('what is tried again, such as { attempts: 2, codes: [503] },'),
};

/** What is wrong inside of them. */
export function limitProblems({ timeouts, retry }: RuleLimits): string[] {
  return [
    ...(timeouts ? read('timeouts', timeouts, TIMEOUTS).problems : []),
    ...(retry ? read('retry', retry, RETRY).problems : []),
  ];
}

/** In the form of the API, without what is wrong. */
export function apiLimits({ timeouts, retry }: RuleLimits) {
  const times = timeouts && read('timeouts', timeouts, TIMEOUTS).props;
  const again = retry && read('retry', retry, RETRY).props;
  return {
    timeouts: times && {
      request: times.request && apiDuration(times.request),
      backendRequest: times.backendRequest && apiDuration(times.backendRequest),
    },
    retry: again && {
      codes: again.codes,
      attempts: again.attempts,
      backoff: again.backoff && apiDuration(again.backoff),
    },
  };
}

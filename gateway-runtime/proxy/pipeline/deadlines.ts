/**
 * Deadlines of exchanges. Those of one duration come due in the order in which they were set, so each duration has a queue and one timer,
 * however many exchanges wait: to set one and to cancel it costs a few assignments. They are noticed to the millisecond, except where a great many
 * come due together: then some of them at a time, so that nobody else waits for all.
 */

import { type Guard, guardedBy } from '../guard.ts';

/** Longer times of Node's timers come due at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Milliseconds for which those that are due are seen to at a time; the next ones a millisecond later. */
const SPAN = 0.25;

export class Deadline<T> {
  readonly subject: T;
  /** As `performance.now()` has it. */
  readonly due: number;
  #queue: Queue<T> | undefined;
  /** In the queue. */
  before: Deadline<T> | undefined;
  after: Deadline<T> | undefined;

  constructor(subject: T, due: number, queue: Queue<T>) {
    this.subject = subject;
    this.due = due;
    this.#queue = queue;
  }

  /** It does not come due any more. */
  cancel(): void {
    this.#queue?.remove(this);
    this.#queue = undefined;
  }
}

export class Deadlines<T> {
  readonly #onDue: (subject: T) => void;
  readonly #onError: (error: unknown) => void;
  readonly #guard: Guard;
  readonly #queues = new Map<number, Queue<T>>();

  /** @param onError is told what `onDue` throws */
  constructor(onDue: (subject: T) => void, onError: (error: unknown) => void) {
    this.#onDue = onDue;
    this.#onError = onError;
    this.#guard = guardedBy(onError);
  }

  /** @param duration in milliseconds, above 0 */
  set(subject: T, duration: number): Deadline<T> {
    let queue = this.#queues.get(duration);
    if (!queue) {
      queue = new Queue(this.#guard, this.#ring);
      this.#queues.set(duration, queue);
    }
    const now = performance.now();
    const deadline = new Deadline(subject, now + duration, queue);
    queue.append(deadline);
    queue.wait(now);
    return deadline;
  }

  readonly #ring = (queue: Queue<T>): void => {
    const now = performance.now();
    for (let { first } = queue; first && first.due <= now; { first } = queue) {
      first.cancel();
      try {
        this.#onDue(first.subject);
      } catch (error) {
        this.#onError(error);
      }
      if (performance.now() > now + SPAN) break;
    }
    if (queue.first) queue.wait(now);
    else this.#forget(queue);
  };

  /** A duration that no rule has any more leaves nothing behind. */
  #forget(queue: Queue<T>): void {
    for (const [duration, each] of this.#queues) if (each === queue) this.#queues.delete(duration);
  }
}

class Queue<T> {
  first: Deadline<T> | undefined;
  #last: Deadline<T> | undefined;
  #isWaiting = false;
  readonly #onTimer: () => void;

  constructor(guard: Guard, ring: (queue: Queue<T>) => void) {
    const onTurn = guard(() => {
      this.#isWaiting = false;
      ring(this);
    });
    // What came while this process did something else is read first: nobody was late who has answered.
    this.#onTimer = guard(() => {
      setImmediate(onTurn);
    });
  }

  append(deadline: Deadline<T>): void {
    deadline.before = this.#last;
    if (this.#last) this.#last.after = deadline;
    else this.first = deadline;
    this.#last = deadline;
  }

  remove(deadline: Deadline<T>): void {
    const { before, after } = deadline;
    if (before) before.after = after;
    else this.first = after;
    if (after) after.before = before;
    else this.#last = before;
    deadline.before = deadline.after = undefined;
  }

  /** For the first. */
  wait(now: number): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const time = Math.max(1, Math.min(LONGEST_TIMER, Math.ceil(this.first!.due - now)));
    setTimeout(this.#onTimer, time).unref();
  }
}

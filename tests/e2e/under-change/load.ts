/** Constant load on a Gateway's address, as a test sees it; `load-process.ts` makes it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../../cluster/command.ts';
import { PATIENCE } from '../waiting.ts';

export interface LoadPlan {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** Whom to trust, PEM: over TLS then. */
  readonly ca?: string;
  /** HTTP/2 is spoken over TLS only. Default: h1. */
  readonly protocol?: 'h1' | 'h2';
  /** Of each kind: GET and POST, on kept and on fresh connections. */
  readonly workers: number;
  /** Milliseconds from one request of a worker to its next. */
  readonly pace: number;
  /** Milliseconds after which a request without an answer has failed. */
  readonly timeout: number;
}

export interface Failure {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ended: number;
  /** Such as `POST kept`. */
  readonly kind: string;
  readonly error: string;
}

export interface Answered {
  /** When it was asked, in milliseconds since 1970. */
  readonly at: number;
  readonly milliseconds: number;
  readonly ok: boolean;
}

export interface Tally {
  readonly total: number;
  readonly failed: number;
  /** The first of them. */
  readonly failures: readonly Failure[];
  /** Of good answers, by kind. */
  readonly counts: Readonly<Record<string, number>>;
  /** Of good answers, by the pod that gave them. */
  readonly pods: Readonly<Record<string, number>>;
  /** Fingerprints of the certificates that were shown, in the order of their first sight. */
  readonly certificates: readonly string[];
  readonly answers: readonly Answered[];
}

export type Message =
  | { readonly type: 'start'; readonly plan: LoadPlan }
  | { readonly type: 'progress' }
  | { readonly type: 'stop' };

interface Progress {
  readonly total: number;
  readonly failed: number;
  /** Of good answers. */
  readonly kinds: readonly string[];
  /** Of the last failure. */
  readonly error?: string;
  /** The newest that was shown. */
  readonly certificate?: string;
}

const KINDS = ['GET fresh', 'GET kept', 'POST fresh', 'POST kept'];

export class Load {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Resolves once every kind of request has been answered. */
  static async on(plan: Pick<LoadPlan, 'address' | 'host' | 'path'> & Partial<LoadPlan>): Promise<Load> {
    const load = new Load(fork(join(import.meta.dirname, 'load-process.ts'), { execArgv: [] }));
    const port = plan.ca ? 443 : 80;
    load.#send({ type: 'start', plan: { port, workers: 2, pace: 40, timeout: 10_000, ...plan } });
    try {
      await eventually(PATIENCE, async () => {
        const { kinds, total, error } = await load.progress();
        if (kinds.length < KINDS.length) {
          throw new Error(`after ${total} requests only these were answered well: ${kinds}; ${error}`);
        }
      });
    } catch (error) {
      load.end();
      throw error;
    }
    return load;
  }

  #send(message: Message): void {
    this.#process.send(message);
  }

  async #ask<T>(message: Message): Promise<T> {
    const answer = once(this.#process, 'message');
    this.#send(message);
    const ended = once(this.#process, 'exit').then(([status]) => {
      throw new Error(`the load ended with ${status}`);
    });
    // Where the answer comes, nobody waits for the end.
    ended.catch(() => {});
    const [said] = (await Promise.race([answer, ended])) as [T];
    return said;
  }

  progress(): Promise<Progress> {
    return this.#ask<Progress>({ type: 'progress' });
  }

  /** Until so many more requests have come to their end, well or not. */
  async goesOn(more: number): Promise<void> {
    const goal = (await this.progress()).total + more;
    await eventually(PATIENCE, async () => {
      const { total } = await this.progress();
      if (total < goal) throw new Error(`${total} of ${goal} requests ended`);
    });
  }

  /** Ends the load when its last request has ended, and tells what became of all of them. */
  async stop(): Promise<Tally> {
    const tally = await this.#ask<Tally>({ type: 'stop' });
    for (const kind of KINDS) if (!tally.counts[kind]) throw new Error(`no ${kind} was answered`);
    return tally;
  }

  /** At once, whatever it was doing. */
  end(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Failures as words, with the time since `origin`; empty where there was none. */
export const failuresOf = ({ failures, failed }: Tally, origin = failures[0]?.at ?? 0): string[] => [
  ...failures.map(
    ({ at, ended, kind, error }) =>
      `${kind} at ${Math.round(at - origin)} ms, for ${Math.round(ended - at)} ms: ${error}`,
  ),
  ...(failed > failures.length ? [`and ${failed - failures.length} more`] : []),
];

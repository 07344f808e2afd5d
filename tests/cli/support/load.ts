/** Clients that keep asking while something is changed, and count what they got. */
import { Agent, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';

export class Load {
  answered = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #host: string;
  readonly #path: string;

  constructor(port: number, host: string, path: string) {
    this.#port = port;
    this.#host = host;
    this.#path = path;
  }

  async run(clients: number): Promise<void> {
    await Promise.all(Array.from({ length: clients }, () => this.#client()));
    this.#agent.destroy();
  }

  /** Resolves when this many requests were answered. */
  async until(answered: number): Promise<void> {
    while (this.answered < answered && this.failures.length === 0) await setImmediate();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #client(): Promise<void> {
    while (!this.#stopped) {
      const outcome = await this.#ask();
      if (outcome === 200) this.answered++;
      else this.failures.push(`${outcome}`);
    }
  }

  #ask(): Promise<number | string> {
    return new Promise((resolve) => {
      const options = {
        host: '127.0.0.1',
        port: this.#port,
        path: this.#path,
        headers: { host: this.#host },
        agent: this.#agent,
      };
      request(options, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode!));
        response.once('error', (error) => resolve(error.message));
      })
        .once('error', (error) => resolve(error.message))
        .end();
    });
  }
}

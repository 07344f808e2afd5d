/** A backend that keeps its answer until it is told to give it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HeldBackend implements Disposable {
  readonly #server: Server;
  /** A request is here. */
  readonly asked: Promise<void>;
  /** To the last one. */
  answer = (): void => {};

  private constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#server = createServer((_, response) => {
      this.answer = () => response.end('late but whole');
      resolve();
    });
  }

  static async listening(): Promise<HeldBackend> {
    const backend = new HeldBackend();
    backend.#server.listen(0, '127.0.0.1');
    await once(backend.#server, 'listening');
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

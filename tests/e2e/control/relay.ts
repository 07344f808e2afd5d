/** A TCP relay in front of the API server: what a network can do to a connection is done here. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Relay {
  readonly #target: number;
  readonly #connections = new Set<readonly [Socket, Socket]>();
  #server: Server;
  #port = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = this.#listener();
  }

  static async to(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await relay.restore();
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are there now pass nothing on any more, and nobody is told. */
  silence(): void {
    for (const [near, far] of this.#connections) {
      near.unpipe(far);
      far.unpipe(near);
      near.resume();
      far.resume();
    }
  }

  /** Requests still go through; their answers wait for `release`. Resolves when there is one that waits. */
  async hold(): Promise<void> {
    for (const [near, far] of this.#connections) far.unpipe(near);
    await Promise.race([...this.#connections].map(([, far]) => once(far, 'readable')));
  }

  release(): void {
    for (const [near, far] of this.#connections) far.pipe(near);
  }

  /** Breaks every connection and refuses new ones. */
  async cut(): Promise<void> {
    this.#server.close();
    for (const sockets of this.#connections) for (const socket of sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async restore(): Promise<void> {
    this.#server = this.#listener();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as { port: number }).port;
  }

  #listener(): Server {
    return createServer((near) => {
      const far = connect(this.#target, '127.0.0.1');
      const pair = [near, far] as const;
      this.#connections.add(pair);
      for (const socket of pair) {
        socket.on('error', () => {});
        socket.on('close', () => {
          near.destroy();
          far.destroy();
          this.#connections.delete(pair);
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
  }
}

/** What the Service before the control plane does: a connection goes to one of the replicas that take it. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class LocalService {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Ports of 127.0.0.1, tried in turn. */
  targets: number[] = [];
  #next = 0;
  port = 0;

  private constructor() {
    this.#server = createServer((near) => {
      this.#keep(near);
      this.#forward(near, [...this.targets.keys()]);
    });
  }

  static async start(): Promise<LocalService> {
    const service = new LocalService();
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    service.port = (service.#server.address() as { port: number }).port;
    return service;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #forward(near: Socket, left: readonly number[]): void {
    if (left.length === 0) {
      near.destroy();
      return;
    }
    const chosen = left[this.#next++ % left.length]!;
    const far = connect(this.targets[chosen]!, '127.0.0.1');
    this.#keep(far);
    far.once('error', () => {
      if (far.connecting || far.pending)
        this.#forward(
          near,
          left.filter((each) => each !== chosen),
        );
      else near.destroy();
    });
    far.once('connect', () => {
      near.pipe(far);
      far.pipe(near);
      far.once('close', () => near.destroy());
      near.once('close', () => far.destroy());
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

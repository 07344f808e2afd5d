/** Stands between a gateway and an origin, passes octets on, and keeps those of each connection. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Overheard {
  /** The address from which the origin was reached: each connection has one of its own, since ports come again. */
  readonly peer: string;
  /** One character per octet. */
  sent: string;
  answered: string;
  closed: boolean;
}

export class Tee {
  readonly heard: Overheard[] = [];
  #connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async before(port: number): Promise<Tee> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const tee = new Tee(server);
    server.on('connection', (near) => {
      const number = tee.#connections++;
      const localAddress = `127.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
      const far = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true, noDelay: true });
      far.on('connect', () => tee.#join(near, far, localAddress));
      for (const socket of [near, far]) {
        tee.#sockets.add(socket);
        const other = socket === near ? far : near;
        socket.on('error', () => other.resetAndDestroy());
        socket.on('close', () => {
          tee.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return tee;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(near: Socket, far: Socket, peer: string): void {
    const heard: Overheard = { peer, sent: '', answered: '', closed: false };
    this.heard.push(heard);
    near.on('data', (octets: Buffer) => {
      heard.sent += octets.toString('latin1');
      far.write(octets);
    });
    far.on('data', (octets: Buffer) => {
      heard.answered += octets.toString('latin1');
      near.write(octets);
    });
    // One that was given up at once has ended before there is anything to join it to.
    if (near.readableEnded) far.end();
    else near.on('end', () => far.end());
    far.on('end', () => near.end());
    far.on('close', () => {
      heard.closed = true;
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

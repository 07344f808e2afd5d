/**
 * The ports that all workers bind, chosen before any of them does. The system lets every process of this user join those that share a port, so
 * that two Gateways could share one by mistake and nobody would be told: a port is tried alone first.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { SharedPort } from './messages.ts';

export interface SharedPortsOptions {
  readonly address: string;
  /** The port to bind for a listener port; 0 is any free one. */
  readonly bindPort: (port: number) => number;
  readonly publicPort: (port: number) => number;
}

export class SharedPorts {
  readonly #options: SharedPortsOptions;
  readonly #ports = new Map<number, SharedPort>();
  /** Hold ports that were chosen by the system until workers have bound them. */
  readonly #placeholders: Server[] = [];

  constructor(options: SharedPortsOptions) {
    this.#options = options;
  }

  /** For exactly these listener ports. Those that stay keep theirs; one that could not be had is tried again. */
  async choose(ports: readonly number[]): Promise<void> {
    for (const port of this.#ports.keys()) if (!ports.includes(port)) this.#ports.delete(port);
    for (const port of ports) {
      const before = this.#ports.get(port);
      if (!before || before.problem !== undefined) this.#ports.set(port, await this.#choose(port));
    }
  }

  get all(): readonly SharedPort[] {
    const { publicPort } = this.#options;
    return [...this.#ports.values()].map((each) => ({ ...each, publicPort: publicPort(each.port) }));
  }

  /** Workers have bound what they could. */
  settled(): void {
    for (const each of this.#placeholders.splice(0)) each.close();
  }

  async #choose(port: number): Promise<SharedPort> {
    const { address, bindPort } = this.#options;
    const wanted = bindPort(port);
    const isFree = wanted === 0;
    const server = createServer((socket) => socket.destroy());
    try {
      server.listen({ port: wanted, host: address, reusePort: isFree });
      await once(server, 'listening');
    } catch (error) {
      const problem = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
      return { port, number: wanted, publicPort: port, problem };
    }
    const { port: number } = server.address() as AddressInfo;
    if (isFree) this.#placeholders.push(server);
    else await new Promise((resolve) => server.close(resolve));
    return { port, number, publicPort: port };
  }
}

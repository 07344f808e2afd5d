/**
 * Which local port serves which listener port. In a cluster every Gateway has an address of its own and may use port 80;
 * here all of them share one address, and ports under 1024 may need root. A port once given stays, so that an edit never
 * moves what a user has bookmarked.
 */
import { createServer } from 'node:net';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';

/** 80 is 8080, 443 is 8443. */
export const DEFAULT_PORT_OFFSET = 8000;
const FIRST_UNPRIVILEGED = 1024;
const STEP = 1000;
const LAST_PORT = 65535;

export interface PlannedPort {
  readonly port: number;
  readonly local: number;
  /** The port that it would have had, and which Gateway (`namespace/name`) has it. */
  readonly taken?: { readonly port: number; readonly by: string };
}

export class PortPlan {
  readonly #offset: number | 'free';
  readonly #address: string;
  readonly #takenBy = new Map<number, string>();
  readonly #gateways = new Map<string, Map<number, PlannedPort>>();

  /** `offset` is added to ports under 1024; `free` takes any free port for every listener. `reserved` ports are not given. */
  constructor(options: { offset: number | 'free'; address: string; reserved: readonly number[] }) {
    this.#offset = options.offset;
    this.#address = options.address;
    for (const port of options.reserved) this.#takenBy.set(port, 'the admin address');
  }

  /** Plans exactly these ports for a Gateway. */
  async plan(gateway: GatewayId, ports: readonly number[]): Promise<void> {
    const key = gatewayKey(gateway);
    const planned = this.#gateways.get(key) ?? new Map<number, PlannedPort>();
    this.#gateways.set(key, planned);
    for (const [port, { local }] of planned) {
      if (ports.includes(port)) continue;
      planned.delete(port);
      this.#takenBy.delete(local);
    }
    // Those that stay come first, so that a listener on 8080 has it and one on 80 makes way.
    const unplanned = ports.filter((port) => !planned.has(port)).sort((a, b) => b - a);
    for (const port of unplanned) {
      const next =
        this.#offset === 'free' ? { port, local: await this.#freePort() } : this.#next(port, this.#offset);
      planned.set(port, next);
      this.#takenBy.set(next.local, key);
    }
  }

  release(gateway: string): void {
    for (const { local } of this.#gateways.get(gateway)?.values() ?? []) this.#takenBy.delete(local);
    this.#gateways.delete(gateway);
  }

  /** The local port of a listener port; the port itself where the Gateway has no such listener. */
  local(gateway: GatewayId, port: number): number {
    return this.#gateways.get(gatewayKey(gateway))?.get(port)?.local ?? port;
  }

  planned(gateway: GatewayId): readonly PlannedPort[] {
    return [...(this.#gateways.get(gatewayKey(gateway))?.values() ?? [])].sort((a, b) => a.port - b.port);
  }

  /** These in the order in which they were first planned. */
  inOrder<T extends { readonly gateway: GatewayId }>(list: readonly T[]): T[] {
    const order = [...this.#gateways.keys()];
    const rank = ({ gateway }: T) => order.indexOf(gatewayKey(gateway));
    return [...list].sort((a, b) => rank(a) - rank(b));
  }

  #next(port: number, offset: number): PlannedPort {
    const wanted = port < FIRST_UNPRIVILEGED ? port + offset : port;
    const by = this.#takenBy.get(wanted);
    if (by === undefined) return { port, local: wanted };
    let local = wanted;
    while (local <= LAST_PORT && this.#takenBy.has(local)) local += STEP;
    if (local > LAST_PORT) local = FIRST_UNPRIVILEGED;
    while (this.#takenBy.has(local)) local++;
    return { port, local, taken: { port: wanted, by } };
  }

  /** A port that nothing listens on now. Found by listening, since filters must know it before the listener is bound. */
  async #freePort(): Promise<number> {
    const probe = createServer();
    const port = await new Promise<number>((resolve, reject) => {
      probe.once('error', reject);
      probe.listen(0, this.#address, () => resolve((probe.address() as { port: number }).port));
    });
    await new Promise((resolve) => probe.close(resolve));
    return this.#takenBy.has(port) ? this.#freePort() : port;
  }
}

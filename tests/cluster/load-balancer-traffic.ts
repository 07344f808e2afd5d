/**
 * Which worker takes a connection to a LoadBalancer address, as a balancer of packets in a cloud does it: each new
 * connection goes to a healthy worker in turn and stays with it, healthy or not. kube-proxy says which are healthy.
 */
import { run } from './command.ts';
import { POOL, type Worker } from './settings.ts';

/** Where kube-proxy tells that it works; a Service whose traffic stays on the worker has a port of its own. */
export const HEALTH_PORT = 10_256;

export interface Target {
  readonly address: string;
  /** Answers 200 at /healthz on a worker that may be given its connections. */
  readonly healthPort: number;
}

/** In milliseconds: a worker is out of turn within a second. */
const PROBE_EVERY = 250;
const PROBE_FOR = 300;
const FAILURES = 2;

export class Traffic {
  readonly #workers: readonly Worker[];
  #targets: readonly Target[] = [];
  /** Probes that failed in a row, by worker and port. */
  readonly #failures = new Map<string, number>();
  /** Those that last answered that they are not fit, by worker and port. */
  readonly #unfit = new Set<string>();
  #rules = '';

  constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  /** The addresses from now on. */
  serve(targets: readonly Target[]): void {
    this.#targets = targets;
  }

  /** Never settles. */
  async run(): Promise<never> {
    await run('ip', ['-batch', '-'], {
      input: this.#workers
        .flatMap(({ address }, index) => [
          `route add ${POOL} via ${address} table ${index + 1}`,
          `rule add fwmark ${index + 1} lookup ${index + 1}`,
        ])
        .join('\n'),
    });
    for (;;) {
      try {
        await this.#probeAll();
        await this.#direct();
      } catch (error) {
        console.error(`load balancer: ${(error as Error).message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY));
    }
  }

  async #probeAll(): Promise<void> {
    const ports = new Set(this.#targets.map(({ healthPort }) => healthPort));
    await Promise.all(this.#workers.flatMap((worker) => [...ports].map((port) => this.#probe(worker, port))));
  }

  async #probe({ name, address }: Worker, port: number): Promise<void> {
    const key = `${name}:${port}`;
    try {
      const answer = await fetch(`http://${address}:${port}/healthz`, {
        signal: AbortSignal.timeout(PROBE_FOR),
      });
      await answer.arrayBuffer();
      // One that answers that it is not fit is believed at once, and until it answers otherwise.
      this.#failures.set(key, answer.ok ? 0 : FAILURES);
      if (answer.ok) this.#unfit.delete(key);
      else this.#unfit.add(key);
    } catch {
      this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
    }
  }

  /** Marks each connection with the number of its worker; routing goes by the mark. */
  async #direct(): Promise<void> {
    const choices = this.#targets.map(({ address, healthPort }) => {
      const numbersOf = (isChosen: (key: string) => boolean) =>
        this.#workers.flatMap(({ name }, index) => (isChosen(`${name}:${healthPort}`) ? [index + 1] : []));
      // Where none is healthy, one that does not answer may only be slow; one that is not fit drops what it is given. (Some clouds give it to all of them then.)
      const choice = [
        numbersOf((key) => (this.#failures.get(key) ?? 0) < FAILURES),
        numbersOf((key) => !this.#unfit.has(key)),
      ];
      const chosen = choice.find(({ length }) => length > 0) ?? numbersOf(() => true);
      const turns = chosen.map((number, turn) => `${turn} : ${number}`).join(', ');
      return `ip daddr ${address} ct state new ct mark set numgen inc mod ${chosen.length} map { ${turns} }`;
    });
    const rules = [
      'table ip balancer',
      'delete table ip balancer',
      'table ip balancer {',
      '  chain choose {',
      '    type route hook output priority mangle;',
      ...choices.map((choice) => `    ${choice}`),
      `    ip daddr ${POOL} meta mark set ct mark`,
      '  }',
      '}',
    ].join('\n');
    if (rules === this.#rules) return;
    await run('nft', ['-f', '-'], { input: `${rules}\n` });
    this.#rules = rules;
  }
}

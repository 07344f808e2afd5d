/** Clients of all tenants, who ask again and again for as long as it is on, and whose answers must be those of before. */
import type { TenantCluster } from './tenant-cluster.ts';

export class Traffic {
  readonly #cluster: TenantCluster;
  readonly #expected: Readonly<Record<string, string>>;
  readonly #ended: Promise<void>;
  readonly #others = new Set<string>();
  #heard: (() => void)[] = [];
  #isOn = true;

  /** Of each URL, the answer that is expected of it. */
  constructor(cluster: TenantCluster, expected: Readonly<Record<string, string>>) {
    this.#cluster = cluster;
    this.#expected = expected;
    this.#ended = this.#run();
  }

  async #run(): Promise<void> {
    const urls = Object.keys(this.#expected);
    while (this.#isOn) {
      const heard = this.#heard;
      this.#heard = [];
      const answers = await this.#cluster.answers(urls);
      for (const url of urls)
        if (answers[url] !== this.#expected[url]) this.#others.add(`${url}: ${answers[url]}`);
      for (const each of heard) each();
    }
    for (const each of this.#heard) each();
  }

  /** Has everything asked once more, and tells what was answered in another way since this was asked before. */
  async others(): Promise<string[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#heard.push(resolve);
    await promise;
    const others = [...this.#others];
    this.#others.clear();
    return others;
  }

  async end(): Promise<void> {
    this.#isOn = false;
    await this.#ended;
  }
}

/** A control plane in this process, against the API server of a test. */
import { randomUUID } from 'node:crypto';
import { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { Connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { TIMINGS } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { Cluster, type ClusterOptions } from '../../../gateway-runtime/control/cluster.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { Diagnostic } from '../../../gateway-runtime/snapshot/diagnostic.ts';
import type { TranslationChange } from '../../../gateway-runtime/translate/translation.ts';

/**
 * So that a test of a lost leader takes seconds. For others the times are those of production: with these one slow answer of the API server
 * is an event.
 */
export const SHORT_ELECTION = { duration: 3_000, deadline: 1_500, period: 200 };

export class Replica {
  readonly changes: TranslationChange[] = [];
  readonly events: string[] = [];
  problems: readonly Diagnostic[] = [];
  readonly cluster: Cluster;
  /** Of its own: calls of the test are not to be in its way. */
  readonly #client: ApiClient;

  constructor(connection: Connection, options: Partial<ClusterOptions> = {}) {
    this.#client = new ApiClient(connection);
    this.cluster = new Cluster({
      client: this.#client,
      regex: re2,
      namespace: 'default',
      identity: randomUUID(),
      onChange: (change) => this.changes.push(change),
      onProblems: (problems) => {
        this.problems = problems;
      },
      onEvent: (message) => this.events.push(message),
      timings: TIMINGS,
      ...options,
    });
    this.cluster.start();
  }

  /** `code object` of each problem. */
  get problemCodes(): string[] {
    return this.problems.map(({ code, object }) => `${code} ${object.name}`);
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    this.#client.close();
  }
}

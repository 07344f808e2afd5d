/** What the status of an object says, and routes that need no backend. */
import { expect } from '@jest/globals';
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { read, route, type TestObject } from '../control/objects.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

/** Of a route those of its first parent. */
export function conditionsOf(object: ApiObject | undefined): readonly Condition[] {
  const { parents, conditions } = (object?.status ?? {}) as {
    parents?: readonly { conditions: readonly Condition[] }[];
    conditions?: readonly Condition[];
  };
  return conditions ?? parents?.[0]?.conditions ?? [];
}

/** Waits until an object has the condition so. */
export const says = (client: ApiClient, object: TestObject, type: string, expected: Partial<Condition>) =>
  eventually(20_000, async () => {
    const found = conditionsOf(await read(client, object)).find((each) => each.type === type);
    expect(found).toMatchObject(expected);
  });

/** A route that answers by itself: with a redirect to this port. */
export const redirecting = (name: string, port: number, gateway = 'edge'): TestObject =>
  route(name, [{ name: gateway }], {
    rules: [
      {
        filters: [
          {
            type: 'RequestRedirect',
            requestRedirect: { hostname: 'there.example.com', port, statusCode: 302 },
          },
        ],
      },
    ],
  });

export const ROUTE_PROGRAMMED = 'gatewright.dev/Programmed';

/** Every status that a condition of the objects in a collection ever had, from now on. */
export class History {
  readonly #stop = new AbortController();
  readonly #statuses: string[] = [];
  readonly #running: Promise<void>;

  private constructor(client: ApiClient, path: string, type: string, version: string, onOpen: () => void) {
    this.#running = client
      .watch(`${path}?watch=1&resourceVersion=${version}`, {
        silence: 600_000,
        signal: this.#stop.signal,
        onOpen,
        onEvent: ({ object }) => {
          const found = conditionsOf(object as unknown as ApiObject).find((each) => each.type === type);
          this.#statuses.push(found?.status ?? 'absent');
        },
      })
      .catch(() => {});
  }

  static async of(client: ApiClient, path: string, type: string): Promise<History> {
    const { metadata } = await client.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const history = new History(client, path, type, metadata.resourceVersion, resolve);
    await promise;
    return history;
  }

  async end(): Promise<readonly string[]> {
    this.#stop.abort();
    await this.#running;
    return this.#statuses;
  }
}

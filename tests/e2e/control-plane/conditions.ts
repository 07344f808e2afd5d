/** What the status of an object says, and routes that need no backend. */
import { expect } from '@jest/globals';
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { Followed } from '../control/followed.ts';
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
  readonly #followed: Followed;
  readonly #statuses: readonly string[];

  private constructor(followed: Followed, statuses: readonly string[]) {
    this.#followed = followed;
    this.#statuses = statuses;
  }

  static async of(client: ApiClient, path: string, type: string): Promise<History> {
    const statuses: string[] = [];
    const followed = await Followed.on(client, path, (_, object) => {
      const found = conditionsOf(object).find((each) => each.type === type);
      statuses.push(found?.status ?? 'absent');
    });
    return new History(followed, statuses);
  }

  /** Throws where some may not have been seen. */
  async end(): Promise<readonly string[]> {
    await this.#followed.untilNow();
    await this.#followed.stop();
    return this.#statuses;
  }
}

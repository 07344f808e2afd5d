/** What tests of processes stand on: an API server with the CRDs, and a system around control planes and data planes. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import { ApiServer } from '../control/api-server.ts';
import { installCrds, put, remove, type TestObject } from '../control/objects.ts';
import { System } from './system.ts';

export class Ground {
  #server: ApiServer | undefined;
  #system: System | undefined;
  readonly #objects: TestObject[] = [];

  /** One system for all tests of a file. */
  static forAll(): Ground {
    const ground = new Ground();
    beforeAll(async () => {
      await ground.#prepare();
      await ground.#begin();
    });
    afterAll(async () => {
      await ground.#system?.stop();
      await ground.#server?.stop();
    });
    return ground;
  }

  /** A system for each test, behind which what it made is removed. */
  static forEach(): Ground {
    const ground = new Ground();
    beforeAll(() => ground.#prepare());
    beforeEach(() => ground.#begin());
    afterEach(async () => {
      await ground.#system?.stop();
      await remove(ground.client, ...ground.#objects.splice(0));
    });
    afterAll(() => ground.#server?.stop());
    return ground;
  }

  async #prepare(): Promise<void> {
    this.#server = await ApiServer.start();
    await installCrds(this.client);
  }

  async #begin(): Promise<void> {
    this.#system = await System.on(this.server);
  }

  get server(): ApiServer {
    return this.#server!;
  }

  get client(): ApiClient {
    return this.server.client;
  }

  get system(): System {
    return this.#system!;
  }

  /** Applies what is removed behind the test. */
  readonly made = async (...objects: TestObject[]): Promise<void> => {
    this.#objects.push(...objects);
    await put(this.client, ...objects);
  };
}

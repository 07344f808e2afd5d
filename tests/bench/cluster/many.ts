/** Many routes, spread over namespaces as those of teams are. */
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { type ApiClient, PATCH } from '../../../gateway-runtime/control/cluster/client.ts';
import { OPEN, type Site } from '../../e2e/under-change/site.ts';

const AT_ONCE = 16;
const NAMESPACES = 10;

export const ROUTES = '/apis/gateway.networking.k8s.io/v1/httproutes';

export interface Written {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

/** Does the work for every number below the count, a few at a time. */
export async function each(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export class ManyRoutes {
  readonly #site: Site;
  readonly #client: ApiClient;

  constructor(site: Site, client: ApiClient) {
    this.#site = site;
    this.#client = client;
  }

  #namespace(index: number): string {
    return `${this.#site.team}-${index % NAMESPACES}`;
  }

  async open(): Promise<void> {
    for (let index = 0; index < NAMESPACES; index++) await this.#site.namespace(this.#namespace(index));
  }

  hostOf(name: string): string {
    return `${name}.${OPEN}`;
  }

  /** Resolves when the API server has taken it. */
  async put(name: string, index: number, generation = 0): Promise<Written> {
    const namespace = this.#namespace(index);
    const rules = [
      {
        matches: [
          { path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x-tier', value: `${generation}` }] },
        ],
        backendRefs: [{ name: 'backend', namespace: this.#site.team, port: 80 }],
      },
      { backendRefs: [{ name: 'backend', namespace: this.#site.team, port: 80 }] },
    ];
    const route: RawObject = this.#site.route(name, rules, { namespace, host: this.hostOf(name) });
    const path = await this.#site.api.pathOf(route);
    return this.#client.call<Written>('PATCH', `${path}?fieldManager=bench&force=true`, {
      body: route,
      contentType: PATCH.apply,
      timeout: 60_000,
    });
  }

  /** All of them, from all namespaces. */
  async removeAll(): Promise<void> {
    for (let index = 0; index < NAMESPACES; index++) {
      const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${this.#namespace(index)}/httproutes`;
      await this.#client.call('DELETE', path, { timeout: 120_000 });
    }
  }

  /** Lets the routes of all these namespaces name the team's backend. */
  grant(): RawObject {
    return {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'ReferenceGrant',
      metadata: { name: 'many', namespace: this.#site.team },
      spec: {
        from: Array.from({ length: NAMESPACES }, (_, index) => ({
          group: 'gateway.networking.k8s.io',
          kind: 'HTTPRoute',
          namespace: this.#namespace(index),
        })),
        to: [{ group: '', kind: 'Service' }],
      },
    };
  }
}

/** A control plane that provisions, in this process: with the token of the service account and the rights that the constructs give it. */
import { randomUUID } from 'node:crypto';
import { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import { type Connection, connection } from '../../../gateway-runtime/control/cluster/connection.ts';
import { Cluster } from '../../../gateway-runtime/control/cluster.ts';
import { Provisioner } from '../../../gateway-runtime/control/provisioner.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { gatewayKey } from '../../../gateway-runtime/snapshot/snapshot.ts';

/** It need not be one that runs: nothing here depends on a pod that does. */
const IMAGE = 'gatewright.test/runtime:dev';
const SYSTEM_CONTROL_PLANE = { host: 'gatewright-control-plane.gatewright-system.svc', port: 9903 };

/** Counts what would alter something. */
class CountingClient extends ApiClient {
  readonly writes: string[] = [];

  override call<T>(...[method, path, options]: Parameters<ApiClient['call']>): Promise<T> {
    if (method !== 'GET' && !path.includes('/leases')) this.writes.push(`${method} ${path.split('?')[0]}`);
    return super.call(method, path, options);
  }
}

export class Provisioning {
  readonly events: string[] = [];
  /** Gateways of which something changed. */
  readonly told: string[] = [];
  readonly provisioner: Provisioner;
  readonly #client: CountingClient;
  readonly #cluster: Cluster;

  constructor(as: Connection, namespace: string, bundle = 'authority') {
    const client = new CountingClient(as);
    this.#client = client;
    this.#cluster = new Cluster({
      client,
      regex: re2,
      namespace,
      identity: randomUUID(),
      onChange: ({ infrastructure }) => this.provisioner.want(infrastructure),
      onProblems: () => {},
      onEvent: (message) => this.events.push(message),
      onObject: (ref, object) => this.provisioner.observe(ref, object),
      onLeading: (epoch) => (epoch === undefined ? this.provisioner.follow() : this.provisioner.lead()),
      // Statuses are not what is tested here.
      complete: () => undefined,
    });
    this.provisioner = new Provisioner({
      client,
      mayWrite: () => this.#cluster.epoch !== undefined,
      image: IMAGE,
      controlPlane: SYSTEM_CONTROL_PLANE,
      onState: (gateway) => this.told.push(gatewayKey(gateway)),
      onEvent: (message) => this.events.push(message),
    });
    this.provisioner.trust(bundle);
    this.#cluster.start();
  }

  /** Writes to this place, or to any. */
  writesTo(place = ''): string[] {
    return this.#client.writes.filter((each) => each.includes(place));
  }

  stateOf(namespace: string, name: string) {
    return this.provisioner.stateOf({ namespace, name });
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
    await this.provisioner.stop();
    this.#client.close();
  }
}

/** The API server of the cluster under test, as its administrator. */
export const adminConnection = (): Connection => connection();

/** The same API server, as a service account. */
export async function accountConnection(namespace: string, name: string): Promise<Connection> {
  const admin = new ApiClient(adminConnection());
  const { status } = await admin.call<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } },
  );
  admin.close();
  const { certificate: _, key: __, ...rest } = adminConnection();
  return { ...rest, token: () => status.token };
}

/**
 * The load balancer of the cluster: gives every Service of type LoadBalancer an address of the pool, and has each new
 * connection to it taken by a worker that is fit for it. An address that is asked for is given or, where it is taken or
 * not of the pool, the Service stays pending.
 */
import type { ApiClient, ApiObject, ObjectList } from './api-client.ts';
import { HEALTH_PORT, type Target, type Traffic } from './load-balancer-traffic.ts';
import { POOL_SIZE, poolAddress } from './settings.ts';

interface Service extends ApiObject {
  readonly spec: {
    readonly type: string;
    readonly loadBalancerIP?: string;
    readonly loadBalancerClass?: string;
    /** There where only workers with a pod of the Service are to take its connections. */
    readonly healthCheckNodePort?: number;
  };
  readonly status: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

const pool = Array.from({ length: POOL_SIZE }, (_, index) => poolAddress(index));

const isOurs = ({ spec }: Service) => spec.type === 'LoadBalancer' && !spec.loadBalancerClass;
const addressOf = ({ status }: Service) => status.loadBalancer?.ingress?.[0]?.ip;
const nameOf = ({ metadata }: ApiObject) => `${metadata.namespace}/${metadata.name}`;

/** How long to wait after a watch that broke, in milliseconds. */
const RETRY_AFTER = 500;

/** Never settles. */
export async function balance(api: ApiClient, traffic: Traffic): Promise<never> {
  for (;;) {
    await watchServices(api, traffic).catch((error: Error) =>
      console.error(`load balancer: ${error.message}`),
    );
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
  }
}

async function watchServices(api: ApiClient, traffic: Traffic): Promise<void> {
  const list = await api.get<ObjectList<Service>>('/api/v1/services');
  const services = new Map<string, Service>();
  /** Addresses given whose Service has not come back with them yet, by UID. */
  const given = new Map<string, string>();

  const give = () => {
    const all = [...services.values()];
    const taken = new Set([...given.values(), ...all.map(addressOf)]);
    for (const service of all) {
      if (addressOf(service) || given.has(service.metadata.uid)) continue;
      const asked = service.spec.loadBalancerIP;
      const address = (asked ? [asked] : pool).find((each) => pool.includes(each) && !taken.has(each));
      if (!address) {
        const wish = asked ? `, which asks for ${asked}` : '';
        console.error(`load balancer: no address for ${nameOf(service)}${wish}`);
        continue;
      }
      taken.add(address);
      given.set(service.metadata.uid, address);
      announce(api, service, address).catch((error: Error) => {
        given.delete(service.metadata.uid);
        console.error(`load balancer: ${nameOf(service)}: ${error.message}`);
      });
    }
    traffic.serve(all.flatMap(targetOf));
  };
  const take = (service: Service, present: boolean) => {
    const { uid } = service.metadata;
    const ours = present && isOurs(service);
    if (ours) services.set(uid, service);
    else services.delete(uid);
    if (!ours || addressOf(service)) given.delete(uid);
  };

  for (const service of list.items) take(service, true);
  give();
  const from = `resourceVersion=${list.metadata.resourceVersion}`;
  await api.watch<Service>(`/api/v1/services?watch=1&${from}`, ({ type, object }) => {
    // The API server ends the watch after an error, such as a version it has forgotten.
    if (type === 'ERROR') return;
    take(object, type !== 'DELETED');
    give();
  });
}

function targetOf(service: Service): Target[] {
  const address = addressOf(service);
  return address ? [{ address, healthPort: service.spec.healthCheckNodePort ?? HEALTH_PORT }] : [];
}

function announce(api: ApiClient, { metadata }: Service, ip: string): Promise<void> {
  const path = `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}/status`;
  return api.patch(path, { status: { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } } });
}

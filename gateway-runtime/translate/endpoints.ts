/** Where a backend can be reached now: EndpointSlices of its Service, by the name of the Service's port. */
import type { KindObject } from '../api/kinds.ts';
import type { BackendEndpoints, Endpoint } from '../snapshot/snapshot.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects } from './objects.ts';

type Slice = KindObject<'EndpointSlice'>;

/** By namespace, Service and port. */
export function backendEndpoints(memo: Memo, objects: Objects): Derived<BackendEndpoints> {
  return memo.derive((namespace, service, port) => {
    const name = { namespace: namespace!, name: service! };
    const entry = objects
      .get('Service', name.namespace, name.name)
      ?.spec.ports.find((each) => each.port === Number(port) && each.protocol === 'TCP');
    const endpoints = new Map<string, Endpoint>();
    for (const each of entry ? objects.slicesOf(name) : []) {
      const slice = objects.get('EndpointSlice', each.namespace, each.name)!;
      for (const endpoint of endpointsOf(slice, entry!.name ?? '')) {
        const key = `${endpoint.address} ${endpoint.port}`;
        // One address may stand in two slices for a while; what is not terminating in either is not.
        if (!endpoints.has(key) || endpoints.get(key)!.terminating) endpoints.set(key, endpoint);
      }
    }
    const sorted = [...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
    return { backend: `backend/${namespace}/${service}/${port}`, endpoints: sorted };
  });
}

function* endpointsOf(slice: Slice, portName: string): Generator<Endpoint> {
  // FQDN addresses are deprecated, and a name could lead anywhere.
  if (slice.addressType === 'FQDN') return;
  const port = slice.ports.find(
    (each) => (each.name ?? '') === portName && (each.protocol ?? 'TCP') === 'TCP' && each.port !== undefined,
  )?.port;
  if (port === undefined) return;
  for (const { addresses, conditions, zone } of slice.endpoints) {
    // Unknown is to be read as true (EndpointConditions.ready); serving follows ready where it is not set.
    const ready = conditions?.ready ?? true;
    const terminating = conditions?.terminating ?? false;
    const usable = terminating ? (conditions?.serving ?? ready) : ready;
    if (!usable) continue;
    for (const address of addresses) {
      if (!isAddress(address)) continue;
      yield { address, port, ...(terminating ? { terminating } : {}), ...(zone ? { zone } : {}) };
    }
  }
}

/** Only what the API server takes: a name would be resolved by the proxy, to whatever it says. */
function isAddress(text: string): boolean {
  return (
    /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text) ||
    /^(?=.*:)[0-9a-fA-F:.]{2,45}$/.test(text)
  );
}

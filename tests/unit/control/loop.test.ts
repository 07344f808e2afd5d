import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parseText } from '../../../gateway-runtime/control/document.ts';
import { Loop } from '../../../gateway-runtime/control/loop.ts';
import { ObjectSet } from '../../../gateway-runtime/control/object-set.ts';
import { PortPlan } from '../../../gateway-runtime/control/port-plan.ts';
import type { RegexEngine } from '../../../gateway-runtime/match/regex.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';

const gateway = (name: string, port = 80) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: infra }
spec:
  gatewayClassName: any
  listeners: [{ name: web, port: ${port}, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }]
`;
const route = (name: string, parent: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec:
  parentRefs: [{ name: ${parent}, namespace: infra }]
  rules: [{ backendRefs: [{ name: cart, port: 80 }] }]
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { ports: [{ port: 80 }] }
`;
const slice = (port: number) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: cart-1, namespace: shop, labels: { kubernetes.io/service-name: cart } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ port: ${port} }]
`;

/** A loop, its objects, and what is to be closed after the test. */
class Bench {
  readonly #ports = new PortPlan({ offset: 'free', address: '127.0.0.1', reserved: [] });
  readonly #objects = new ObjectSet();
  readonly #servers: Server[] = [];
  readonly loop: Loop;

  constructor(echo = true, regex: RegexEngine = re2) {
    const address = '127.0.0.1';
    this.loop = new Loop({ regex, classes: 'any', address, ports: this.#ports, mappings: [], echo });
  }

  /** Serves exactly these objects. */
  apply(...documents: string[]) {
    this.#objects.put('objects', parseText(documents.join('---\n'), 'objects'));
    return this.loop.apply(this.#objects.take());
  }

  async get(name: string): Promise<{ status: number | undefined; body: string }> {
    const port = this.loop.agents.get(`infra/${name}`)!.boundPort(80);
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, agent: false }, async (response) => {
        resolve({ status: response.statusCode, body: (await response.toArray()).join('') });
      })
        .once('error', reject)
        .end();
    });
  }

  async backend(answer: (send: (text: string) => void) => void): Promise<number> {
    const server = createServer((_, response) => answer((text) => response.end(text)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.loop.close();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

describe('Loop', () => {
  let bench: Bench;
  afterEach(() => bench.close());

  it('reaches the endpoints that a Service has, and echoes while it has none', async () => {
    bench = new Bench();
    const port = await bench.backend((send) => send('the cart'));
    const objects = [gateway('gw'), SERVICE, route('cart', 'gw')];
    await bench.apply(...objects);
    expect((await bench.get('gw')).body).toMatch(/^Hostname: cart\n/);
    expect(bench.loop.unreachable.map(({ key }) => key)).toEqual(['backend/shop/cart/80']);

    const change = await bench.apply(...objects, slice(port));
    expect((await bench.get('gw')).body).toBe('the cart');
    expect(bench.loop.unreachable).toEqual([]);
    // Endpoints have a stream of their own: what was served is served still, in the same version.
    expect(change.gateways[0]!.after!.version).toBe(change.gateways[0]!.before!.version);

    await bench.apply(...objects);
    expect((await bench.get('gw')).body).toMatch(/^Hostname: cart\n/);
  });

  it('answers 503 for a Service without endpoints where nothing is echoed', async () => {
    bench = new Bench(false);
    await bench.apply(gateway('gw'), SERVICE, route('cart', 'gw'));
    expect((await bench.get('gw')).status).toBe(503);
  });

  it('lets a Gateway that is gone answer what it had begun, while its successor serves', async () => {
    bench = new Bench();
    let answer = (_: string) => {};
    let arrived = () => {};
    const inFlight = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const port = await bench.backend((send) => {
      answer = send;
      arrived();
    });
    await bench.apply(gateway('old'), SERVICE, slice(port), route('cart', 'old'));
    const pending = bench.get('old');
    await inFlight;
    const change = await bench.apply(gateway('new'), SERVICE, route('cart', 'new'));
    expect(change.gateways.map(({ gateway: { name }, before, after }) => [name, !!before, !!after])).toEqual([
      ['old', true, false],
      ['new', false, true],
    ]);
    expect((await bench.get('new')).status).toBe(200);
    answer('late');
    expect(await pending).toEqual({ status: 200, body: 'late' });
  });

  it('hands in all of what a data plane has refused with the next change', async () => {
    let calls = 0;
    bench = new Bench(false, {
      compile: (source) => {
        // The translator has checked it then.
        if (++calls === 2) throw new Error('found a bug');
        return re2.compile(source);
      },
    });
    const port = await bench.backend((send) => send('the cart'));
    await bench.apply(gateway('gw'));
    const objects = [
      gateway('gw'),
      SERVICE,
      slice(port),
      route('cart', 'gw').replace(
        'rules: [{',
        'rules: [{ matches: [{ path: { type: RegularExpression, value: /.* } }],',
      ),
    ];
    const { gateways } = await bench.apply(...objects);
    expect(gateways).toMatchObject([{ diagnostics: [{ code: 'snapshot/not-compiled' }] }]);
    expect((await bench.get('gw')).status).toBe(404);
    await bench.apply(...objects, SERVICE.replace('name: cart', 'name: unrelated'));
    expect((await bench.get('gw')).body).toBe('the cart');
  });

  it('applies changes in the order in which they come, also when nobody waits', async () => {
    bench = new Bench();
    const changes = Array.from({ length: 5 }, (_, index) =>
      bench.apply(gateway('gw'), SERVICE, ...(index % 2 ? [] : [route('cart', 'gw')])),
    );
    await Promise.all(changes);
    expect((await bench.get('gw')).status).toBe(200);
  });
});

/** What `serve` does where a BackendTLSPolicy covers a Service that runs nowhere near. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import type { Explained } from '../../gateway-runtime/explain/explanation.ts';
import { authority, issue } from '../support/certificates.ts';
import { gatewright, Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];
const HTTP_ONLY = GATEWAY.slice(0, GATEWAY.indexOf('    - name: secure'));
const SHOP = documents(
  HTTP_ONLY,
  route(
    'cart',
    'shop.example.com',
    `    - matches: [{ path: { value: /cart } }]
      backendRefs: [{ name: cart, port: 443 }]
    - matches: [{ path: { value: /page } }]
      backendRefs: [{ name: page, port: 80 }]
`,
  ),
  service('cart', 443),
  service('page'),
);
const configMap = `apiVersion: v1
kind: ConfigMap
metadata: { name: ca, namespace: shop }
data: { ca.crt: ${JSON.stringify(authority)} }
`;
const policy = `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: cart-tls, namespace: shop }
spec:
  targetRefs: [{ group: '', kind: Service, name: cart }]
  validation: { caCertificateRefs: [{ group: '', kind: ConfigMap, name: ca }], hostname: cart.internal }
`;
const COVERED = documents(SHOP, configMap, policy);
const WARNING =
  'warning Service shop/cart: the echo in its place is reached at port 443 without TLS, so BackendTLSPolicy shop/cart-tls is not tried here. A cluster takes only a certificate for cart.internal, and answers 502 for any other. Fix: --backend shop/cart:443=http://<host>:<port>, where a server with such a certificate listens.\n';

const get = (serving: Serving, path: string) => {
  const port = serving.port(80);
  return paste(`curl --resolve shop.example.com:${port}:127.0.0.1 http://shop.example.com:${port}${path}`);
};

describe('a Service that a BackendTLSPolicy covers', () => {
  it('is echoed without TLS, which is told, and again when the policy comes anew', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', COVERED);
    await using serving = await new Serving([file, ...FREE]).ready();
    await serving.until(() => serving.stderr.includes(WARNING));
    expect(serving.stdout).toContain(
      'Echoed, since nothing says where they run: shop/cart:443, shop/page:80.',
    );
    expect((await get(serving, '/cart')).body).toMatch(/^Hostname: cart\n/);

    const live = (times: number) => () => serving.stdout.split(/:\s+live after/).length === times + 1;
    folder.write('all.yaml', SHOP);
    await serving.until(live(1));
    folder.write('all.yaml', COVERED);
    await serving.until(live(2));
    await serving.until(() => serving.stderr.split(WARNING).length === 3);
  });

  it('is not echoed under a policy that can not be served', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', documents(SHOP, policy));
    await using serving = await new Serving([file, ...FREE]).ready();
    expect((await get(serving, '/cart')).status).toBe(500);
    expect(serving.stdout).toContain('Echoed, since nothing says where they run: shop/page:80.');
    expect(serving.stderr).toMatch(/^error BackendTLSPolicy\/shop\/cart-tls spec\.validation/m);
    expect(serving.stderr).not.toContain('is not tried here');
  });

  it('is reached over TLS where --backend says it is', async () => {
    using folder = new Folder();
    const { certificate, privateKey } = issue('shop/cart', ['cart.internal']);
    const real = createServer({ cert: certificate, key: privateKey }, (_, response) => {
      response.end('the real one');
    });
    real.listen(0, '127.0.0.1');
    await once(real, 'listening');
    const { port } = real.address() as AddressInfo;
    try {
      const file = folder.write('all.yaml', COVERED);
      const args = ['--backend', `shop/cart:443=http://127.0.0.1:${port}`];
      await using serving = await new Serving([file, ...FREE, ...args]).ready();
      expect((await get(serving, '/cart')).body).toBe('the real one');
      expect(serving.stderr).not.toContain('BackendTLSPolicy');
    } finally {
      real.closeAllConnections();
      real.close();
    }
  });

  it('is told of in JSON', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', COVERED);
    await using serving = await new Serving([file, ...FREE, '--json']).ready();
    expect(serving.events[0]).toMatchObject({
      event: 'started',
      echoed: ['shop/cart:443', 'shop/page:80'],
      problems: [WARNING.trimEnd()],
    });
  });
});

describe('explain', () => {
  it('names the policy in force, where it stands and what it does', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', COVERED);
    const ask = (...args: string[]) => gatewright(['explain', file, 'http://shop.example.com/cart', ...args]);
    const { stdout } = await ask();
    expect(stdout).toContain(
      'Policies    BackendTLSPolicy shop/cart-tls for Service shop/cart:443\n              In ',
    );
    const { policies } = JSON.parse((await ask('--json')).stdout) as Explained;
    expect(policies).toEqual([
      {
        kind: 'BackendTLSPolicy',
        namespace: 'shop',
        name: 'cart-tls',
        target: 'Service shop/cart:443',
        effect: expect.stringContaining('over TLS as cart.internal'),
        origin: expect.stringContaining('all.yaml'),
      },
    ]);
    const { stdout: page } = await gatewright(['explain', file, 'http://shop.example.com/page', '--json']);
    expect(JSON.parse(page)).not.toHaveProperty('policies');
  });

  it('and one that can not be served', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', documents(SHOP, policy));
    const { stdout } = await gatewright([
      ...['explain', file, 'http://shop.example.com/cart', '--json', '--strict'],
    ]);
    const { policies, status } = JSON.parse(stdout) as Explained;
    expect(status).toBe(500);
    expect(policies).toEqual([
      expect.objectContaining({ effect: expect.stringContaining('every request is answered 500: ') }),
    ]);
  });
});

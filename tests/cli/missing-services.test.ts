/** What `serve` does where routes name Services that no file defines. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];
const HTTP_ONLY = GATEWAY.slice(0, GATEWAY.indexOf('    - name: secure'));
const TO_CART = route('cart', 'shop.example.com', '    - backendRefs: [{ name: cart, port: 8080 }]\n');
const get = (serving: Serving) =>
  paste(
    `curl --resolve shop.example.com:${serving.port(80)}:127.0.0.1 http://shop.example.com:${serving.port(80)}/`,
  );

describe('a Service that a route names and nothing defines', () => {
  it('is echoed, with a word on what a cluster would answer; one that is written then takes its place', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', documents(HTTP_ONLY, TO_CART));
    await using serving = await new Serving([file, ...FREE]).ready();
    expect((await get(serving)).body).toMatch(/^Hostname: cart\n/);
    await serving.until(() =>
      serving.stderr.includes(
        'warning Services that routes name and no file defines: shop/cart:8080. Here each has one in its place; a cluster that lacks it answers 500 (ResolvedRefs=False, BackendNotFound).\n',
      ),
    );
    expect(serving.stdout).toContain('Echoed, since nothing says where they run: shop/cart:8080.');

    // Written with another port, it is what counts, and the route's mistake shows.
    folder.write('all.yaml', documents(HTTP_ONLY, TO_CART, service('cart', 9090)));
    await serving.until(() =>
      serving.stderr.includes('Service shop/cart has no TCP port 8080; it has 9090/TCP'),
    );
    expect((await get(serving)).status).toBe(500);

    folder.write('all.yaml', documents(HTTP_ONLY, TO_CART, service('cart', 8080)));
    await serving.until(() => serving.stdout.split(/:\s+live after/).length === 3);
    expect((await get(serving)).status).toBe(200);
  });

  it('is reached where --backend says it is', async () => {
    using folder = new Folder();
    const real = createServer((_, response) => response.end('the real one'));
    real.listen(0, '127.0.0.1');
    await once(real, 'listening');
    const { port } = real.address() as AddressInfo;
    try {
      const file = folder.write('all.yaml', documents(HTTP_ONLY, TO_CART));
      const args = ['--backend', `shop/cart:8080=http://127.0.0.1:${port}`];
      await using serving = await new Serving([file, ...FREE, ...args]).ready();
      expect((await get(serving)).body).toBe('the real one');
      expect(serving.stdout).toContain(`Mapped: shop/cart:8080 to 127.0.0.1:${port}`);
    } finally {
      real.closeAllConnections();
      real.close();
    }
  });

  it('is answered 500 with --strict, and the reason is told', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', documents(HTTP_ONLY, TO_CART));
    await using serving = await new Serving([file, ...FREE, '--strict']).ready();
    expect((await get(serving)).status).toBe(500);
    await serving.until(() =>
      /^error HTTPRoute\/shop\/cart .*Service shop\/cart does not exist/m.test(serving.stderr),
    );
    expect(serving.stdout).toMatch(/live after \d+ ms\. 1 object left out/);
  });
});

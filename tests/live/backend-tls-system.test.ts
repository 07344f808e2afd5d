/** Authorities that the system of a data plane trusts (BackendTLSPolicyValidation.wellKnownCACertificates): those of its process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { expect, it, jest } from '@jest/globals';
import { issueServerCertificate, makeRoot } from '../../gateway-runtime/control/x509.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { exchange } from '../support/client.ts';
import { DataPlaneProcess } from '../support/data-plane-process.ts';
import { at, ControlPlane } from '../support/distribution.ts';
import { ENGINE } from '../support/engine.ts';
import { backend, to } from '../support/gateway.ts';
import { exact, listener, rule } from '../unit/match/snapshots.ts';

/** Milliseconds for a process to start where the machine has other things to do. */
const PATIENCE = 60_000;
jest.setTimeout(2 * PATIENCE);

const HOST = 'cart.shop.internal';

const trusted = (names: readonly string[]): TlsOptions => {
  const { certificate, privateKey } = issue('shop/cart', names);
  return { cert: certificate, key: privateKey };
};

function strange(): TlsOptions {
  const { certificate, key } = issueServerCertificate(makeRoot('Strange', 1), [HOST], 1);
  return { cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) };
}

/** One rule for each, by its name as the path. */
const resources = (names: readonly string[]) => [
  listener('web'),
  ...names.flatMap((name) => [
    backend(name, { tls: { policy: 'shop/cart', hostname: HOST, authorities: 'System' } }),
    rule({
      route: `shop/${name}`,
      matches: [{ path: exact(`/${name}`) }],
      rest: { backends: [to(name)] },
    }),
  ]),
];

it('are trusted, for the name that is expected, and no others are', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const control = stack.adopt(await ControlPlane.start(), (each) => each.remove());
  const servers = {
    known: Backend.echo('known', trusted([HOST])),
    misnamed: Backend.echo('misnamed', trusted(['other.internal'])),
    strange: Backend.echo('strange', strange()),
  };
  const places: Record<string, Backend['endpoint'][]> = {};
  const backends = new Map<string, Backend>();
  for (const [name, starting] of Object.entries(servers)) {
    const started = stack.adopt(await starting, (each) => each.close());
    backends.set(name, started);
    places[name] = [started.endpoint];
  }
  control.publish(at(1), { resources: resources(Object.keys(servers)), endpoints: places });
  const file = join(folder, 'authorities.pem');
  writeFileSync(file, authority);
  const plane = await DataPlaneProcess.start(
    control,
    'gw-1',
    ['--ports', '80:0', '--engine', ENGINE, '--access-log'],
    { NODE_EXTRA_CA_CERTS: file },
  );
  stack.defer(() => plane.kill());
  await plane.untilReady(PATIENCE);
  const port = await plane.port();
  const ask = (path: string) => exchange(port, { host: 'a.example.com', path });
  expect(await ask('/known')).toMatchObject({ status: 200, body: 'known\n' });
  expect((await ask('/misnamed')).status).toBe(502);
  expect((await ask('/strange')).status).toBe(502);
  expect([...backends.values()].map(({ seen }) => seen.length)).toEqual([1, 0, 0]);
  plane.signal('SIGTERM');
  await plane.exit();
  const failures = [...plane.output.matchAll(/^\{.*\}$/gm)].map(([line]) => {
    const { path, failure } = JSON.parse(line) as { path: string; failure?: string };
    return [path, failure];
  });
  expect(failures).toEqual([
    ['/known', undefined],
    ['/misnamed', 'tls-name'],
    ['/strange', 'tls-untrusted'],
  ]);
});

import { describe, expect, it, jest } from '@jest/globals';
import { gatewright, Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { documents, route, service, WHOAMI } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];
const curl = (host: string, port: number, path: string, options = '') =>
  paste(`curl ${options} --resolve ${host}:${port}:127.0.0.1 http://${host}:${port}${path}`);

describe('gatewright serve --strict', () => {
  it('makes no certificate and echoes no Service', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', WHOAMI);
    const certificates = await gatewright(['serve', '--strict', file, ...FREE]);
    expect(certificates.code).toBe(1);
    expect(certificates.stderr).toContain(
      '  Secret/infra/wildcard, needed by Gateway/infra/shared-gw listener secure\n',
    );
    const plain = folder.write('all.yaml', WHOAMI.replace(/ {4}- name: secure[\s\S]*?---/, '---'));
    const echoes = await gatewright(['serve', '--strict', plain, ...FREE, '--admin', '127.0.0.1:0']);
    expect(echoes.code).toBe(1);
    expect(echoes.stderr).toContain('--strict echoes none:\n  shop/whoami:80\n');
    expect(echoes.stderr).toContain('--backend shop/whoami:80=http://127.0.0.1:3000');
  });

  it('applies no edit that sends to a Service that runs nowhere', async () => {
    using folder = new Folder();
    folder.write('gateway.yaml', WHOAMI.replace(/ {4}- name: secure[\s\S]*?---/, '---'));
    await using serving = await new Serving([
      folder.path,
      '--strict',
      '--backend',
      'shop/whoami:80=http://127.0.0.1:1',
      ...FREE,
    ]).ready();
    const port = serving.port(80);
    const late = 'late.example.com';
    const to = (name: string) =>
      documents(service('late'), route('late', late, `    - backendRefs: [{ name: ${name}, port: 80 }]\n`));
    folder.write('late.yaml', to('late'));
    await serving.until(() => /not applied, what was served before\s+is served still/.test(serving.stdout));
    await serving.until(() =>
      /^error \S+late\.yaml: the edit is not applied, .*--strict echoes none: shop\/late:80\./m.test(
        serving.stderr,
      ),
    );
    expect((await curl(late, port, '/')).status).toBe(404);

    folder.write('late.yaml', to('whoami'));
    await serving.until(() => /:\s+live after/.test(serving.stdout));
    // The mapped address has no server: a route is there, which is what matters.
    expect((await curl(late, port, '/')).status).toBe(503);
  });

  it('applies no edit that needs a Secret that is missing', async () => {
    using folder = new Folder();
    const plain = WHOAMI.replace(/ {4}- name: secure[\s\S]*?---/, '---');
    folder.write('all.yaml', plain);
    await using serving = await new Serving([
      folder.path,
      '--strict',
      '--backend',
      'shop/whoami:80=http://127.0.0.1:1',
      ...FREE,
    ]).ready();
    folder.write('all.yaml', WHOAMI.replace('value: /foo', 'value: /bar'));
    await serving.until(() => /not applied, what was served before\s+is served still/.test(serving.stdout));
    await serving.until(() =>
      serving.stderr.includes(
        '--strict makes none: Secret/infra/wildcard, needed by Gateway/infra/shared-gw',
      ),
    );
    expect((await curl('whoami.example.com', serving.port(80), '/foo')).status).toBe(503);
    expect((await curl('whoami.example.com', serving.port(80), '/bar')).status).toBe(404);

    folder.write('all.yaml', plain.replace('value: /foo', 'value: /bar'));
    await serving.until(() => /:\s+live after/.test(serving.stdout));
    expect((await curl('whoami.example.com', serving.port(80), '/bar')).status).toBe(503);
  });
});

import { renameSync, rmSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { Load } from './support/load.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];
const curl = (host: string, port: number, path: string, options = '') =>
  paste(`curl ${options} --resolve ${host}:${port}:127.0.0.1 http://${host}:${port}${path}`);

describe('gatewright serve, while files are edited,', () => {
  it('follows files that are edited, replaced, made and removed', async () => {
    using folder = new Folder();
    folder.write('gateway.yaml', GATEWAY);
    folder.write('services.yaml', documents(service('whoami'), service('nginx')));
    const to = (name: string) =>
      route('whoami', 'whoami.example.com', `    - backendRefs: [{ name: ${name}, port: 80 }]\n`);
    folder.write('route.yaml', to('whoami'));
    await using serving = await new Serving([folder.path, ...FREE]).ready();
    const port = serving.port(80);
    const hostname = async () =>
      /^Hostname: (.*)$/m.exec((await curl('whoami.example.com', port, '/')).body)?.[1];
    const lives = () => serving.stdout.split(/:\s+live after/).length - 1;
    expect(await hostname()).toBe('whoami');

    folder.write('route.yaml', to('nginx'));
    await serving.until(() => lives() === 1);
    expect(await hostname()).toBe('nginx');
    expect(serving.stdout).toContain(`MOVED: answered by another backend or redirect
  whoami.example.com /*
    before    shop/whoami:80
`);
    expect(serving.stdout).toContain(`
    after     shop/nginx:80
    try       GET http://whoami.example.com:${port}/
`);

    folder.write('route.yaml.tmp', to('whoami'));
    renameSync(folder.file('route.yaml.tmp'), folder.file('route.yaml'));
    await serving.until(() => lives() === 2);
    expect(await hostname()).toBe('whoami');

    folder.write(
      'extra.yaml',
      route('extra', 'extra.example.com', '    - backendRefs: [{ name: nginx, port: 80 }]\n'),
    );
    await serving.until(() => lives() === 3);
    expect((await curl('extra.example.com', port, '/')).status).toBe(200);

    rmSync(folder.file('extra.yaml'));
    await serving.until(() => lives() === 4);
    expect((await curl('extra.example.com', port, '/')).status).toBe(404);

    folder.write('route.yaml', `${to('nginx')}    - matches: [`);
    await serving.until(() => /not applied, what was served before\s+is served still/.test(serving.stdout));
    await serving.until(() => /^error \S+route\.yaml:\d+: /m.test(serving.stderr));
    expect(await hostname()).toBe('whoami');

    const refusals = () => serving.stdout.split(/not applied/).length - 1;
    folder.write('route.yaml', '');
    await serving.until(() => refusals() === 2);
    expect(await hostname()).toBe('whoami');

    folder.write('route.yaml', to('nginx').replace('kind: HTTPRoute', 'kind: HTTPRout'));
    await serving.until(() => refusals() === 3);
    expect(await hostname()).toBe('whoami');

    folder.write('route.yaml', to('nginx'));
    await serving.until(() => lives() === 5);
    expect(await hostname()).toBe('nginx');
  });

  it('fails no request while the files are edited 20 times', async () => {
    using folder = new Folder();
    const version = (edit: number) =>
      documents(
        // Every third edit brings a Gateway or takes it away, every other one moves a certificate.
        GATEWAY.replace('*.example.com', edit % 2 ? '*.example.com' : '*.example.org'),
        ...(edit % 3 ? [] : [GATEWAY.replace('name: shared-gw', 'name: other-gw')]),
        service('whoami'),
        service('nginx'),
        route(
          'whoami',
          'whoami.example.com',
          `    - matches: [{ path: { value: /${edit} } }]
      backendRefs: [{ name: nginx, port: 80 }]
    - backendRefs: [{ name: whoami, port: 80, weight: ${edit} }, { name: nginx, port: 80 }]
`,
        ),
      );
    const file = folder.write('all.yaml', version(0));
    await using serving = await new Serving([file, ...FREE, '--json']).ready();
    const [started] = serving.events as [{ gateways: { ports: { port: number; local: number }[] }[] }];
    const { local } = started.gateways[0]!.ports.find(({ port }) => port === 80)!;
    const load = new Load(local, 'whoami.example.com', '/');
    const running = load.run(4);
    const edits = () => serving.events.filter(({ event }) => event === 'changed');
    for (let edit = 1; edit <= 20; edit++) {
      const before = load.answered;
      folder.write('all.yaml', version(edit));
      await serving.until(() => edits().length >= edit);
      expect(edits().at(-1)).toMatchObject({ applied: true, problems: [] });
      await load.until(before + 10);
    }
    load.stop();
    await running;
    expect(load.failures).toEqual([]);
  });
});

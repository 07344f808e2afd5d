import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { gatewright, Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service, WHOAMI } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];

describe('gatewright serve', () => {
  it('serves a file: what it prints can be pasted, and Services that run nowhere are echoed', async () => {
    using folder = new Folder();
    await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...FREE, '--all']).ready();
    const { commands } = serving;
    expect(commands.map((command) => command.replaceAll(/:\d{4,5}| \S*ca\.pem/g, ''))).toEqual([
      'curl --resolve whoami.example.com:127.0.0.1 http://whoami.example.com/foo',
      'curl -i --resolve whoami.example.com:127.0.0.1 http://whoami.example.com/old',
      'curl --cacert --resolve whoami.example.com:127.0.0.1 https://whoami.example.com/foo',
    ]);
    const plain = await paste(commands[0]!);
    expect(plain.status).toBe(200);
    expect(plain.body).toMatch(/^Hostname: whoami\n/);
    expect(plain.body).toContain('GET /foo HTTP/1.1\n');
    expect(plain.body).toContain('X-Forwarded-Proto: http\n');
    const secure = await paste(commands[2]!);
    expect(secure.body).toContain('X-Forwarded-Proto: https\n');
    const redirect = await paste(commands[1]!);
    expect(redirect.status).toBe(302);
    // To where https is served here, not to port 443.
    expect(redirect.headers.get('location')).toBe(`https://whoami.example.com:${serving.port(443)}/old`);
    expect(serving.stdout).toContain('Echoed, since nothing says where they run: shop/whoami:80.');
  });

  it('shows one command for each team, and one for HTTPS, to begin with', async () => {
    using folder = new Folder();
    await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...FREE]).ready();
    expect(serving.commands.map((command) => new URL(command.split(' ').at(-1)!).pathname)).toEqual([
      '/foo',
      '/foo',
    ]);
    expect(serving.stdout).toContain('Try, or see --all for each route:');
  });

  it('passes over what is no object in a folder, and names the app that is there', async () => {
    using folder = new Folder();
    folder.write('cdk8s.yaml', 'language: typescript\napp: node app.ts\n');
    folder.write('app.ts', '');
    const { code, stderr } = await gatewright(['serve', folder.path, ...FREE]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error no Gateway to serve in ${folder.path}. The folder has an app, so name that: ${folder.file('app.ts')}.\n`,
    });
    folder.write('gateway.yaml', WHOAMI);
    await using serving = await new Serving([folder.path, ...FREE]).ready();
    expect((await paste(serving.commands[0]!)).status).toBe(200);
    expect(serving.stderr).toBe('');
  });

  it('answers for health on the admin address', async () => {
    using folder = new Folder();
    await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...FREE]).ready();
    const [, url] = /explain: (http:\/\/127\.0\.0\.1:\d+)$/m.exec(serving.stdout)!;
    expect(await paste(`curl ${url}/readyz`)).toMatchObject({ status: 200, body: 'ready\n' });
    const explained = await paste(`curl '${url}/explain?url=http://whoami.example.com/foo'`);
    expect(explained.body).toContain('Served by HTTPRoute shop/whoami');
  });

  it('moves a second Gateway out of the way of the first, and says so', async () => {
    using folder = new Folder();
    const second = WHOAMI.replaceAll('shared-gw', 'other-gw').replaceAll('name: whoami,', 'name: other,');
    folder.write('a.yaml', WHOAMI);
    folder.write('b.yaml', second.replace(service('nginx'), ''));
    const offset = 20_000 + Math.floor(Math.random() * 9_000);
    await using serving = await new Serving([folder.path, '--port-offset', `${offset}`]).ready();
    expect(serving.stdout).toContain(`http://127.0.0.1:${offset + 80}  (port 80)`);
    expect(serving.stdout).toContain(
      `http://127.0.0.1:${offset + 1080}  (port 80; ${offset + 80} is taken by infra/shared-gw)`,
    );
  });

  it('reaches a Service where --backend says it is', async () => {
    using folder = new Folder();
    const real = createServer((_, response) => response.end('the real one'));
    real.listen(0, '127.0.0.1');
    await once(real, 'listening');
    const { port } = real.address() as AddressInfo;
    try {
      const args = ['--backend', `shop/whoami:80=http://127.0.0.1:${port}`];
      await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...FREE, ...args]).ready();
      expect((await paste(serving.commands[0]!)).body).toBe('the real one');
      expect(serving.stdout).toContain(`Mapped: shop/whoami:80 to 127.0.0.1:${port}`);
      expect(serving.stdout).not.toContain('Echoed');
    } finally {
      real.closeAllConnections();
      real.close();
    }
  });

  it('believes what a trusted hop says of the client, and warns of a mapping that nothing uses', async () => {
    using folder = new Folder();
    const args = ['--trusted-hop', '127.0.0.0/8', '--backend', 'shop/unused:80=http://127.0.0.1:9'];
    await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...FREE, ...args]).ready();
    const command = serving.commands[0]!.replace('curl', "curl -H 'x-forwarded-for: 192.0.2.7'");
    expect((await paste(command)).body).toContain('X-Forwarded-For: 192.0.2.7, 127.0.0.1\n');
    await serving.until(() =>
      serving.stderr.includes(
        'warning --backend shop/unused:80: no route sends to this port of a Service.\n',
      ),
    );
  });

  it('serves the other ports where one is in use, and says how to take others', async () => {
    using folder = new Folder();
    const offset = 20_000 + Math.floor(Math.random() * 9_000);
    const holder = createServer();
    holder.listen(offset + 80, '127.0.0.1');
    await once(holder, 'listening');
    try {
      const file = folder.write('all.yaml', WHOAMI);
      await using serving = await new Serving([file, '--port-offset', `${offset}`]).ready();
      expect(serving.stdout).toContain(`http://127.0.0.1:${offset + 80}  (port 80) NOT SERVED, see below\n`);
      await serving.until(() =>
        serving.stderr.includes(
          `1 port not served. Stop what has them, or take other ports: --port-offset ${offset + 10_000}.\n`,
        ),
      );
      expect(serving.commands).not.toHaveLength(0);
      for (const command of serving.commands) expect((await paste(command)).status).toBe(200);
    } finally {
      holder.close();
    }
  });

  it('says which port is in use and what to do, and ends where it has none', async () => {
    using folder = new Folder();
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    try {
      const only = GATEWAY.slice(0, GATEWAY.indexOf('    - name: secure'));
      const file = folder.write('all.yaml', documents(only, route('a', 'a.example.com', '    - {}\n')));
      const run = () =>
        gatewright(['serve', file, '--port-offset', `${port - 80}`, '--admin', '127.0.0.1:0']);
      const result = await run();
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(
        `error none of the ports can be had:\n  port ${port} of 127.0.0.1, for the listener port 80, is in use by another process\n`,
      );
      const other = port - 80 + 10_000 <= 63_000 ? port - 80 + 10_000 : 'free';
      expect(result.stderr).toContain(`Stop what has them, or take other ports: --port-offset ${other}.`);
      const { npm_lifecycle_event: script } = process.env;
      process.env.npm_lifecycle_event = 'start';
      try {
        expect((await run()).stderr).toContain(`or take other ports: npm start -- --port-offset ${other}.`);
      } finally {
        if (script === undefined) delete process.env.npm_lifecycle_event;
        else process.env.npm_lifecycle_event = script;
      }
    } finally {
      holder.close();
    }
  });

  it('serves only Gateways of the classes asked for', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', WHOAMI);
    const result = await gatewright(['serve', file, '--class', 'another', ...FREE]);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('error no Gateway to serve') });
    folder.write('all.yaml', documents(WHOAMI, 'kind: HTTPRout'));
    const besides = await gatewright(['serve', file, '--class', 'another', ...FREE]);
    expect(besides.stderr).toContain('Mend the errors above, or leave --class out, and start again.');
  });

  it('says what replaces each kind of the predecessor API, and serves nothing of it', async () => {
    using folder = new Folder();
    const v1alpha1 = ['GatewayClass', 'Gateway', 'HTTPRoute']
      .map(
        (kind) => `kind: ${kind}\napiVersion: networking.x-k8s.io/v1alpha1\nmetadata: { name: http-app-1 }\n`,
      )
      .join('---\n');
    const result = await gatewright(['serve', folder.write('old.yaml', v1alpha1)]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /old\.yaml:2 \(document 1\) GatewayClass\/http-app-1 apiVersion: .*spec\.controllerName/,
    );
    expect(result.stderr).toMatch(
      /old\.yaml:6 \(document 2\) Gateway\/default\/http-app-1 apiVersion: .*allowedRoutes/,
    );
    expect(result.stderr).toMatch(
      /old\.yaml:10 \(document 3\) HTTPRoute\/default\/http-app-1 apiVersion: .*backendRefs/,
    );
  });

  it('refuses an invalid object alone, and shows why a route is not attached', async () => {
    using folder = new Folder();
    const broken = route('broken', 'b.example.com', '    - matches: [{ path: { value: foo } }]\n');
    const elsewhere = route('elsewhere', 'c.example.com', '    - {}\n').replace(
      'name: shared-gw,',
      'name: shared-gw, sectionName: nope,',
    );
    await using serving = await new Serving([
      folder.write('all.yaml', documents(WHOAMI, broken, elsewhere)),
      ...FREE,
    ]).ready();
    expect(serving.stderr).toMatch(
      /^error \S+all\.yaml:\d+ \(document 5\) HTTPRoute\/shop\/broken spec\.rules\[0\]\.matches\[0\]\.path\.value: found "foo"/m,
    );
    expect(serving.stderr).toMatch(
      /^error HTTPRoute\/shop\/elsewhere spec\.parentRefs\[0\]: .*all\.yaml document 6/m,
    );
    expect((await paste(serving.commands[0]!)).status).toBe(200);
  });

  it('tells everything as JSON to machines', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', WHOAMI);
    await using serving = await new Serving([file, ...FREE, '--json']).ready();
    const [started] = serving.events as [{ gateways: { routes: { curl?: string }[] }[] }];
    expect(started).toMatchObject({
      event: 'started',
      echoed: ['shop/whoami:80'],
      gateways: [
        {
          gateway: 'infra/shared-gw',
          ports: [
            { port: 80, bound: true },
            { port: 443, bound: true },
          ],
        },
      ],
      problems: [],
    });
    expect((await paste(started.gateways[0]!.routes[0]!.curl!)).status).toBe(200);
    folder.write('all.yaml', WHOAMI.replace('value: /foo', 'value: /bar'));
    await serving.until(() => serving.events.some(({ event }) => event === 'changed'));
    expect(serving.events.at(-1)).toMatchObject({
      event: 'changed',
      applied: true,
      traffic: [
        { severity: 'lost', requests: '/foo', before: { text: 'shop/whoami:80' }, after: { status: 404 } },
        { severity: 'new', requests: '/bar', before: { status: 404 }, after: { text: 'shop/whoami:80' } },
      ],
    });
  });

  it('writes an access log, one JSON object per request', async () => {
    using folder = new Folder();
    await using serving = await new Serving([
      folder.write('all.yaml', WHOAMI),
      ...FREE,
      '--access-log',
    ]).ready();
    await paste(serving.commands[0]!);
    await serving.until(() => serving.events.length > 0);
    expect(serving.events[0]).toMatchObject({ route: 'whoami', path: '/foo', status: 200 });
  });
});

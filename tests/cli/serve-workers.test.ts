import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/distribution.ts';
import { childrenOf, clientsOf, isRunning } from '../support/processes.ts';
import { gatewright, Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { HeldBackend } from './support/held-backend.ts';
import { Load } from './support/load.ts';
import { documents, GATEWAY, route, service, WHOAMI } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];
const TWO = ['--workers', '2'];
const whoami = (rules: string) => route('whoami', 'whoami.example.com', rules);
const TO_ECHO = '    - backendRefs: [{ name: whoami, port: 80 }]\n';

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('gatewright serve --workers', () => {
  it('serves from each of them what the files say, echo and all, and admin tells the sum', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', documents(GATEWAY, service('whoami'), whoami(TO_ECHO)));
    await using serving = await new Serving([file, ...FREE, ...TWO]).ready();
    expect(serving.stdout).toMatch(/1 Gateway live after \d+ ms, 2 workers each\./);
    const port = serving.port(80);
    const workers = childrenOf(serving.pid);
    expect(workers).toHaveLength(2);
    const load = new Load(port, 'whoami.example.com', '/');
    const running = load.run(16);
    const taken = () => workers.map((pid) => clientsOf(pid, port).size > 0);
    // The system spreads connections by a hash of their ports: that none of 16 is for one of two would be a defect.
    await until('each has clients', () => taken().every(Boolean));
    folder.write(
      'all.yaml',
      documents(
        GATEWAY,
        GATEWAY.replace('name: shared-gw', 'name: other-gw'),
        service('whoami'),
        // Behind the one that counts, whose place is its name in metrics.
        whoami(`${TO_ECHO}    - matches: [{ path: { value: /new } }]
      filters: [{ type: RequestRedirect, requestRedirect: { path: { type: ReplaceFullPath, replaceFullPath: / } } }]
`),
      ),
    );
    await serving.until(() => serving.stdout.includes(': live after'));
    await load.until(load.answered + 100);
    load.stop();
    await running;
    expect(load.failures).toEqual([]);
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        paste(`curl --resolve whoami.example.com:${port}:127.0.0.1 http://whoami.example.com:${port}/new`),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([302]));
    const [, admin] = /explain: (\S+)/.exec(serving.stdout)!;
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    const sum = (code: string) =>
      [...metrics.matchAll(/^gatewright_requests_total\{(.*)\} (\d+)$/gm)]
        .filter(([, labels]) => labels!.includes(`code="${code}"`))
        .reduce((total, [, , count]) => total + Number(count), 0);
    expect(sum('2xx')).toBe(load.answered);
    expect(sum('3xx')).toBe(16);
    expect(metrics).toContain('gatewright_workers{gateway="infra/shared-gw"} 2\n');
  });

  it('replaces one that ends, and says so', async () => {
    using folder = new Folder();
    const args = [folder.write('all.yaml', WHOAMI), ...FREE, ...TWO];
    await using serving = await new Serving([...args, '--json']).ready();
    const [killed] = childrenOf(serving.pid) as [number];
    process.kill(killed, 'SIGKILL');
    await serving.until(() => serving.events.some(({ event }) => event === 'worker'));
    expect(serving.events).toContainEqual({
      event: 'worker',
      gateway: 'infra/shared-gw',
      message: expect.stringMatching(/^worker \d ended: SIGKILL; another one is started in its place now$/),
    });
    await until('there are two again', () => childrenOf(serving.pid).length === 2);
  });

  it('on Ctrl-C, which every process of a terminal gets, answers what is in flight and leaves no process', async () => {
    using folder = new Folder();
    using held = await HeldBackend.listening();
    const args = [...FREE, ...TWO, '--backend', `shop/whoami:80=${held.url}`];
    await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...args]).ready();
    const workers = childrenOf(serving.pid);
    const pending = paste(serving.commands[0]!);
    // An answer that came without it would be the gateway's own.
    expect(await Promise.race([held.asked, pending])).toBeUndefined();
    for (const pid of [serving.pid, ...workers]) process.kill(pid, 'SIGINT');
    await serving.until(() => serving.stdout.includes('Stopping:'));
    held.answer();
    expect(await pending).toMatchObject({ status: 200, body: 'late but whole' });
    expect(await serving.ended()).toBe(0);
    expect(serving.stderr).not.toContain('worker');
    expect(workers.filter(isRunning)).toEqual([]);
  });

  it('hands ports from one Gateway to another in one edit', async () => {
    using folder = new Folder();
    const [one, two, three] = await unusedPorts(3);
    const gateway = (name: string, port: number) =>
      GATEWAY.replace('name: shared-gw', `name: ${name}`).replace('port: 80', `port: ${port}`);
    // HTTPS would want one more port of each, which is not what this is about.
    const http = (text: string) => text.slice(0, text.indexOf('    - name: secure'));
    const site = (...gateways: readonly (readonly [string, number])[]) =>
      documents(...gateways.map((each) => http(gateway(...each))), service('whoami'));
    folder.write('all.yaml', site(['a', one!], ['b', two!]));
    await using serving = await new Serving([folder.path, ...TWO, '--json']).ready();
    const changes = () => serving.events.filter(({ event }) => event === 'changed');
    const edits = [
      site(['c', one!], ['b', two!]),
      site(['c', three!], ['b', one!]),
      site(['b', three!], ['d', one!]),
    ];
    for (const [index, text] of edits.entries()) {
      folder.write('all.yaml', text);
      await serving.until(() => changes().length > index);
      expect(changes()[index]).toMatchObject({ applied: true, problems: [] });
    }
    expect((await fetch(`http://127.0.0.1:${one}/`)).status).toBe(404);
  });
});

describe('gatewright serve --workers elsewhere', () => {
  it('serves in one and says why, where processes can not share ports', async () => {
    using folder = new Folder();
    const elsewhere = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"sunos"})';
    const args = [folder.write('all.yaml', WHOAMI), ...FREE, '--workers', '3'];
    await using serving = await new Serving(args, undefined, ['--import', elsewhere]).ready();
    expect(serving.stderr).toContain(
      'warning --workers 3: one worker serves, not 3: processes share ports on Linux only.\n',
    );
    expect(serving.stdout).toMatch(/1 Gateway live after \d+ ms\./);
    expect((await paste(serving.commands[0]!)).status).toBe(200);
  });

  it.each(['0', '65', 'two'])('refuses %s', async (count) => {
    const { code, stderr } = await gatewright(['serve', '.', '--workers', count]);
    expect(stderr).toContain(`argument '${count}' is invalid. Expected a number from 1 to 64.`);
    expect(code).toBe(2);
  });
});

/** That are not taken now, above those that need root. */
async function unusedPorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

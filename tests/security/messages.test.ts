/** The messages of which `npm run slow` sends hundreds a second, one by one: what each is answered, and what backends learn of it. */
import { describe, expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { rawExchange } from '../support/client.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { TestGateway } from '../support/gateway.ts';
import { listener } from '../unit/match/snapshots.ts';
import { get, MESSAGES } from './slow/messages.ts';
import { served } from './slow/served.ts';

const start = closedAfterEach();

async function serve(others?: number) {
  const [whoami, admin] = [await start(Backend.echo('whoami')), await start(Backend.echo('admin'))];
  const gateway = await start(
    TestGateway.serving({
      resources: [listener('web'), ...served(['web'], others)],
      endpoints: { whoami: [whoami.endpoint], admin: [admin.endpoint] },
    }),
  );
  const exchange = async (text: string) => {
    const answer = await rawExchange(gateway.port(), text);
    return [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  };
  return { whoami, admin, exchange };
}

describe.each(Object.entries(MESSAGES))('%s', (_, messages) => {
  it('are answered once each, and reach a backend only where that is 200', async () => {
    const { whoami, admin, exchange } = await serve();
    for (const { text, statuses } of messages) {
      const [before, head] = [whoami.seen.length + admin.seen.length, text.slice(0, 200)];
      expect({ head, statuses: await exchange(text) }).toEqual({ head, statuses });
      const forwarded = statuses.filter((status) => status === 200).length;
      expect({ head, forwarded: whoami.seen.length + admin.seen.length - before }).toEqual({
        head,
        forwarded,
      });
    }
    const seen = [...whoami.seen, ...admin.seen];
    expect(seen.filter(({ url }) => url.includes('smuggled'))).toEqual([]);
    expect(JSON.stringify(seen.map(({ rawHeaders }) => rawHeaders))).not.toMatch(/10\.9\.9\.9|evil/);
    expect(admin.seen.filter(({ url }) => !url.startsWith('/admin'))).toEqual([]);
    expect(whoami.seen.filter(({ url }) => /admin/i.test(decodeURIComponent(url)))).toEqual([]);
  });
});

it.each([0, 97, 99, 10_000])('a host is one host in all its spellings beside %d others', async (others) => {
  const { whoami, exchange } = await serve(others);
  for (const host of ['a.example.com', 'A.EXAMPLE.COM', 'a.example.com.', 'a.Example.com.:80']) {
    expect([host, await exchange(get('Connection: close\r\n', '/', `Host: ${host}\r\n`))]).toEqual([
      host,
      [200],
    ]);
  }
  expect(whoami.seen).toHaveLength(4);
  for (const host of ['c.example.com', 'C.EXAMPLE.COM.', 'xa.example.com', 'example.com']) {
    expect([host, await exchange(get('Connection: close\r\n', '/', `Host: ${host}\r\n`))]).toEqual([
      host,
      [404],
    ]);
  }
});

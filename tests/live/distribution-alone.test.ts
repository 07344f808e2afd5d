/** What a data plane serves without its control plane, and which control plane it believes. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DataPlaneOptions } from '../../gateway-runtime/data-plane/data-plane.ts';
import { authority, issue } from '../support/certificates.ts';
import { exchange } from '../support/client.ts';
import { at, root, serving, until } from '../support/distribution.ts';
import { distributionSite, get, type Started, toBackend } from '../support/distribution-site.ts';
import { to } from '../support/gateway.ts';
import { openTls } from '../support/tls-client.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const site = distributionSite();

const readiness = async ({ admin }: Started) =>
  (await exchange(admin, { host: 'localhost', path: '/readyz' })).status;

describe('last-known-good', () => {
  const restart = async (started: Started, options: Partial<DataPlaneOptions> = {}) => {
    await started.plane.close();
    return site.start(options);
  };

  it('serves after a restart without a control plane, keys and endpoints too', async () => {
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/cert'] });
    const [snapshot] = site.control.publish(at(1), {
      resources: [
        ...toBackend('a'),
        secure,
        rule({ route: 'shop/x', on: ['secure'], rest: { backends: [to('a')] } }),
      ],
      endpoints: site.endpoints(),
      certificates: [issue('infra/cert', ['a.example.com'])],
    });
    const first = await site.start();
    await site.control.serves(snapshot!);
    await site.control.down();
    const second = await restart(first);
    expect(await readiness(second)).toBe(200);
    expect(await get(second)).toMatchObject({ status: 200, body: 'a\n' });
    const client = await openTls(second.plane.boundPort(443)!, authority, { servername: 'a.example.com' });
    expect(await client.get('a.example.com')).toBe(200);
    client.destroy();
    expect(second.events[0]).toBe('serving what was served last, version 1.1');
    const files = readdirSync(second.folder);
    expect(files).toHaveLength(4);
    for (const file of files) expect(statSync(join(second.folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(second.folder).mode & 0o777).toBe(0o700);
    // What it has it need not be sent again.
    await site.control.up();
    site.control.views.length = 0;
    site.control.publish(at(1, 2), {
      resources: [
        ...toBackend('a'),
        secure,
        rule({ route: 'shop/x', on: ['secure'], rest: { backends: [to('a')] } }),
      ],
      endpoints: { a: [site.a.endpoint] },
    });
    await site.control.serves(snapshot!);
  });

  it('keeps the newest of many changes, and no file of those before', async () => {
    const started = await site.start();
    for (let step = 1; step <= 30; step++)
      await site.control.serves(site.publish(step, step % 2 ? 'a' : 'b'));
    await site.control.down();
    const second = await restart(started);
    expect(second.events[0]).toContain('version 1.30');
    expect(await get(second)).toMatchObject({ body: 'b\n' });
    expect(readdirSync(second.folder)).toHaveLength(4);
  });

  it('that was damaged is not used: it stays unready until the control plane is back', async () => {
    const started = await site.start();
    await site.control.serves(site.publish(1, 'a'));
    await site.control.down();
    await started.plane.close();
    const { folder } = started;
    const whole = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
    expect(whole.size).toBe(4);
    let damaged: Started | undefined;
    for (const [file, content] of whole) {
      for (const bytes of [content.subarray(0, content.length - 3), swapped(content), Buffer.from('{}')]) {
        for (const [name, good] of whole) writeFileSync(join(folder, name), name === file ? bytes : good);
        await damaged?.plane.close();
        damaged = await site.start();
        expect(damaged.events[0]).toMatch(/^what was served last is not used: /);
        expect(damaged.events[0]).not.toContain('PRIVATE');
        expect(await readiness(damaged)).toBe(503);
      }
    }
    await site.control.up();
    await site.control.serves(site.publish(2, 'b'));
    expect(await readiness(damaged!)).toBe(200);
    expect(await get(damaged!)).toMatchObject({ body: 'b\n' });
  });

  it('that can not be written is reported once, and all else goes on', async () => {
    const folder = join(site.control.caFile, 'state');
    const started = await site.start({ folder });
    await site.control.serves(site.publish(1, 'a'));
    await until('it is told', () => started.events.includes(`${folder} can't be written (ENOTDIR)`));
    await site.control.serves(site.publish(2, 'b'));
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('of another Gateway is not used', async () => {
    const started = await site.start();
    await site.control.serves(site.publish(1, 'a'));
    await site.control.down();
    const other = await restart(started, { gateway: { namespace: 'infra', name: 'other' } });
    expect(other.events[0]).toBe(
      'what was served last is not used: found the Gateway infra/gw, expected infra/other',
    );
    expect(other.plane.isReady).toBe(false);
  });
});

/** The last digit is another one. */
function swapped(content: Buffer): Buffer {
  const text = content.toString();
  const at = text.search(/[0-9](?=[^0-9]*$)/);
  if (at < 0) return Buffer.from(`${text} `);
  return Buffer.from(`${text.slice(0, at)}${(Number(text[at]) + 1) % 10}${text.slice(at + 1)}`);
}

describe('the authority', () => {
  it('changes under a live stream, which stays, and new ones are made under the new one', async () => {
    site.publish(1, 'a');
    const started = await site.start();
    await until('it is ready', () => started.plane.isReady);
    const connections = () =>
      started.events.filter((each) => each === 'connected to the control plane').length;
    const next = root();
    writeFileSync(site.control.caFile, site.control.issuer.certificate + next.certificate);
    site.control.distribution.certificate = serving(next);
    await site.control.serves(site.publish(2, 'b'));
    expect(connections()).toBe(1);
    // Dials again, and finds the certificate of the new root.
    writeFileSync(site.control.caFile, next.certificate);
    site.control.change(at(3), { removedGateways: ['infra/gw'] });
    await until('it dialled again', () => connections() === 2);
    expect(await get(started)).toMatchObject({ body: 'b\n' });
  });

  it('that is not known is not believed, until the file says otherwise', async () => {
    const stranger = root();
    site.control.distribution.certificate = serving(stranger);
    site.publish(1, 'a');
    const started = await site.start();
    await until('it was told', () => started.events.length > 0);
    expect(started.events[0]).toMatch(/^not connected to the control plane: .*(certificate|signature)/);
    expect(started.plane.isReady).toBe(false);
    writeFileSync(site.control.caFile, stranger.certificate);
    await until('it is ready', () => started.plane.isReady);
  });

  it('must be for the name that was dialled', async () => {
    site.publish(1, 'a');
    const started = await site.start({ serverName: 'elsewhere.example.com' });
    await until('it was told', () => started.events.length > 0);
    expect(started.events[0]).toContain("does not match certificate's altnames");
    expect(started.plane.isReady).toBe(false);
  });
});

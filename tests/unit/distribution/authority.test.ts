import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import {
  AUTHORITY_TIMES,
  Authority,
  type AuthorityStore,
  issuingRoot,
  type Root,
  rotated,
  type ServingCertificate,
} from '../../../gateway-runtime/control/distribution-authority.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

class Secret implements AuthorityStore {
  content: string | undefined;
  revision = 0;
  fails = false;

  async load() {
    if (this.fails) throw new Error('the Secret can not be read');
    return this.content === undefined ? undefined : { content: this.content, revision: `${this.revision}` };
  }

  async save(content: string, over: string | undefined) {
    if (over !== (this.content === undefined ? undefined : `${this.revision}`)) return false;
    this.content = content;
    this.revision++;
    return true;
  }
}

class Replica {
  bundle = '';
  serving: ServingCertificate | undefined;
  secrets: readonly string[] = [];
  issued = 0;
  leads = true;
  readonly events: string[] = [];
  readonly authority: Authority;

  constructor(store: AuthorityStore, now: () => number) {
    this.authority = new Authority({
      store,
      names: ['127.0.0.1', 'control.gatewright.svc'],
      mayWrite: () => this.leads,
      onBundle: (bundle) => {
        this.bundle = bundle;
      },
      onServing: (serving) => {
        this.serving = serving;
        this.issued++;
      },
      onSessionSecrets: (secrets) => {
        this.secrets = secrets;
      },
      onEvent: (message) => this.events.push(message),
      now,
    });
  }

  get roots(): number {
    return this.bundle.split('BEGIN CERTIFICATE').length - 1;
  }
}

/** Whether a client that trusts the bundle takes the certificate, in a real handshake. */
async function isTrusted(bundle: string, { certificate, key }: ServingCertificate): Promise<boolean> {
  const server = createServer({ cert: certificate, key });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect({ host: '127.0.0.1', port, ca: bundle });
  const outcome = await Promise.race([
    once(socket, 'secureConnect').then(() => true),
    new Promise<boolean>((resolve) => socket.once('error', () => resolve(false))),
  ]);
  socket.destroy();
  server.close();
  return outcome;
}

describe('the authority', () => {
  it('is made by the leader alone, and used by all', async () => {
    const secret = new Secret();
    const [leader, follower] = [new Replica(secret, Date.now), new Replica(secret, Date.now)];
    follower.leads = false;
    await follower.authority.refresh();
    expect(follower.serving).toBeUndefined();
    await leader.authority.refresh();
    await follower.authority.refresh();
    expect(follower.bundle).toBe(leader.bundle);
    expect(follower.serving!.key).not.toBe(leader.serving!.key);
    expect(await isTrusted(leader.bundle, follower.serving!)).toBe(true);
    expect(
      new X509Certificate(leader.serving!.certificate).checkHost('control.gatewright.svc'),
    ).toBeDefined();
    await leader.authority.refresh();
    expect([leader.issued, secret.revision]).toEqual([1, 1]);
  });

  it('has what keys for sessions are derived from: the same in all replicas and after a start, and for a while that of before', async () => {
    const secret = new Secret();
    let now = Date.now();
    const replicas = [new Replica(secret, () => now), new Replica(secret, () => now)];
    const look = async () => {
      for (const { authority } of replicas) await authority.refresh();
      expect(replicas[0]!.secrets).toEqual(replicas[1]!.secrets);
      return replicas[0]!.secrets;
    };
    const before = await look();
    expect(before).toHaveLength(1);
    const { root, told, serving } = AUTHORITY_TIMES;
    now += root / 2;
    const coming = await look();
    expect([coming[0], coming.length]).toEqual([before[0], 2]);
    now += told;
    expect(await look()).toEqual([coming[1], before[0]]);
    now += told + serving;
    expect(await look()).toEqual([coming[1]]);
    const started = new Replica(secret, () => now);
    await started.authority.refresh();
    expect(started.secrets).toEqual([coming[1]]);
  });

  it('is one, where two leaders make it at once', async () => {
    const secret = new Secret();
    const both = [new Replica(secret, Date.now), new Replica(secret, Date.now)];
    await Promise.all(both.map(({ authority }) => authority.refresh()));
    await Promise.all(both.map(({ authority }) => authority.refresh()));
    expect(both[0]!.bundle).toBe(both[1]!.bundle);
  });

  it('is read again where it can not be read or understood now, and what is used goes on', async () => {
    const secret = new Secret();
    const replica = new Replica(secret, Date.now);
    await replica.authority.refresh();
    const { serving } = replica;
    const { content } = secret;
    secret.fails = true;
    await replica.authority.refresh();
    await replica.authority.refresh();
    secret.fails = false;
    for (const broken of ['PRIVATE', '{"roots":[]}', JSON.stringify({ roots: [{ key: 'PRIVATE' }] })]) {
      secret.content = broken;
      await replica.authority.refresh();
    }
    secret.content = content;
    await replica.authority.refresh();
    expect(replica.serving).toBe(serving);
    expect(replica.events).toHaveLength(4);
    expect(replica.events[0]).toBe('The authority of data planes: the Secret can not be read.');
    expect(replica.events.join()).not.toContain('PRIVATE');
  });
});

describe('rotation', () => {
  it('through two years leaves no hour in which a data plane of then does not trust what is shown then', () => {
    const start = Date.now();
    let roots: readonly Root[] = [];
    let serving: { root: Root; until: number } | undefined;
    const files: { at: number; roots: readonly Root[] }[] = [];
    const made = new Set<Root>();
    for (let now = start; now < start + 730 * DAY; now += 6 * HOUR) {
      roots = rotated(roots, now, AUTHORITY_TIMES);
      for (const root of roots) made.add(root);
      files.push({ at: now, roots });
      const issuing = issuingRoot(roots, now, AUTHORITY_TIMES)!;
      if (serving?.root !== issuing || now > serving.until - AUTHORITY_TIMES.serving / 2) {
        serving = { root: issuing, until: now + AUTHORITY_TIMES.serving };
      }
      expect(now).toBeLessThan(serving.root.made + AUTHORITY_TIMES.root);
      // The file of a data plane can be twelve hours old, and so can the certificate of a replica.
      for (const { at, roots: known } of files.slice(-3)) {
        if (at > start) expect(known).toContain(serving.root);
      }
      expect(roots.length).toBeLessThanOrEqual(2);
    }
    expect(made.size).toBe(4);
  });

  it('keeps the list where nothing is due', () => {
    const now = Date.now();
    const roots = rotated([], now, AUTHORITY_TIMES);
    expect(rotated(roots, now + 30 * DAY, AUTHORITY_TIMES)).toBe(roots);
  });

  it('begins anew where all roots are too old, and uses the new one at once', () => {
    const now = Date.now();
    const old = rotated([], now - 400 * DAY, AUTHORITY_TIMES);
    const roots = rotated(old, now, AUTHORITY_TIMES);
    expect(roots).toHaveLength(1);
    expect(issuingRoot(roots, now, AUTHORITY_TIMES)).toBe(roots[0]);
  });

  it('renews what is shown under the same root, and then under the next, each trusted by those who know both', async () => {
    let now = Date.now() - 170 * DAY;
    const secret = new Secret();
    const replica = new Replica(secret, () => now);
    await replica.authority.refresh();
    const first = replica.bundle;
    now += 13 * HOUR;
    await replica.authority.refresh();
    expect([replica.issued, replica.bundle]).toEqual([2, first]);
    now = Date.now() + 13 * DAY;
    await replica.authority.refresh();
    expect([replica.roots, replica.bundle.startsWith(first)]).toEqual([2, true]);
    const both = replica.bundle;
    // Still under the old one: not every data plane has seen the new one.
    const issuerOf = ({ certificate }: ServingCertificate) =>
      [first, both.slice(first.length)].findIndex((root) =>
        new X509Certificate(certificate).verify(new X509Certificate(root).publicKey),
      );
    expect(issuerOf(replica.serving!)).toBe(0);
    now += 25 * HOUR;
    await replica.authority.refresh();
    expect(issuerOf(replica.serving!)).toBe(1);
    expect(replica.bundle).toBe(both);
    now += 49 * HOUR;
    await replica.authority.refresh();
    expect(replica.bundle).toBe(both.slice(first.length));
  });
});

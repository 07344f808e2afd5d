/** Certificates of clients that speak HTTP/2 (GEP-91). */
import { connect as connectHttp2 } from 'node:http2';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { caBundle, root, shows } from '../support/client-certificates.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import type { TlsOptions } from '../support/tls-client.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const ours = root('Ours');
const good = shows(ours, 'good client');
const strange = shows(root('Theirs'), 'good client');
const certificate = issue('infra/any', ['gateway.test', '*.example.com']);
const OURS = caBundle('ours', ours);

let whoami: Backend;
let gateway: TestGateway;

afterEach(async () => {
  await gateway.agent.close();
  await whoami.close();
});

const asking = (name: string, hostname: string): Resource[] => [
  listener(name, {
    port: 443,
    protocol: 'HTTPS',
    hostname,
    certificates: [certificate.id],
    clientCertificates: { mode: 'AllowValidOnly', authorities: [OURS.key] },
  }),
  rule({ route: `shop/${name}`, on: [name], rest: { backends: [to('whoami')] } }),
];

describe('HTTP/2', () => {
  async function askHttp2(options: TlsOptions, ...hosts: string[]): Promise<(number | 'refused')[]> {
    const session = connectHttp2(`https://127.0.0.1:${gateway.port(443)}`, {
      ca: authority,
      checkServerIdentity: () => undefined,
      servername: 'a.example.com',
      ...options,
    });
    session.on('error', () => {});
    const answers: (number | 'refused')[] = [];
    for (const host of hosts) {
      const stream = session.request({ ':path': '/', ':authority': host });
      answers.push(
        await new Promise((resolve) => {
          stream.on('response', (headers) => resolve(headers[':status']!));
          stream.on('error', () => resolve('refused'));
          stream.on('close', () => resolve('refused'));
          stream.resume();
        }),
      );
    }
    session.destroy();
    return answers;
  }

  it('is spoken with clients whose certificate is valid, and requests for other listeners are misdirected', async () => {
    whoami = await Backend.echo('whoami');
    gateway = await TestGateway.serving({
      resources: [
        ...asking('one', 'a.example.com'),
        ...asking('two', 'b.example.com'),
        OURS,
        backend('whoami'),
      ],
      endpoints: { whoami: [whoami.endpoint] },
      certificates: [certificate],
    });
    expect(await askHttp2(good, 'a.example.com', 'b.example.com', 'a.example.com')).toEqual([200, 421, 200]);
    expect(await askHttp2({}, 'a.example.com')).toEqual(['refused']);
    expect(await askHttp2(strange, 'a.example.com')).toEqual(['refused']);
    expect(gateway.lines().map(({ status, clientCertificate }) => [status, clientCertificate])).toEqual([
      [200, 'verified'],
      [421, 'verified'],
      [200, 'verified'],
    ]);
  });
});

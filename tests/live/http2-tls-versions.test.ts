/** Listeners that take TLS 1.3 only, for clients that offer HTTP/2; for HTTP/1.1: tls-versions.test.ts. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, it } from '@jest/globals';
import { Backend } from '../support/backend.ts';
import { authority, issue } from '../support/certificates.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, TestGateway, to } from '../support/gateway.ts';
import { openTls } from '../support/tls-client.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();

it('refuse TLS 1.2 with the alert for it, and serve HTTP/2 over TLS 1.3', async () => {
  const certificate = issue('infra/any', ['*.example.com']);
  const strict = {
    port: 443,
    protocol: 'HTTPS',
    certificates: [certificate.id],
    minTlsVersion: 'TLSv1.3',
  } as const;
  const whoami = await start(Backend.echo('whoami'));
  const gateway = await start(
    TestGateway.serving({
      resources: [
        listener('strict', strict),
        backend('whoami'),
        rule({ on: ['strict'], rest: { backends: [to('whoami')] } }),
      ],
      endpoints: { whoami: [whoami.endpoint] },
      certificates: [certificate],
    }),
  );
  const h2 = { ALPNProtocols: ['h2'], servername: 'strict.example.com' };
  await expect(openTls(gateway.port(443), authority, { ...h2, maxVersion: 'TLSv1.2' })).rejects.toMatchObject(
    { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
  );
  const { socket } = await openTls(gateway.port(443), authority, h2);
  const session = connect('https://strict.example.com', { createConnection: () => socket });
  const [fields] = (await once(session.request({ ':path': '/' }), 'response')) as [Record<string, unknown>];
  expect(fields[':status']).toBe(200);
  session.destroy();
});

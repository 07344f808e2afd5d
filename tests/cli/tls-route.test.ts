/** TLSRoutes on the command line: served, explained, and their status. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, jest } from '@jest/globals';
import { issueServerCertificate, makeRoot } from '../../gateway-runtime/control/x509.ts';
import { gatewright, Serving } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, route, service } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const GATEWAY = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: shared-gw, namespace: infra }
spec:
  gatewayClassName: any-class
  listeners:
    - name: secure
      port: 443
      protocol: HTTPS
      hostname: shop.example.com
      tls: { certificateRefs: [{ name: shop }] }
      allowedRoutes: { namespaces: { from: All } }
    - name: mail
      port: 443
      protocol: TLS
      hostname: "*.mail.example.com"
      tls: { mode: Passthrough }
      allowedRoutes: { namespaces: { from: All } }
`;
const MAIL = `apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: { name: mail, namespace: shop }
spec:
  parentRefs: [{ name: shared-gw, namespace: infra }]
  hostnames: [in.mail.example.com]
  rules: [{ backendRefs: [{ name: mail, port: 993 }] }]
`;
const ALL = documents(
  GATEWAY,
  service('mail', 993),
  service('cart'),
  route('cart', 'shop.example.com', '    - backendRefs: [{ name: cart, port: 80 }]\n'),
  MAIL,
);

const FREE = ['--port-offset', 'free'];

describe('gatewright serve', () => {
  it.each([
    ['', []],
    [', also in workers', ['--workers', '2']],
  ])('passes connections through to where --backend says, and shows how to try it%s', async (_, workers) => {
    using folder = new Folder();
    const { certificate, key } = issueServerCertificate(makeRoot('Of mail', 1), ['in.mail.example.com'], 1);
    const server = createServer({ cert: certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      socket.end('mail here');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const file = folder.write('all.yaml', ALL);
      const args = ['--backend', `shop/mail:993=tcp://127.0.0.1:${port}`];
      await using serving = await new Serving([file, ...FREE, ...args, ...workers]).ready();
      const bound = serving.port(443);
      expect(serving.stdout).toContain(`https://127.0.0.1:${bound} and tls://127.0.0.1:${bound}  (port 443)`);
      expect(serving.stdout).toMatch(/shop +in\.mail\.example\.com +TLS +mail:993/);
      expect(serving.stdout).toContain(
        `openssl s_client -connect 127.0.0.1:${bound} -servername in.mail.example.com`,
      );
      const client = connect({
        port: bound,
        host: '127.0.0.1',
        servername: 'in.mail.example.com',
        rejectUnauthorized: false,
      });
      const [data] = (await once(client, 'data')) as [Buffer];
      expect(data.toString()).toBe('mail here');
      expect(client.getPeerX509Certificate()!.subjectAltName).toBe('DNS:in.mail.example.com');
      client.destroy();
    } finally {
      server.close();
    }
  });

  it('says that an echo in place of the backend speaks no TLS', async () => {
    using folder = new Folder();
    await using serving = await new Serving([folder.write('all.yaml', ALL), ...FREE]).ready();
    await serving.until(() => serving.stderr.includes('does not speak TLS, so no handshake succeeds here'));
    expect(serving.stderr).toContain('--backend shop/mail:993=tcp://<host>:<port>');
  });
});

it('gatewright explain says where a connection goes', async () => {
  using folder = new Folder();
  const file = folder.write('all.yaml', ALL);
  const { code, stdout } = await gatewright(['explain', file, 'tls://in.mail.example.com']);
  expect(stdout.split('\n')).toEqual([
    'tls://in.mail.example.com',
    '',
    'Answer      Passed through as it is by TLSRoute shop/mail spec.rules[0].',
    'Listener    mail (TLS, *.mail.example.com)',
    '            the server name chooses it',
    'Not         secure (HTTPS, shop.example.com): the server name chooses another',
    'Rule        TLSRoute shop/mail spec.rules[0]',
    '            server name in.mail.example.com',
    '            for in.mail.example.com',
    'Backends      100 %  Service shop/mail:993',
    '',
  ]);
  expect(code).toBe(0);
  const none = await gatewright(['explain', file, 'tls://out.mail.example.com']);
  expect(none.stdout).toContain('Closed: no rule at the listener mail is for the server name');
  expect(none.code).toBe(1);
  const https = await gatewright(['explain', file, 'https://shop.example.com/x']);
  expect(https.stdout).toContain('Served by HTTPRoute shop/cart');
});

it('gatewright status shows its conditions', async () => {
  using folder = new Folder();
  const refused = MAIL.replace('in.mail.example.com', 'other.example.org');
  const { code, stdout } = await gatewright([
    'status',
    folder.write('all.yaml', documents(GATEWAY, service('mail', 993), refused)),
  ]);
  expect(stdout).toContain('TLSRoute shop/mail');
  expect(stdout).toContain('NoMatchingListenerHostname');
  expect(stdout).toContain('tls://other.example.org');
  expect(code).toBe(1);
});

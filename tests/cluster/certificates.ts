/** The cluster's authority, its certificates and the kubeconfigs that hold them; good for a month. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { API_PORT, API_SERVICE, FABRIC, type Worker } from './settings.ts';

/** openssl's own defaults differ from machine to machine. */
const OPENSSL_CONFIG = '[req]\ndistinguished_name = name\nstring_mask = utf8only\n[name]\n';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];

const API_NAMES = [
  ...['localhost', 'kubernetes'].map((name) => `DNS:${name}`),
  ...['default', 'default.svc', 'default.svc.cluster.local'].map((suffix) => `DNS:kubernetes.${suffix}`),
  ...['127.0.0.1', FABRIC, API_SERVICE].map((address) => `IP:${address}`),
].join();

export async function makeCertificates(folder: string, workers: readonly Worker[]): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (name: string) => join(folder, name);
  writeFileSync(file('openssl.cnf'), OPENSSL_CONFIG);

  const make = (name: string, subject: string, extensions: readonly string[], issuer: readonly string[]) =>
    run('openssl', [
      ...['req', '-x509', '-config', file('openssl.cnf'), ...NEW_KEY, '-subj', subject, ...issuer],
      ...['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
      ...extensions.flatMap((extension) => ['-addext', extension]),
    ]);
  await make(
    'ca',
    '/CN=gatewright-test-cluster',
    ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'],
    [],
  );
  const issue = (name: string, subject: string, usage: string, names?: string) =>
    make(
      name,
      subject,
      [
        'basicConstraints=CA:FALSE',
        'keyUsage=digitalSignature',
        `extendedKeyUsage=${usage}`,
        ...(names ? [`subjectAltName=${names}`] : []),
      ],
      ['-CA', file('ca.crt'), '-CAkey', file('ca.key')],
    );

  await Promise.all([
    issue('apiserver', '/CN=kube-apiserver', 'serverAuth', API_NAMES),
    // The API server as a client of the kubelets.
    issue('apiserver-kubelet', '/O=system:masters/CN=apiserver-kubelet', 'clientAuth'),
    issue('admin', '/O=system:masters/CN=admin', 'clientAuth'),
    ...['kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map((name) =>
      issue(name, `/CN=system:${name}`, 'clientAuth'),
    ),
    ...workers.map(({ name, address }) =>
      issue(
        name,
        `/O=system:nodes/CN=system:node:${name}`,
        'clientAuth,serverAuth',
        `DNS:${name},IP:${address}`,
      ),
    ),
  ]);
  // Signs the tokens of service accounts.
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file('service-accounts.key'), privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });

  const clients = ['admin', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
  for (const client of [...clients, ...workers.map(({ name }) => name)]) {
    writeFileSync(file(`${client}.kubeconfig`), kubeconfig(folder, client), { mode: 0o600 });
  }
}

function kubeconfig(folder: string, client: string): string {
  const base64 = (name: string) => readFileSync(join(folder, name)).toString('base64');
  const name = 'gatewright';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: { server: `https://${FABRIC}:${API_PORT}`, 'certificate-authority-data': base64('ca.crt') },
      },
    ],
    users: [
      {
        name: client,
        user: {
          'client-certificate-data': base64(`${client}.crt`),
          'client-key-data': base64(`${client}.key`),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: client } }],
    'current-context': name,
  });
}

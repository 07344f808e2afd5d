/** Where the API server is found, and what is said where it can't be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  connection,
  kubeconfigConnection,
  podConnection,
} from '../../../gateway-runtime/control/cluster/connection.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewright-connection-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

const config = (user: object, cluster: object = {}, context: object = {}) => ({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', ...context } }],
  clusters: [{ name: 'c', cluster: { server: 'https://api.example.com:6443', ...cluster } }],
  users: [{ name: 'u', user }],
});

describe('a kubeconfig', () => {
  it('gives certificates that stand in it or in files beside it', () => {
    write('ca.pem', 'CA');
    const path = write(
      'config',
      config(
        { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
        { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kubernetes' },
        { namespace: 'infra' },
      ),
    );
    expect(kubeconfigConnection([path])).toEqual({
      server: new URL('https://api.example.com:6443'),
      ca: 'CA',
      serverName: 'kubernetes',
      insecure: false,
      certificate: 'CERT',
      key: 'KEY',
      namespace: 'infra',
    });
  });

  it('gives a token, from itself or from a file', () => {
    const inline = kubeconfigConnection([write('inline', config({ token: 'abc' }))]);
    expect([inline.token!(), inline.namespace]).toEqual(['abc', 'default']);
    write('token', 'from-file\n');
    expect(kubeconfigConnection([write('file', config({ tokenFile: 'token' }))]).token!()).toBe('from-file');
  });

  it('may be spread over several files, of which the first that has a name counts', () => {
    const first = write('first', { users: [{ name: 'u', user: { token: 'first' } }] });
    const second = write('second', config({ token: 'second' }));
    const found = kubeconfigConnection([join(folder, 'missing'), first, second]);
    expect(found.token!()).toBe('first');
    expect(found.server.host).toBe('api.example.com:6443');
  });

  const refusals: [string, unknown, string][] = [
    ['without current context', { clusters: [] }, 'found no current-context'],
    ['with a context that is not there', { 'current-context': 'x' }, 'found no context "x"'],
    ['with a plugin', config({ exec: { command: 'aws' } }), 'user "u" of the kubeconfig: found exec'],
    [
      'with a proxy',
      config({}, { 'proxy-url': 'http://x' }),
      'cluster "c" of the kubeconfig: found proxy-url',
    ],
    ['without server', config({}, { server: '' }), "expected the server's URL"],
    ['with a file that is missing', config({ 'client-key': 'none' }), "none can't be read (ENOENT)"],
    ['that is no YAML', 'secret: [', 'expected a kubeconfig in YAML'],
  ];

  it.each(refusals)('%s is refused with the reason', (_, content, message) => {
    const path = write('config', content);
    expect(() => kubeconfigConnection([path])).toThrow(message);
    expect(() => kubeconfigConnection([path])).not.toThrow('secret');
  });

  it('that is not there is named', () => {
    const path = join(folder, 'none');
    expect(() => connection({ KUBECONFIG: path })).toThrow(`found no kubeconfig at ${path}`);
  });
});

describe('a pod', () => {
  const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

  it('gives its service account', () => {
    write('ca.crt', 'CA');
    write('namespace', 'gatewright-system');
    write('token', 'first');
    const found = podConnection(environment, folder);
    expect(found).toMatchObject({ ca: 'CA', namespace: 'gatewright-system', insecure: false });
    expect(found.server.href).toBe('https://10.96.0.1/');
    expect(found.token!()).toBe('first');
    const six = podConnection({ ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' }, folder);
    expect(six.server.href).toBe('https://[fd00::1]/');
  });

  it('without service account is told so', () => {
    expect(() => podConnection({}, folder)).toThrow('expected to run in a pod');
    expect(() => podConnection(environment, folder)).toThrow('mount the token of a service account');
  });
});

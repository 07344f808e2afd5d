/** `gatewright diff cluster`: against a server that answers lists as an API server does. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { documents, GATEWAY, route, service } from './support/objects.ts';

interface ListedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const to = (name: string, backend: string) =>
  route(name, `${name}.example.com`, `    - backendRefs: [{ name: ${backend}, port: 80 }]\n`).replace(
    'namespace: shop }',
    "namespace: shop, creationTimestamp: '2026-01-01T00:00:00Z' }",
  );
const OBJECTS = parseAllDocuments(
  documents(GATEWAY, service('one'), service('two'), to('cart', 'one'), to('other', 'one')),
).map((each) => each.toJS() as ListedObject);

let server: Server;
let asked: string[];
let forbidden = '';
/** What answers, where it is no API server. */
let other: readonly [number, string] | undefined;
let folder: Folder;

/** In pages of one, without what each object is, as lists have them. */
beforeEach(async () => {
  asked = [];
  forbidden = '';
  other = undefined;
  folder = new Folder();
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const url = new URL(request.url!, 'http://api');
    const [, plural = ''] = /\/([a-z]+)$/.exec(url.pathname) ?? [];
    const ofKind = OBJECTS.filter(
      ({ kind, apiVersion }) =>
        `${kind.toLowerCase()}s` === plural && url.pathname.includes(`/${apiVersion}/`),
    );
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (other) {
      response.writeHead(other[0]);
      response.end(other[1]);
      return;
    }
    if (plural === forbidden) return answer(403, { reason: 'Forbidden', message: 'no' });
    if (ofKind.length === 0 && url.pathname.startsWith('/api/'))
      return answer(200, { metadata: {}, items: [] });
    if (ofKind.length === 0) return answer(404, { reason: 'NotFound', message: 'none' });
    const at = Number(url.searchParams.get('continue') ?? 0);
    const { kind: _, apiVersion: __, ...object } = ofKind[at]!;
    const more = at + 1 < ofKind.length ? { continue: String(at + 1) } : {};
    return answer(200, { metadata: more, items: [object] });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = folder.write(
    'kubeconfig',
    `apiVersion: v1
kind: Config
current-context: a
contexts: [{ name: a, context: { cluster: a, user: a } }]
clusters: [{ name: a, cluster: { server: "${address}" } }]
users: [{ name: a, user: { token: s3cret } }]
`,
  );
  process.env.KUBECONFIG = config;
});
afterEach(async () => {
  delete process.env.KUBECONFIG;
  server.close();
  await once(server, 'close');
  folder[Symbol.dispose]();
});

describe('gatewright diff cluster', () => {
  it('compares files as if they were applied, or with --prune as all that there is', async () => {
    const file = folder.write('cart.yaml', to('cart', 'two').replace(/, creationTimestamp: '[^']+'/, ''));
    const { code, stdout } = await gatewright(['diff', 'cluster', file]);
    expect(code).toBe(1);
    expect(stdout).toContain('MOVED');
    expect(stdout).toContain('  cart.example.com /*\n    before    shop/one:80\n');
    expect(stdout).toContain('HTTPRoute shop/cart spec.rules[0] (cluster)');
    expect(stdout).toMatch(/\n1 moved\n$/);

    const all = folder.write('all.yaml', documents(GATEWAY, service('two'), to('cart', 'two')));
    const pruned = await gatewright(['diff', 'cluster', all, '--prune']);
    expect(pruned.stdout).toContain('  other.example.com /*\n');
    expect(pruned.stdout).toMatch(/\n1 lost, 1 moved\n$/);

    expect(await gatewright(['diff', 'cluster', 'cluster'])).toMatchObject({ code: 0 });
    expect(asked.filter((each) => !each.startsWith('GET ') || each.includes('secrets'))).toEqual([]);
  });

  it('says what may not be read, and that nobody answers', async () => {
    forbidden = 'httproutes';
    const refused = await gatewright(['diff', 'cluster', 'cluster']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('httproutes.gateway.networking.k8s.io may not be listed');
    process.env.KUBECONFIG = folder.file('nowhere');
    const unknown = await gatewright(['diff', 'cluster', 'cluster']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('found no kubeconfig at');
  });

  it.each<[number, string, string]>([
    [404, 'no rule matches', 'is no Kubernetes API: it has no '],
    [200, '<html></html>', ': found no JSON'],
    [200, '{}', 'is no Kubernetes API: found no list at '],
    [200, 'null', 'is no Kubernetes API: found no list at '],
  ])('does not take what answers %s %s for an empty cluster', async (status, body, why) => {
    other = [status, body];
    const { code, stdout, stderr } = await gatewright(['diff', 'cluster', 'cluster']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error cluster: /m);
    expect(stderr.replace(/\s+/g, ' ')).toContain(why);
  });
});

/** The story that the storefront tells, as its teams would test it. */
import { execSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { synthesize } from 'gatewright';
import { parse, parseAllDocuments } from 'yaml';
import { explain } from '../../gateway-runtime/explain/explain.ts';
import type { Explanation } from '../../gateway-runtime/explain/explanation.ts';
import { parseRequest } from '../../gateway-runtime/explain/request.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import { complaints } from '../../tests/types/compiler.ts';
import app from './app.ts';

const pem = (label: string) => btoa(`-----BEGIN ${label}-----\nAA==\n-----END ${label}-----\n`);
/** In place of the certificates, which a program only refers to. */
const certificate = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'infra' },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': pem('CERTIFICATE'), 'tls.key': pem('PRIVATE KEY') },
});

const { objects, warnings } = synthesize(app);
const all = [
  ...objects.map(({ object }) => object),
  certificate('wildcard'),
  certificate('data-certificate'),
];
const { snapshots, statuses } = translate(all, { regex: re2, classes: 'any' });

function ask(
  line: string,
  { at = 'infra/shared-gw', headers = [] as string[], of = snapshots } = {},
): Explanation {
  const asked = parseRequest(line, headers);
  if ('problem' in asked) throw new Error(asked.problem);
  return explain(of.get(at)!, asked, asked.request, re2);
}

const shares = (explanation: Explanation) =>
  explanation.backends.map(({ name, share }) => `${name.replace(/^Service /, '')} ${share} %`);

const conditionsOf = (route: string) => {
  const status = statuses.get(`HTTPRoute/${route}`);
  return status?.kind === 'HTTPRoute' ? status.parents[0]!.conditions : [];
};
const accepted = (route: string) => conditionsOf(route).find(({ type }) => type === 'Accepted')!;

describe('teams shop and media share a gateway', () => {
  it.each([
    ['http://shop.example.com/cart', [], ['shop/cart:8080 100 %']],
    ['http://shop.example.com/cart/items', ['x-tier: gold'], ['shop/cart-gold:8080 100 %']],
    ['https://shop.example.com/cart', [], ['shop/cart:8080 100 %']],
    ['http://media.example.com/cart', [], ['media/player:8080 100 %']],
    ['http://shop.example.com/thumbnails/1', [], ['media/thumbnails:8080 100 %']],
  ])('%s %s goes to %s', (url, headers, expected) => {
    expect(shares(ask(`GET ${url}`, { headers }))).toEqual(expected);
  });

  it('and each is served under its own hostnames only', () => {
    expect(ask('GET http://store.example.com/').status).toBe(404);
    expect(ask('GET http://data.example.com/v1').status).toBe(404);
  });
});

describe('whoami', () => {
  it('is served at exactly /; moved to exactly /foo, / is 404', () => {
    expect(shares(ask('GET http://whoami.shop.example.com/'))).toEqual(['shop/whoami:80 100 %']);
    expect(ask('GET http://whoami.shop.example.com/foo').status).toBe(404);
    const moved = JSON.parse(JSON.stringify(all), (_, value) =>
      value?.type === 'Exact' && value.value === '/' ? { ...value, value: '/foo' } : value,
    );
    const { snapshots: of } = translate(moved, { regex: re2, classes: 'any' });
    expect(shares(ask('GET http://whoami.shop.example.com/foo', { of }))).toEqual(['shop/whoami:80 100 %']);
    expect(ask('GET http://whoami.shop.example.com/', { of }).status).toBe(404);
  });

  it('shares /foo with nginx, 3:1', () => {
    expect(shares(ask('GET http://shop.example.com/foo'))).toEqual([
      'shop/whoami:80 75 %',
      'shop/nginx:80 25 %',
    ]);
    expect(ask('GET http://shop.example.com/foo/').status).toBe(404);
  });

  it('is the text that the README says to edit', () => {
    const text = readFileSync(new URL('./shop.ts', import.meta.url), 'utf8');
    expect(text.match(/weights: \[3, 1\]/g)).toHaveLength(1);
  });
});

describe('team data has a gateway of its own', () => {
  it('that serves it alone', () => {
    const at = 'infra/dedicated-gw';
    expect(shares(ask('GET https://data.example.com/v1/tables', { at }))).toEqual(['data/query:9000 100 %']);
    expect(ask('GET http://shop.example.com/cart', { at }).status).toBe(404);
  });
});

describe('listeners that are open to namespaces', () => {
  it.each([
    ['all of them', 'media/in-the-lobby', 'lobby'],
    ['those with a label', 'media/with-partners', 'partners'],
    ["the gateway's own", 'infra/house-rules', 'house'],
  ])('take routes of %s', (_, route, host) => {
    expect(accepted(route)).toMatchObject({ status: 'True', reason: 'Accepted' });
    expect(ask(`GET http://${host}.example.com/`).backends).toHaveLength(1);
  });

  it('refuse a route of another namespace, and say why in its status and at synth', () => {
    const reason = 'takes namespace infra only';
    expect(accepted('media/in-the-house')).toMatchObject({
      status: 'False',
      reason: 'NotAllowedByListeners',
    });
    expect(accepted('media/in-the-house').message).toContain(reason);
    expect(warnings).toEqual([
      { severity: 'warning', path: 'media/in-the-house', message: expect.stringContaining(reason) },
    ]);
  });
});

const outdir = mkdtempSync(join(tmpdir(), 'gatewright-storefront-'));
afterAll(() => rmSync(outdir, { recursive: true }));

it('cdk8s synth writes the same objects, a file for each chart', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const { app: command } = parse(readFileSync(join(folder, 'cdk8s.yaml'), 'utf8')) as { app: string };
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  execSync(command, {
    cwd: folder,
    env: { ...process.env, PATH: path, CDK8S_OUTDIR: outdir },
    stdio: 'pipe',
  });
  expect(
    readdirSync(outdir)
      .map((file) => file.replace(/^\d+-/, ''))
      .sort(),
  ).toEqual(['data', 'media', 'platform', 'runtime', 'shop'].map((chart) => `${chart}.k8s.yaml`));
  const written = readdirSync(outdir).flatMap((file) =>
    parseAllDocuments(readFileSync(join(outdir, file), 'utf8')).map((document) => document.toJS()),
  );
  expect(written).toHaveLength(objects.length);
  for (const { object } of objects) expect(written).toContainEqual(object);
});

it('the line that is commented out does not compile', () => {
  const text = readFileSync(new URL('./shop.ts', import.meta.url), 'utf8');
  const uncommented = text
    .replace(/^\/\/ (?=new TeamRoute\()/m, '')
    .replaceAll("'./", "'../../examples/storefront/");
  expect(uncommented).not.toBe(text);
  expect(complaints({ 'shop.ts': uncommented }).get('shop.ts')).toEqual([
    {
      line: text.slice(0, text.indexOf('// new TeamRoute(')).split('\n').length - 1,
      at: "'store.example.com'",
      message: `Type '"store.example.com"' is not assignable to type '"store.example.com is outside this grant (granted: shop.example.com, *.shop.example.com)"'.`,
    },
  ]);
});

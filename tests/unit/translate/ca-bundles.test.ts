/** What a reference to the certificates of an authority resolves to. */
import { describe, expect, it } from '@jest/globals';
import { GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { CaBundles } from '../../../gateway-runtime/translate/ca-bundles.ts';
import { Memo } from '../../../gateway-runtime/translate/memo.ts';
import { Objects } from '../../../gateway-runtime/translate/objects.ts';
import { References } from '../../../gateway-runtime/translate/references.ts';
import { caConfigMap, grant } from './build.ts';

const FROM = { group: GATEWAY_GROUP, kind: 'Gateway', namespace: 'infra' };
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';

function resolving(...objects: readonly RawObject[]) {
  const memo = new Memo();
  const all = new Objects(memo);
  for (const object of objects) all.set(object);
  const bundles = new CaBundles(memo, all, new References(memo, all));
  const resolve = (namespace?: string, kind = 'ConfigMap', group = '') =>
    bundles.resolve(FROM, { group, kind, name: 'ca', ...(namespace ? { namespace } : {}) }, 'spec.x');
  return { all, resolve };
}

describe('a reference to certificates of an authority', () => {
  it('gives them, without whatever else is in the ConfigMap', () => {
    const { resolve } = resolving(
      caConfigMap('infra/ca', { data: { 'ca.crt': `${KEY}# ours\n${CERTIFICATE}`, other: 'x' } }),
    );
    expect(resolve()).toEqual({
      configMap: 'infra/ca',
      bundle: {
        type: 'ca-bundle',
        key: 'ca-bundle/infra/ca',
        hash: expect.any(String),
        namespace: 'infra',
        configMap: 'ca',
        certificates: CERTIFICATE,
      },
    });
  });

  it.each([
    ['does not exist', undefined],
    ['was refused for its fields', { data: { 'ca.crt': 7 } }],
    ['has no ca.crt', { data: { 'ca.pem': CERTIFICATE } }],
    ['has no ca.crt', {}],
    ['has no PEM certificate in ca.crt', { data: { 'ca.crt': KEY } }],
    ['has a broken PEM certificate in ca.crt', { data: { 'ca.crt': CERTIFICATE.replace('MAA=', 'MA') } }],
    ['has 201 certificates in ca.crt, expected at most 200', { data: { 'ca.crt': CERTIFICATE.repeat(201) } }],
    [
      'has 300001 characters in ca.crt, expected at most 300000',
      { data: { 'ca.crt': CERTIFICATE.padEnd(300_001) } },
    ],
  ])('says of a ConfigMap that it %s', (problem, more) => {
    const { resolve } = resolving(
      ...(more ? [{ ...caConfigMap('infra/ca'), data: undefined, ...more }] : []),
    );
    const { configMap, bundle, problem: found } = resolve();
    expect([configMap, bundle]).toEqual(['infra/ca', undefined]);
    expect(found).toMatchObject({
      cause: 'object',
      field: 'spec.x',
      message: `ConfigMap infra/ca ${problem}`,
    });
    expect(JSON.stringify(found)).not.toContain('c2VjcmV0');
  });

  it('says why one can not be read', () => {
    const { all, resolve } = resolving();
    all.withhold(
      { group: '', kind: 'ConfigMap', namespace: 'infra', name: 'ca' },
      { problem: 'is kept', fix: 'ask' },
    );
    expect(resolve()).toMatchObject({
      configMap: 'infra/ca',
      problem: { cause: 'object', message: 'ConfigMap infra/ca is kept', fix: 'ask' },
    });
  });

  it.each([
    ['Secret', '', 'a Secret'],
    ['ConfigMap', 'example.com', 'a ConfigMap of group example.com'],
  ])('takes no %s of group "%s", and looks at none', (kind, group, words) => {
    const { resolve } = resolving(caConfigMap('infra/ca'));
    expect(resolve(undefined, kind, group)).toEqual({
      problem: expect.objectContaining({
        cause: 'kind',
        message: `found a reference to ${words}, expected a ConfigMap of the core group`,
      }),
    });
  });

  it('into another namespace needs a grant there, and says nothing of what is there without', () => {
    const without = resolving(caConfigMap('vault/ca')).resolve('vault');
    expect(without).toMatchObject({ problem: { cause: 'not-permitted' } });
    expect(without.configMap).toBeUndefined();
    const granted = resolving(
      caConfigMap('vault/ca'),
      grant('vault/edge', 'Gateway', 'infra', 'ConfigMap', 'ca'),
    ).resolve('vault');
    expect(granted.bundle?.key).toBe('ca-bundle/vault/ca');
  });
});

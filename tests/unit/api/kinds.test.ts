/** Which objects are read, as what, and what those are told that are not. */
import { describe, expect, it } from '@jest/globals';
import { durationMilliseconds } from '../../../gateway-runtime/api/fields.ts';
import { KINDS, type KindName, parse, refOf } from '../../../gateway-runtime/api/kinds.ts';
import { groupOf, refKey } from '../../../gateway-runtime/api/object.ts';
import { SAMPLES, sampleWith } from './samples.ts';

describe('refOf', () => {
  it.each([
    [
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', namespace: 'b' } },
      ['', 'Service', 'b', 'a'],
    ],
    [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } }, ['', 'Service', 'default', 'a']],
    [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', namespace: 'b' } },
      ['', 'Namespace', '', 'a'],
    ],
    [
      { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name: 'a' } },
      ['gateway.networking.k8s.io', 'GatewayClass', '', 'a'],
    ],
    [
      { apiVersion: 'networking.x-k8s.io/v1alpha1', kind: 'GatewayClass', metadata: { name: 'a' } },
      ['networking.x-k8s.io', 'GatewayClass', '', 'a'],
    ],
    [
      { apiVersion: 'networking.x-k8s.io/v1alpha1', kind: 'HTTPRoute', metadata: { name: 'a' } },
      ['networking.x-k8s.io', 'HTTPRoute', 'default', 'a'],
    ],
    [
      { apiVersion: 'example.com/v1', kind: 'Service', metadata: { name: 'a' } },
      ['example.com', 'Service', '', 'a'],
    ],
    [{ apiVersion: 'v1', kind: 'toString', metadata: { name: 'a' } }, ['', 'toString', '', 'a']],
    [{}, ['', '', '', '']],
    [{ kind: 7, apiVersion: null, metadata: 'x' }, ['', '', '', '']],
    [
      { kind: 'Secret', apiVersion: 'v1', metadata: { name: {}, namespace: [] } },
      ['', 'Secret', 'default', ''],
    ],
  ])('%j', (raw, [group, kind, namespace, name]) => {
    expect(refOf(raw as never)).toEqual({ group, kind, namespace, name });
  });
});

describe('parse', () => {
  it('reads every kind in every version that it says it reads', () => {
    for (const kind of Object.keys(KINDS) as KindName[]) {
      const { group, versions } = KINDS[kind];
      for (const version of versions) {
        const apiVersion = group ? `${group}/${version}` : version;
        expect(parse({ ...SAMPLES[kind](), apiVersion })).toMatchObject({ outcome: 'known', kind });
      }
      expect(parse({ ...SAMPLES[kind](), apiVersion: group ? `${group}/v9` : 'v9' })).toMatchObject({
        outcome: 'invalid',
        problems: [{ field: 'apiVersion' }],
      });
    }
  });

  it('skips what is of another kind or another group, and says what it is', () => {
    expect(parse({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } })).toMatchObject({
      outcome: 'unknown',
      reason: 'apps/v1 Deployment is not a kind that is read',
    });
    expect(parse({ ...SAMPLES.Service(), apiVersion: 'serving.example.com/v1' }).outcome).toBe('unknown');
    expect(parse({ apiVersion: 'v1', kind: 'constructor' }).outcome).toBe('unknown');
  });

  it('refuses what says neither kind nor version', () => {
    expect(parse({})).toMatchObject({ outcome: 'invalid', problems: [{ field: 'kind' }] });
    expect(parse({ kind: 'Service' })).toMatchObject({
      outcome: 'invalid',
      problems: [{ field: 'apiVersion' }],
    });
  });

  it.each([
    ['GatewayClass', 'spec.controllerName'],
    ['Gateway', 'allowedRoutes'],
    ['HTTPRoute', 'rules[].backendRefs'],
    ['TLSRoute', 'rules[].backendRefs'],
    ['TCPRoute', 'rules[].backendRefs'],
    ['UDPRoute', 'rules[].backendRefs'],
    ['BackendPolicy', 'BackendTLSPolicy'],
    ['Nothing', 'no kind of Gateway API'],
  ])('tells a %s of the Service APIs what replaces it', (kind, replacement) => {
    const parsed = parse({ apiVersion: 'networking.x-k8s.io/v1alpha1', kind, metadata: { name: 'a' } });
    expect(parsed).toMatchObject({
      outcome: 'invalid',
      problems: [{ field: 'apiVersion', found: 'networking.x-k8s.io/v1alpha1' }],
    });
    expect(parsed.outcome === 'invalid' && parsed.problems[0]!.fix).toContain(replacement);
  });

  it('fills in the defaults that the API server would', () => {
    const parsed = parse({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'a' },
      spec: {
        parentRefs: [{ name: 'edge' }],
        rules: [
          { backendRefs: [{ name: 's', port: 80 }] },
          { matches: [{ headers: [{ name: 'a', value: 'b' }] }] },
        ],
      },
    });
    const everything = { type: 'PathPrefix', value: '/' };
    expect(parsed).toMatchObject({
      outcome: 'known',
      object: {
        spec: {
          parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }],
          rules: [
            {
              matches: [{ path: everything }],
              backendRefs: [{ group: '', kind: 'Service', name: 's', port: 80, weight: 1 }],
            },
            { matches: [{ path: everything, headers: [{ name: 'a', type: 'Exact', value: 'b' }] }] },
          ],
        },
      },
    });
    expect(parse(sampleWith('HTTPRoute', 'spec.rules', undefined))).toMatchObject({
      object: { spec: { rules: [{ matches: [{ path: everything }] }] } },
    });
    expect(parse(sampleWith('Gateway', 'spec.listeners[0].allowedRoutes', undefined))).toMatchObject({
      object: { spec: { listeners: [{ allowedRoutes: { namespaces: { from: 'Same' } } }, {}] } },
    });
    expect(parse(sampleWith('Gateway', 'spec.allowedListeners', {}))).toMatchObject({
      object: { spec: { allowedListeners: { namespaces: { from: 'None' } } } },
    });
  });

  it('leaves the object as it was', () => {
    for (const kind of Object.keys(SAMPLES) as KindName[]) {
      const object = SAMPLES[kind]();
      parse(object);
      expect(object).toEqual(SAMPLES[kind]());
    }
  });

  it('takes any status, which others write', () => {
    expect(parse({ ...SAMPLES.HTTPRoute(), status: { parents: 'whatever' } }).outcome).toBe('known');
    expect(parse({ ...SAMPLES.HTTPRoute(), statuss: {} }).outcome).toBe('invalid');
  });

  it('is bounded in how it shows what it found', () => {
    const parsed = parse(sampleWith('HTTPRoute', 'spec.hostnames', [`${'A'.repeat(300)}`]));
    expect(parsed.outcome === 'invalid' && parsed.problems[0]!.found.length).toBeLessThanOrEqual(60);
  });
});

it.each([
  ['0s', 0],
  ['500ms', 500],
  ['10s', 10_000],
  ['1h30m', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
  ['5m5m', 600_000],
])('the duration %s is %d ms', (text, milliseconds) => {
  expect(durationMilliseconds(text)).toBe(milliseconds);
});

it('names objects by kind, namespace and name', () => {
  expect(refKey({ kind: 'Gateway', namespace: 'infra', name: 'edge' })).toBe('Gateway/infra/edge');
  expect(refKey({ kind: 'GatewayClass', namespace: '', name: 'edge' })).toBe('GatewayClass/edge');
  expect(groupOf('v1')).toBe('');
  expect(groupOf('apps/v1')).toBe('apps');
});

/** Field rules of GatewayPolicy and RoutePolicy, which are ours; tests/e2e/own-kinds.e2e.ts holds them against the API server. */
import { describe, expect, it } from '@jest/globals';
import { parse } from '../../../gateway-runtime/api/kinds.ts';
import { OWN_DEFINITIONS } from '../../../gateway-runtime/api/own-kinds.ts';
import {
  at,
  HEADER_NAMES,
  many,
  NETWORKS,
  NOT_HEADER_NAMES,
  NOT_NETWORKS,
  NOT_OBJECT_NAMES,
  NOT_TIMES,
  OBJECT_NAMES,
  REMOVED,
  TIMES,
  testRows,
} from './field-rules.ts';
import { sampleWith } from './samples.ts';

const headers = (count: number) => many(count, (index) => ({ name: `x-${index}`, value: 'a' }));

const targets = (kind: string) => many(17, (index) => ({ kind, name: `t-${index}` }));

testRows('GatewayPolicy', [
  ['spec', [], [REMOVED, at('spec', { targetRefs: [{ kind: 'Gateway', name: 'a' }] })]],
  [
    'spec.targetRefs',
    [
      [{ kind: 'ListenerSet', name: 'a' }],
      [
        { kind: 'Gateway', name: 'a' },
        { kind: 'Gateway', name: 'a', sectionName: 'b' },
      ],
      targets('Gateway').slice(1),
    ],
    [
      [],
      REMOVED,
      targets('Gateway'),
      at('spec.targetRefs[0].kind', [{ kind: 'HTTPRoute', name: 'a' }]),
      at('spec.targetRefs[0].group', [{ group: '', kind: 'Gateway', name: 'a' }]),
      at('spec.targetRefs[0].namespace', [{ kind: 'Gateway', name: 'a', namespace: 'b' }]),
      at('spec.targetRefs[1]', [
        { kind: 'Gateway', name: 'a' },
        { kind: 'Gateway', name: 'a' },
      ]),
    ],
  ],
  ['spec.targetRefs[0].name', OBJECT_NAMES, NOT_OBJECT_NAMES],
  [
    'spec.overrides',
    [REMOVED, { minTlsVersion: 'TLSv1.2' }],
    [{}, at('spec.overrides.timeout', { timeout: 1 })],
  ],
  [
    'spec.overrides.httpsRedirect',
    [{}, { enabled: false }, REMOVED],
    [true, at('spec.overrides.httpsRedirect.mode', { mode: 1 })],
  ],
  ['spec.overrides.httpsRedirect.statusCode', [301, 308, REMOVED], [302, '301']],
  ['spec.overrides.httpsRedirect.port', [1, 65535, REMOVED], [0, 65536, '443']],
  ['spec.overrides.minTlsVersion', ['TLSv1.2', 'TLSv1.3', REMOVED], ['1.3', 'TLSv1.1', '']],
  ['spec.overrides.maxRequestBytes', [0, 2 ** 40, REMOVED], [-1, 2 ** 40 + 1, 0.5, '1Mi']],
  ['spec.overrides.requestTimeout', [...TIMES, REMOVED], NOT_TIMES],
  [
    'spec.overrides.responseHeaders.set',
    [headers(16), [], REMOVED],
    [headers(17), at('spec.overrides.responseHeaders.set[1]', [...headers(1), ...headers(1)])],
  ],
  [
    'spec.overrides.responseHeaders.set[0].name',
    HEADER_NAMES,
    [...NOT_HEADER_NAMES, 'Transfer-Encoding', 'content-length', 'Connection'],
  ],
  [
    'spec.overrides.responseHeaders.remove',
    [many(16, (index) => `x-${index}`), REMOVED],
    [many(17, (index) => `x-${index}`), at('spec.overrides.responseHeaders.remove[0]', ['upgrade'])],
  ],
  [
    'spec.overrides.ipAllow',
    [...NETWORKS.map((each) => [each]), many(64, (index) => `10.${index}.0.0/16`), REMOVED],
    [
      [],
      many(65, (index) => `10.${index}.0.0/16`),
      ...NOT_NETWORKS.map((each) => at('spec.overrides.ipAllow[0]', [each])),
    ],
  ],
  ['spec.defaults', [REMOVED, { ipAllow: ['::/0'] }], [{}]],
  [
    'spec.defaults.maxRequestBytes',
    [{ default: 1, max: 1 }, { max: 0 }, REMOVED],
    [{}, at('spec.defaults.maxRequestBytes.default', { default: 2, max: 1 }), 7],
  ],
  [
    'spec.defaults.requestTimeout',
    [{ default: '1s', min: '1s', max: '1s' }, { max: '1s' }, { min: '59s', max: '1m' }],
    [
      {},
      at('spec.defaults.requestTimeout.default', { default: '2s', max: '1999ms' }),
      at('spec.defaults.requestTimeout.min', { min: '2s', default: '1s' }),
      at('spec.defaults.requestTimeout.min', { min: '2s', max: '1s' }),
      at('spec.defaults.requestTimeout.max', { max: '0s' }),
    ],
  ],
]);

testRows('RoutePolicy', [
  ['spec', [], [REMOVED, at('spec', { targetRefs: [{ kind: 'HTTPRoute', name: 'a' }] })]],
  [
    'spec.targetRefs',
    [[{ kind: 'HTTPRoute', name: 'a' }]],
    [[], targets('HTTPRoute'), at('spec.targetRefs[0].kind', [{ kind: 'Gateway', name: 'a' }])],
  ],
  ['spec.minTlsVersion', [REMOVED], ['TLSv1.2']],
  ['spec.maxRequestBytes', [0, REMOVED], [-1, { default: 1 }]],
  ['spec.requestTimeout', [...TIMES, REMOVED], NOT_TIMES],
  ['spec.ipAllow', [['10.0.0.0/8']], [[], at('spec.ipAllow[0]', ['10.0.0.1'])]],
]);

describe('policies', () => {
  it('redirect with 308 to port 443 where they do not say how', () => {
    expect(parse(sampleWith('GatewayPolicy', 'spec.overrides', { httpsRedirect: {} }))).toMatchObject({
      object: { spec: { overrides: { httpsRedirect: { enabled: true, statusCode: 308, port: 443 } } } },
    });
  });

  it('show no values of headers where they are refused', () => {
    const parsed = parse(
      sampleWith('GatewayPolicy', 'spec.overrides.responseHeaders.set[0].value', 'secret\n'),
    );
    expect(parsed.outcome).toBe('invalid');
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  it.each(['GatewayPolicy', 'RoutePolicy'])('%s has a status that is written apart', (kind) => {
    const definition = OWN_DEFINITIONS.find(({ spec }) => spec.names.kind === kind)!;
    expect(definition.spec.versions[0]).toMatchObject({
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: { properties: { status: { properties: { ancestors: { maxItems: 16 } } } } },
      },
    });
  });
});

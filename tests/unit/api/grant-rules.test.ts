/** Field rules of Grant, which is ours; tests/e2e/own-kinds.e2e.ts holds them against the API server. */
import { describe, expect, it } from '@jest/globals';
import { GRANT_DEFINITION, GRANTED_PATH } from '../../../gateway-runtime/api/grant.ts';
import { parse } from '../../../gateway-runtime/api/kinds.ts';
import { normalizePath } from '../../../gateway-runtime/match/normalize.ts';
import { at, long, many, NOT_GRANTED_PATHS, REMOVED, testRows } from './field-rules.ts';
import { SAMPLES, sampleWith } from './samples.ts';

const GRANT = 'spec.grants[0]';
const entry = (name: string) => ({ name, kinds: ['HTTPRoute'] });
const hostnames = (count: number) => many(count, (index) => `h${index}.example.com`);
const delegated = (path: string) => ({ path, hostnames: ['shop.example.com'], team: 'a', namespace: 'a' });

testRows('Grant', [
  ['spec', [], [7, REMOVED, at('spec.team', {})]],
  ['spec.gatewayName', ['edge', long(253)], ['', long(254), REMOVED, 7]],
  ['spec.team', ['a', long(63)], ['', 'A', long(64), REMOVED]],
  ['spec.namespace', ['a'], ['', 'A', REMOVED]],
  [
    'spec.grants',
    [[entry('a')], many(64, (index) => entry(`g${index}`))],
    [
      [],
      REMOVED,
      at(
        'spec.grants',
        many(65, (index) => entry(`g${index}`)),
      ),
      at('spec.grants[1]', [entry('a'), entry('a')]),
    ],
  ],
  [`${GRANT}.name`, ['shop/payments', long(253)], ['', long(254), REMOVED]],
  [
    `${GRANT}.hostnames`,
    [[], ['*.example.com'], hostnames(64), REMOVED],
    [
      at(`${GRANT}.hostnames`, hostnames(65)),
      ...['*', 'SHOP.example.com', 'shop.example.com.', 'shop.example.com:80', 'a.*.com', ''].map((host) =>
        at(`${GRANT}.hostnames[0]`, [host]),
      ),
    ],
  ],
  [
    `${GRANT}.kinds`,
    [['GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute']],
    [
      [],
      REMOVED,
      at(`${GRANT}.kinds[0]`, ['Gateway']),
      at(
        `${GRANT}.kinds`,
        many(6, () => 'HTTPRoute'),
      ),
    ],
  ],
  [`${GRANT}.listeners`, [[], REMOVED], [7]],
  [`${GRANT}.listeners[0].kind`, ['Gateway'], ['Service', REMOVED]],
  [`${GRANT}.listeners[0].name`, ['edge'], ['', REMOVED]],
  [
    `${GRANT}.listeners[0].sectionNames`,
    [['http', 'https']],
    [[], REMOVED, at(`${GRANT}.listeners[0].sectionNames[0]`, ['HTTP'])],
  ],
  [
    `${GRANT}.paths`,
    [['/checkout'], ['/a/b', '/a.b/.well-known/;x'], REMOVED],
    [[], ...NOT_GRANTED_PATHS.map((path) => at(`${GRANT}.paths[0]`, [path]))],
  ],
  [
    `${GRANT}.delegated`,
    [[], [delegated('/a'), delegated('/b')], REMOVED],
    [
      at(`${GRANT}.delegated[0].path`, [delegated('/a/')]),
      at(`${GRANT}.delegated[0].hostnames`, [{ ...delegated('/a'), hostnames: [] }]),
    ],
  ],
  [
    `${GRANT}.ownListeners`,
    [[], [{ port: 1, protocol: 'TCP' }], REMOVED],
    [
      at(`${GRANT}.ownListeners[0].port`, [{ port: 0, protocol: 'TCP' }]),
      at(`${GRANT}.ownListeners[0].protocol`, [{ port: 1, protocol: 'QUIC' }]),
    ],
  ],
]);

describe('a Grant', () => {
  it('is for all paths, and gave none of them on, where it does not say', () => {
    expect(parse(sampleWith('Grant', 'spec.grants', [entry('a')]))).toMatchObject({
      object: { spec: { grants: [{ hostnames: [], listeners: [], paths: ['/'], delegated: [] }] } },
    });
  });

  it.each(['/', '/a', '/a/b', '/a.b', '/.well-known', '/~a;b=c', '/;x', '/a;..', '/a..'])(
    'has a path in the spelling of requests: %s',
    (path) => {
      expect(path).toMatch(GRANTED_PATH.regex);
      expect(normalizePath(path)).toBe(path);
    },
  );

  it('has a CustomResourceDefinition with all of its rules', () => {
    const [version] = GRANT_DEFINITION.spec.versions;
    const { spec } = version!.schema.openAPIV3Schema.properties;
    expect(spec).toMatchObject({
      required: ['gatewayName', 'team', 'namespace', 'grants'],
      properties: {
        grants: {
          minItems: 1,
          maxItems: 64,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            required: ['name', 'kinds'],
            properties: { paths: { default: ['/'] }, hostnames: { maxItems: 64, default: [] } },
          },
        },
      },
    });
    expect(parse(SAMPLES.Grant()).outcome).toBe('known');
  });
});

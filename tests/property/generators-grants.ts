/** Grants, and whose listeners ask for them. */
import fc from 'fast-check';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { few, hostname, mostly, often, pick, port, seldom, some } from './generators-objects.ts';

/** Whose listeners ask for Grants. */
export const granted = fc
  .oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: pick('', '*', 'web, third') },
  )
  .map((names) => (names === undefined ? undefined : { 'gatewright.dev/granted-listeners': names }));

export const path = pick('/', '/a', '/a/b', '/b');
export const oneGrant = fc.record({
  hostnames: some(hostname),
  kinds: mostly(['HTTPRoute'], ['HTTPRoute', 'TLSRoute'], ['GRPCRoute']),
  listeners: some(
    fc.record({
      kind: pick('ListenerSet', 'Gateway'),
      name: pick('team', 'gw', 'edge'),
      sectionNames: mostly(['web', 'secure', 'third', 'fourth'], ['web'], ['other']),
    }),
  ),
  paths: often(some(path, 1)),
  delegated: seldom(
    few(
      fc.record({
        path,
        hostnames: some(hostname, 2),
        team: fc.constant('media'),
        namespace: fc.constant('media'),
      }),
    ),
  ),
  ownListeners: often(some(fc.record({ port, protocol: pick('HTTP', 'HTTPS', 'TLS') }))),
});

const API = 'gateway.networking.k8s.io/v1';
const objectNamed = (
  apiVersion: string,
  kind: string,
  name: string,
  spec: object,
  metadata: object = {},
) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: kind === 'HTTPRoute' ? 'shop' : 'infra', ...metadata },
  spec,
});

/** A Gateway that asks for Grants, one of these for namespace shop, and a route from there: seldom do they meet by chance. */
export const grantedGroup: fc.Arbitrary<RawObject[]> = fc
  .record({
    sections: pick('*', 'web', ''),
    paths: some(path, 2),
    given: few(path, 1),
    asked: some(path, 3),
    hostnames: some(hostname),
  })
  .map(({ sections, paths, given, asked, hostnames }) => [
    objectNamed(
      API,
      'Gateway',
      'gw',
      {
        gatewayClassName: 'ours',
        listeners: [
          {
            name: 'web',
            port: 80,
            protocol: 'HTTP',
            hostname: '*.example.com',
            allowedRoutes: { namespaces: { from: 'All' } },
          },
        ],
        allowedListeners: { namespaces: { from: 'All' } },
      },
      { annotations: { 'gatewright.dev/granted-listeners': sections } },
    ),
    objectNamed('gatewright.dev/v1alpha1', 'Grant', 'one', {
      gatewayName: 'gw',
      team: 'shop',
      namespace: 'shop',
      grants: [
        {
          name: 'all',
          hostnames: ['*.example.com', 'example.org'],
          kinds: ['HTTPRoute'],
          listeners: [{ kind: 'Gateway', name: 'gw', sectionNames: ['web'] }],
          paths,
          delegated: given.map((each) => ({ path: each, hostnames, team: 'media', namespace: 'media' })),
          ownListeners: [{ port: 80, protocol: 'HTTP' }],
        },
      ],
    }),
    objectNamed(API, 'HTTPRoute', 'cart', {
      parentRefs: [{ name: 'gw', namespace: 'infra' }],
      hostnames,
      rules: asked.map((value) => ({ matches: [{ path: { value } }] })),
    }),
  ]);

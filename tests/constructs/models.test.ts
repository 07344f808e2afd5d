/** Every object that the constructs make passes the published models, and the server would change nothing in it. */
import { expect, it } from '@jest/globals';
import * as models from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import { prefix, regex, service, setHeaders, TeamRoute } from 'gatewright';
import example from '../../examples/storefront/app.ts';
import { KINDS, parse } from '../../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP } from '../../gateway-runtime/api/names.ts';
import { storefront } from './storefront.ts';
import { objects } from './synth.ts';

interface Model {
  validate(): void;
}

/** More rules than one HTTPRoute holds, of several sorts: they become several. */
function manyRules() {
  const { app, chart, shopEdge } = storefront();
  const route = new TeamRoute(chart, 'many', { on: shopEdge, hostnames: ['shop.example.com'] });
  for (let index = 0; index < 40; index++) {
    route.rule({ path: prefix(`/p${index}`) }).to(service('cart', 8080));
    route
      .rule({ path: prefix(`/h${index}`), headers: { 'x-tier': regex('gold|silver') } })
      .to(service('cart', 8080, { filters: [setHeaders({ 'x-n': `${index}` })] }));
  }
  return app;
}

const gatewayObjects = [...objects(example), ...objects(manyRules())].filter(
  ({ apiVersion }) => apiVersion === `${GATEWAY_GROUP}/v1`,
);

it('every kind of the API is among them', () => {
  const kinds = new Set(gatewayObjects.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual([
    'Gateway',
    'GatewayClass',
    'HTTPRoute',
    'ListenerSet',
    'ReferenceGrant',
  ]);
});

it.each(gatewayObjects.map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
  '%s',
  (_, object) => {
    const Model = (models as unknown as Record<string, new (data: object) => Model>)[object.kind]!;
    expect(() => new Model(object).validate()).not.toThrow();
    const parsed = parse(object);
    expect(Object.keys(KINDS)).toContain(object.kind);
    expect(parsed.outcome === 'known' && parsed.object).toEqual(object);
  },
);

it('a route of many rules is among them, as several of its name', () => {
  const shards = gatewayObjects.filter(
    ({ kind, metadata }) => kind === 'HTTPRoute' && metadata.name.startsWith('many'),
  );
  expect(shards.length).toBeGreaterThan(4);
  expect(shards.flatMap(({ spec }) => spec.rules)).toHaveLength(80);
});

it('the models refuse what is wrong', () => {
  const [route] = gatewayObjects.filter(({ kind }) => kind === 'HTTPRoute');
  const broken = structuredClone(route!);
  broken.spec.rules[0].matches[0].path.type = 'Prefix';
  expect(() => new models.HTTPRoute(broken as never).validate()).toThrow();
});

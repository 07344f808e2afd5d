/** Every object that the constructs make passes the published models, and the server would change nothing in it. */
import { expect, it } from '@jest/globals';
import * as models from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import storefront from '../../examples/storefront/app.ts';
import { KINDS, parse } from '../../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP } from '../../gateway-runtime/api/names.ts';
import { objects } from './synth.ts';

interface Model {
  validate(): void;
}

const gatewayObjects = objects(storefront).filter(({ apiVersion }) => apiVersion === `${GATEWAY_GROUP}/v1`);

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

it('the models refuse what is wrong', () => {
  const [route] = gatewayObjects.filter(({ kind }) => kind === 'HTTPRoute');
  const broken = structuredClone(route!);
  broken.spec.rules[0].matches[0].path.type = 'Prefix';
  expect(() => new models.HTTPRoute(broken as never).validate()).toThrow();
});

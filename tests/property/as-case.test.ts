import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { refOf } from '../../gateway-runtime/api/kinds.ts';
import { parseCase } from '../cases-runner/case.ts';
import { gateway, http, route, service, to } from '../unit/translate/build.ts';
import { asCase, assertWithCase } from './as-case.ts';

const OBJECTS = [gateway('infra/gw', [http('web')]), route('shop/cart', 'infra/gw', [to('cart:80')])];
const CART = service('shop/cart');
const FOUND = {
  options: { classes: ['ours'], limits: { rules: 3 } },
  objects: OBJECTS,
  steps: [
    [{ set: CART }, { withhold: { group: '', kind: 'Secret', namespace: 'infra', name: 'cert' } }],
    [{ remove: refOf(CART) }],
  ],
};

it('a counterexample is a case that can be read as it is', () => {
  const form = parseCase('found.yaml', asCase('nothing is lost', FOUND));
  expect(form).toMatchObject({
    about: 'Found by a property test: nothing is lost.',
    classes: ['ours'],
    limits: { rules: 3 },
  });
  expect(form.objects).toEqual(OBJECTS);
  expect(form.edits).toMatchObject([{ set: [CART] }, { remove: ['Service/shop/cart'] }]);
});

it('a property that fails shows the smallest case, the seed and what was wrong', () => {
  const fails = () =>
    assertWithCase(
      fc.property(fc.nat(100), (count) => expect(count).toBeLessThan(7)),
      1000,
      ([count]) => ({ options: {}, objects: [service(`shop/s-${count}`)] }),
    );
  expect(fails).toThrow(/seed -?\d+, path .*name: s-7\n.*Expected: < +7/s);
});

it('a property that holds shows nothing', () => {
  const holds = fc.property(fc.nat(), (count) => count >= 0);
  expect(() => assertWithCase(holds, 10, () => ({ options: {}, objects: [] }))).not.toThrow();
});

/** What the team expects of its routes. */
import { expect, test } from '@jest/globals';
import 'gatewright/jest';
import app from './preview.ts';

test('the cart is served, and a tenth of the rest by the next version', () => {
  expect(app).toRoute('GET http://shop.example.com/cart').to('shop/cart');
  expect(app).toRoute('GET http://shop.example.com/').to('shop/store-next').withShare(0.1);
});

test('no rule is there in vain', () => {
  expect(app).toHaveNoShadowedRules();
});

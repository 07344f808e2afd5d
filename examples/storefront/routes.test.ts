/** What team shop expects of its routes: shown in the README. */
import { expect, test } from '@jest/globals';
import 'gatewright/jest';
import app from './app.ts';

test('gold customers have a cart of their own', () => {
  const gold = { headers: { 'x-tier': 'gold' } };
  expect(app).toRoute('GET https://shop.example.com/cart', gold).to('shop/cart-gold');
  expect(app).toRoute('GET https://shop.example.com/cart').to('shop/cart');
});

test('a quarter of /foo goes to nginx, and what moved is found', () => {
  expect(app).toRoute('GET http://shop.example.com/foo').to('shop/nginx').withShare(0.25);
  expect(app).toRoute('GET http://shop.example.com/basket').toRedirect('http://shop.example.com/cart');
  expect(app).toRoute('GET http://store.example.com/').toReject(404);
});

test('no rule is there in vain', () => {
  expect(app).toHaveNoShadowedRules();
});

/** The routes of team shop, on what the platform granted it. */
import { App } from 'cdk8s';
import { canary, prefix, service, TeamChart, TeamRoute } from 'gatewright';
import { grants, team } from './grants/shop.ts';

const app = new App();
const chart = new TeamChart(app, 'shop', { team, on: grants.shop });

const store = new TeamRoute(chart, 'store', { hostnames: ['shop.example.com'] });
store.rule({ path: prefix('/cart') }).to(service('cart', 8080));
store
  .rule({ path: prefix('/') })
  .to(canary({ stable: service('store', 8080), canary: service('store-next', 8080), weights: [9, 1] }));

export default app;

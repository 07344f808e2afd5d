/** Team shop: its programs, and the routes to them on what it was granted. */
import { canary, exact, prefix, redirect, replacePrefix, TeamChart, TeamRoute } from 'gatewright';
import { thumbnailsForShop } from './media.ts';
import { app, shop, shopEdge } from './platform.ts';
import { workload } from './workload.ts';

const chart = new TeamChart(app, 'shop', { team: shop });
const whoami = workload(chart, 'whoami', 'traefik/whoami:v1.10', 80);
const nginx = workload(chart, 'nginx', 'nginx:1.27', 80);
const cart = workload(chart, 'cart', 'shop/cart:1', 8080);
const cartGold = workload(chart, 'cart-gold', 'shop/cart:1', 8080);

const store = new TeamRoute(chart, 'store', { on: shopEdge, hostnames: ['shop.example.com'] });
store.rule({ path: prefix('/cart'), headers: { 'x-tier': 'gold' } }).to(cartGold);
store.rule({ path: prefix('/cart') }).to(cart);
store.rule({ path: prefix('/basket') }).to(redirect({ path: replacePrefix('/cart'), status: 301 }));
store.rule({ path: prefix('/thumbnails') }).to(thumbnailsForShop);
// One of four requests goes to nginx (3:1). Change it to [1, 1] and save: half of them do.
store.rule({ path: exact('/foo') }).to(canary({ stable: whoami, canary: nginx, weights: [3, 1] }));

// Exactly `/`, and nothing else. Move it to exact('/foo'), and `/` is 404.
const hello = new TeamRoute(chart, 'whoami', { on: shopEdge, hostnames: ['whoami.shop.example.com'] });
hello.rule({ path: exact('/') }).to(whoami);

// Un-comment this line: it does not compile, since store.example.com is not granted to shop; `gatewright synth` refuses it,
// as it would in plain JavaScript; and `gatewright explain examples/storefront/app.ts GET http://store.example.com/`
// says why such a request is a 404.
// new TeamRoute(chart, 'stray', { on: shopEdge, hostnames: ['store.example.com'] }).rule().to(cart);

/** Team media: shares the gateway with shop, under a hostname of its own. */
import {
  prefix,
  ReferenceGrant,
  replacePrefix,
  rewrite,
  setResponseHeaders,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { app, media, mediaEdge, platform, shared, shop } from './platform.ts';
import { workload } from './workload.ts';

const chart = new TeamChart(app, 'media', { team: media });
const player = workload(chart, 'player', 'media/player:1', 8080);
const thumbnails = workload(chart, 'thumbnails', 'media/thumbnails:1', 8080);

const site = new TeamRoute(chart, 'site', { on: mediaEdge });
site.rule().to(player);
site
  .rule({
    path: prefix('/thumbnails'),
    filters: [rewrite({ path: replacePrefix('/') }), setResponseHeaders({ 'cache-control': 'max-age=3600' })],
  })
  .to(thumbnails);

// Routes of shop may send to our thumbnails.
const lent = new ReferenceGrant(chart, 'thumbnails-for-shop', { from: shop, to: thumbnails });
export const thumbnailsForShop = lent.service('thumbnails', 8080);

// Listeners that are open to namespaces: to all, to those with the label that media has, to the gateway's own.
new TeamRoute(chart, 'in-the-lobby', { on: shared.listener('lobby') }).rule().to(player);
new TeamRoute(chart, 'with-partners', { on: shared.listener('partners') }).rule().to(player);
// This one is refused, and its status says why: `house` takes routes of namespace infra alone, such as the next one.
new TeamRoute(chart, 'in-the-house', { on: shared.listener('house') }).rule().to(player);
new TeamRoute(platform, 'house-rules', { on: shared.listener('house') })
  .rule()
  .to(workload(platform, 'house-rules-page', 'nginx:1.27', 80));

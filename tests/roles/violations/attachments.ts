/** Routes on what another team was granted, on the gateway itself, or on what nobody granted. */
import { OWN_GROUP } from '../../../gateway-runtime/api/names.ts';
import {
  asObjects,
  GATEWAY,
  grantOf,
  httpRoute,
  listenersOf,
  NO_CONSTRUCT,
  type Violation,
} from './violation.ts';

const DEVELOPER = { by: 'shop', role: 'application developer' } as const;
const A_GRANT = 'a route attaches to a grant: gateway.grant(team, { hostnames })';
const NOT_MADE = 'a route attaches to a grant, not to an object that no grant() made';
const MEDIA_TO_SHOP = grantOf('hostname media.example.com', 'shop');
const onMedia = httpRoute({ parentRefs: [listenersOf('media')], hostnames: ['media.example.com'] });
const onNothing = httpRoute({ parentRefs: [], hostnames: ['media.example.com'] });
const byDefault = { ...onNothing, spec: { ...(onNothing.spec as object), useDefaultGateways: 'All' } };
const MEDIA = 'http://media.example.com/';

export const ATTACHMENTS: readonly Violation[] = [
  {
    name: 'grant-of-another-team',
    ...DEVELOPER,
    violates: 'a route attaches to what another team was granted',
    code: `new TeamRoute(shopChart, 'r', { on: mediaEdge, hostnames: ['media.example.com'] }).rule().to(cart);`,
    typescript: { at: 'on', words: ['this grant is for team media, this chart belongs to team shop'] },
    javascript: {
      path: 'shop/r',
      words: ['grant platform/shared-gw/media is for team media, this chart belongs to team shop'],
    },
    objects: [onMedia],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'grant-of-another-team-in-a-construct',
    ...DEVELOPER,
    violates: 'the same inside of a construct that does not say whose it is',
    code: `new TeamRoute(new Construct(shopChart, 'page'), 'r', { on: mediaEdge, hostnames: ['media.example.com'] }).rule().to(cart);`,
    typescript: { stoppedBy: 'synth', why: 'the type of a construct does not say in which chart it stands' },
    javascript: {
      path: 'shop/page/r',
      words: ['grant platform/shared-gw/media is for team media, this chart belongs to team shop'],
    },
    objects: [onMedia],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'grant-of-another-team-beside-the-own',
    ...DEVELOPER,
    violates: 'one of several grants of a route is that of another team',
    code: `new TeamRoute(shopChart, 'r', { on: [shopEdge, mediaEdge], hostnames: ['shop.example.com', 'media.example.com'] }).rule().to(cart);`,
    typescript: { at: 'mediaEdge', words: ['this grant is for team media, this chart belongs to team shop'] },
    javascript: {
      path: 'shop/r',
      words: ['grant platform/shared-gw/media is for team media, this chart belongs to team shop'],
    },
    objects: [
      httpRoute({
        parentRefs: [listenersOf('shop'), listenersOf('media')],
        hostnames: ['shop.example.com', 'media.example.com'],
      }),
    ],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'grant-through-any',
    ...DEVELOPER,
    violates: 'a copy of the grant of another team, which the compiler takes for anything',
    code: `new TeamRoute(shopChart, 'r', { on: JSON.parse(JSON.stringify(mediaEdge)) }).rule().to(cart);`,
    typescript: { stoppedBy: 'synth', why: 'what is any is everything' },
    javascript: {
      path: 'shop/r',
      words: [NOT_MADE, 'use gateway.grant(team, { hostnames })'],
      namesNoGrant: true,
    },
    objects: [onMedia],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'imitation-of-a-grant',
    ...DEVELOPER,
    violates: 'a route attaches to an object that looks like a grant',
    code: `new TeamRoute(shopChart, 'r', { on: { ...mediaEdge, team: shop } }).rule().to(cart);`,
    typescript: { at: 'on', words: [A_GRANT] },
    javascript: {
      path: 'shop/r',
      words: [NOT_MADE, 'use gateway.grant(team, { hostnames })'],
      namesNoGrant: true,
    },
    objects: [onMedia],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'grant-object-by-hand',
    by: 'shop',
    role: 'application administrator',
    violates: 'a team writes itself a Grant, and a route for it',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: { path: 'shop/object-0', words: ['Grant/infra/shop-more', 'made by the platform'] },
    objects: [
      {
        apiVersion: `${OWN_GROUP}/v1alpha1`,
        kind: 'Grant',
        metadata: { name: 'shop-more', namespace: 'infra' },
        spec: {
          gatewayName: 'shared-gw',
          team: 'shop',
          namespace: 'shop',
          grants: [
            {
              name: 'more',
              hostnames: ['media.example.com'],
              kinds: ['HTTPRoute'],
              listeners: [
                { kind: 'ListenerSet', name: 'shared-gw-media', sectionNames: ['web.media.example.com'] },
              ],
            },
          ],
        },
      },
      onMedia,
    ],
    missing: 'the right to write Grants, which no grant gives',
    runtime: { says: ['takes namespaces with the labels kubernetes.io/metadata.name'] },
    threatens: MEDIA,
  },
  {
    name: 'gateway-in-place-of-a-grant',
    ...DEVELOPER,
    violates: 'a route attaches to the gateway that all teams share',
    code: `new TeamRoute(shopChart, 'r', { on: shared, hostnames: ['media.example.com'] }).rule().to(cart);`,
    typescript: { at: 'on', words: [A_GRANT] },
    javascript: {
      path: 'shop/r',
      words: ['a route attaches to a grant, not to SharedGateway platform/shared-gw'],
    },
    objects: [httpRoute({ parentRefs: [GATEWAY], hostnames: ['media.example.com'] })],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'listener-of-the-gateway',
    ...DEVELOPER,
    violates: 'a route attaches to a listener that the gateway keeps for its own namespace',
    code: `new TeamRoute(shopChart, 'r', { on: payEdge, listeners: ['web'] }).rule().to(cart);`,
    typescript: { at: `'web'`, words: [`Type '"web"' is not assignable to type '"secure"'`] },
    javascript: {
      path: 'shop/r',
      words: ['listener web is outside grant platform/shared-gw/pay (granted: secure)'],
    },
    objects: [
      httpRoute({ parentRefs: [{ ...GATEWAY, sectionName: 'web' }], hostnames: ['pay.example.com'] }),
    ],
    missing: grantOf('hostname pay.example.com for listener web', 'shop'),
    threatens: MEDIA,
  },
  {
    name: 'port-in-place-of-a-listener',
    ...DEVELOPER,
    violates: 'a route attaches by port to whatever the gateway has there',
    code: `new TeamRoute(shopChart, 'r', { on: payEdge, port: 80 }).rule().to(cart);`,
    typescript: { at: 'port', words: [`'port' does not exist in type 'TeamRouteProps<`] },
    javascript: { path: 'shop/r', words: ['TeamRoute does not know port'], namesNoGrant: true },
    objects: [httpRoute({ parentRefs: [{ ...GATEWAY, port: 80 }], hostnames: ['pay.example.com'] })],
    missing: grantOf('hostname pay.example.com for listener web', 'shop'),
    threatens: MEDIA,
  },
  {
    name: 'section-of-another-team',
    ...DEVELOPER,
    violates: 'a route names a listener of another team',
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, listeners: ['web.media.example.com'] }).rule().to(cart);`,
    typescript: {
      at: `'web.media.example.com'`,
      words: [`Type '"web.media.example.com"' is not assignable to type '"web" | "secure"'`],
    },
    javascript: {
      path: 'shop/r',
      words: [
        'listener web.media.example.com is outside grant platform/shared-gw/shop (granted: web, secure)',
      ],
      namesNoGrant: true,
    },
    objects: [
      httpRoute({
        parentRefs: [listenersOf('media', 'web.media.example.com')],
        hostnames: ['media.example.com'],
      }),
    ],
    missing: MEDIA_TO_SHOP,
    threatens: MEDIA,
  },
  {
    name: 'parent-by-reference',
    ...DEVELOPER,
    violates: 'a route names its parent itself, without the namespace, so that it means one of the team',
    code: `new TeamRoute(shopChart, 'r', { on: { kind: 'ListenerSet', name: 'shared-gw-shop' } }).rule().to(cart);`,
    typescript: { at: 'on', words: [A_GRANT] },
    javascript: { path: 'shop/r', words: [NOT_MADE], namesNoGrant: true },
    objects: [httpRoute({ parentRefs: [{ kind: 'ListenerSet', name: 'shared-gw-shop' }] })],
    admission: {
      stoppedBy: 'runtime',
      why: 'a ListenerSet of the own namespace may be that of any gateway, also of another controller, and may come after its routes',
    },
    missing: grantOf('hostname shop.example.com at ListenerSet shop/shared-gw-shop', 'shop'),
    runtime: { says: ['ListenerSet shop/shared-gw-shop does not exist'], withoutStatus: true },
    threatens: 'http://shop.example.com/',
  },
  {
    name: 'default-gateways',
    ...DEVELOPER,
    violates: 'a route attaches to whatever Gateways are default ones, in place of a grant',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['HTTPRoute/shop/r spec.useDefaultGateways: found All', 'name what was granted'],
      namesNoGrant: true,
    },
    objects: [byDefault],
    missing: 'a route of a team with grants there names its gateways in spec.parentRefs',
    runtime: { says: [`Missing: ${MEDIA_TO_SHOP}`] },
    threatens: MEDIA,
  },
  {
    name: 'route-in-another-namespace',
    ...DEVELOPER,
    violates:
      'a route is written into the namespace of another team, where the grant of that team lets it in',
    code: `new TeamChart(app, 'more', { team: shop, namespace: 'media' });`,
    typescript: {
      at: 'namespace',
      words: [`'namespace' does not exist in type 'TeamChartProps<"shop", undefined>'`],
    },
    javascript: { path: 'more', words: ['TeamChart does not know namespace'], namesNoGrant: true },
    objects: [
      httpRoute({ namespace: 'media', parentRefs: [listenersOf('media')], hostnames: ['media.example.com'] }),
    ],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: {
      unseen:
        'who wrote a route is not in it: in the namespace of media it is one of media, beside the others',
      changes: true,
    },
    threatens: MEDIA,
  },
  {
    name: 'team-of-that-name',
    ...DEVELOPER,
    violates:
      'a chart says that it belongs to the team, and puts its routes into the namespace of another one',
    code: `new TeamRoute(new TeamChart(app, 'more', { team: { name: 'shop', namespace: 'media' } }), 'r', { on: shopEdge }).rule().to(cart);`,
    typescript: { stoppedBy: 'synth', why: 'a team in a repository of its own is such an object' },
    javascript: {
      path: 'more/r',
      words: [
        'grant platform/shared-gw/shop is for team shop in namespace shop, this route is in namespace media',
      ],
      namesNoGrant: true,
    },
    objects: [httpRoute({ namespace: 'media' })],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: { says: [`Missing: ${grantOf('hostname shop.example.com', 'media')}`] },
    threatens: MEDIA,
  },
  {
    name: 'namespace-by-hand',
    ...DEVELOPER,
    violates: 'an object in the chart of a team says that it is in the namespace of another one',
    code: asObjects('shopChart'),
    typescript: NO_CONSTRUCT,
    javascript: {
      path: 'shop/object-0',
      words: ['Service/media/feed metadata.namespace', 'this chart belongs to team shop in namespace shop'],
    },
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'feed', namespace: 'media' },
        spec: { selector: { app: 'cart' }, ports: [{ port: 8080 }] },
      },
    ],
    missing: 'the right to write into namespace media, which no grant gives',
    runtime: { unseen: 'who wrote a Service is not in it' },
    threatens: MEDIA,
  },
];

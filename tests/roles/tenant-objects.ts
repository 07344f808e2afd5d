/** What the teams of the fixture have at the shared gateway before anybody tries anything: routes, Services, certificates; and what may be asked of it. */
import { service, TeamCertificate, TeamRoute } from 'gatewright';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { issue } from '../support/certificates.ts';
import type { fixture } from './fixture.ts';

/** Services of the teams: the name of the one that answers tells whose it is. */
export const SERVICES = { cart: 'shop', pay: 'payments', feed: 'media' } as const;

/** Requests that some tenant serves, or nobody. */
export const WITNESSES = [
  'http://shop.example.com/',
  'http://shop.example.com/cart',
  'http://shop.example.com/checkout',
  'http://shop.example.com/checkout/pay',
  'http://a.apps.example.com/',
  'http://a.apps.example.com/checkout',
  'http://media.example.com/',
  'http://a.media.example.com/',
  'http://brand.example.com/',
  'https://shop.example.com/',
  'https://media.example.com/',
  'https://a.media.example.com/',
  'https://brand.example.com/',
  'https://pay.example.com/',
  'http://new.example.com/',
  'http://127.0.0.1/',
] as const;

/** How some of them are answered. */
export const ANSWERS = {
  'http://shop.example.com/': '200 cart\n',
  'http://shop.example.com/checkout': '200 pay\n',
  'http://a.apps.example.com/checkout': '200 pay\n',
  'http://media.example.com/': '200 feed\n',
  'http://a.media.example.com/': '200 feed\n',
  'http://brand.example.com/': '200 feed\n',
  'https://shop.example.com/': '200 cart\n',
  'https://media.example.com/': '200 feed\n',
  'https://brand.example.com/': '200 feed\n',
  'https://pay.example.com/': '200 cart\n',
} as const;

/** Puts a route for all that each team was granted into its chart; returns those that others are told of. */
export function addRoutes(made: ReturnType<typeof fixture>) {
  const { shopChart, mediaChart, paymentsChart, shopEdge, payEdge, mediaEdge, brandEdge, checkoutEdge } =
    made;
  const feed = service('feed', 8080);
  new TeamRoute(shopChart, 'store', { on: shopEdge }).rule().to(made.cart);
  new TeamRoute(shopChart, 'pay', { on: payEdge }).rule().to(made.cart);
  new TeamRoute(paymentsChart, 'checkout', { on: checkoutEdge }).rule().to(service('pay', 8080));
  const site = new TeamRoute(mediaChart, 'site', { on: mediaEdge });
  site.rule().to(feed);
  new TeamCertificate(mediaChart, 'brand', { on: brandEdge });
  new TeamRoute(mediaChart, 'brand-site', { on: brandEdge }).rule().to(feed);
  return { site };
}

const CERTIFICATES = [
  ['infra/wildcard', ['*.example.com', '*.media.example.com', '*.apps.example.com']],
  ['media/brand-tls', ['brand.example.com']],
] as const;

/** The Secrets that the listeners name. */
export const certificateObjects = (): RawObject[] =>
  CERTIFICATES.map(([id, names]) => {
    const [namespace, name] = id.split('/');
    const { certificate, privateKey } = issue(id, names);
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': btoa(certificate), 'tls.key': btoa(privateKey) },
    };
  });

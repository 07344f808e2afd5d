/** Listeners that teams make themselves: by a team without the right, and beyond the right of one that has it. */
import {
  type AtRuntime,
  asObjects,
  GATEWAY,
  gatewayApi,
  grantOf,
  httpRoute,
  NO_CONSTRUCT,
  type Violation,
} from './violation.ts';

const ADMINISTRATOR = { role: 'application administrator' } as const;
const BRAND = 'grant platform/shared-gw/brand (granted: brand.example.com)';

interface OwnListener {
  readonly hostname?: string;
  readonly port?: number;
  readonly protocol?: 'HTTP' | 'HTTPS';
  readonly secret?: { readonly name: string; readonly namespace?: string };
}

/** A ListenerSet named own with one listener, at port 443 with a Secret of the team unless said otherwise. */
const ownListener = (
  namespace: string,
  { hostname, port = 443, protocol = 'HTTPS', secret = { name: 'brand-tls' } }: OwnListener,
) =>
  gatewayApi(
    'ListenerSet',
    { name: 'own', namespace },
    {
      parentRef: { name: GATEWAY.name, namespace: 'infra' },
      listeners: [
        {
          name: 'own',
          port,
          protocol,
          ...(hostname === undefined ? {} : { hostname }),
          ...(protocol === 'HTTPS' ? { tls: { certificateRefs: [secret] } } : {}),
        },
      ],
    },
  );

const onOwn = (namespace: string, hostnames: readonly string[] | undefined) =>
  httpRoute({
    namespace,
    parentRefs: [{ kind: 'ListenerSet', name: 'own', namespace }],
    hostnames,
  });

/** By the team that has the right, by hand. */
const beyond = (
  name: string,
  violates: string,
  listener: OwnListener,
  { words, missing }: { words: readonly string[]; missing: string },
  runtime?: AtRuntime,
): Violation => ({
  name,
  by: 'media',
  ...ADMINISTRATOR,
  violates,
  code: asObjects('mediaChart'),
  typescript: NO_CONSTRUCT,
  javascript: { path: 'media/object-0', words: ['ListenerSet/media/own spec.listeners[0]', ...words] },
  objects: [
    ownListener('media', listener),
    onOwn('media', listener.hostname === undefined ? undefined : [listener.hostname]),
  ],
  missing,
  ...(runtime ? { runtime } : {}),
  threatens: 'http://shop.example.com/',
});

export const OWN_LISTENERS: readonly Violation[] = [
  {
    name: 'own-certificate-without-the-right',
    by: 'shop',
    ...ADMINISTRATOR,
    violates: 'a team brings a certificate for a hostname that the platform has one for',
    code: `new TeamCertificate(shopChart, 'own', { on: shopEdge, hostnames: ['shop.example.com'] });`,
    typescript: { at: 'on', words: ['this grant is not for certificates of the team'] },
    javascript: {
      path: 'shop/own',
      words: ['grant platform/shared-gw/shop is not for certificates of the team'],
    },
    objects: [ownListener('shop', { hostname: 'shop.example.com', secret: { name: 'shop-tls' } })],
    missing: grantOf('hostname shop.example.com with ownCertificates', 'shop'),
    threatens: 'http://media.example.com/',
  },
  {
    name: 'own-certificate-on-the-grant-of-another-team',
    by: 'shop',
    ...ADMINISTRATOR,
    violates: 'a team brings a certificate for a hostname of another team that has the right',
    code: `new TeamCertificate(shopChart, 'own', { on: brandEdge });`,
    typescript: { at: 'on', words: ['this grant is for team media, this chart belongs to team shop'] },
    javascript: {
      path: 'shop/own',
      words: ['grant platform/shared-gw/brand is for team media, this chart belongs to team shop'],
    },
    objects: [ownListener('shop', { hostname: 'brand.example.com' }), onOwn('shop', ['brand.example.com'])],
    missing: grantOf('hostname brand.example.com', 'shop'),
    threatens: 'http://brand.example.com/',
  },
  {
    ...beyond(
      'own-certificate-for-a-foreign-hostname',
      'a team with certificates of its own brings one for the hostname of another team',
      { hostname: 'shop.example.com' },
      { words: [], missing: grantOf('hostname shop.example.com', 'media') },
    ),
    code: `new TeamCertificate(mediaChart, 'own', { on: brandEdge, hostnames: ['shop.example.com'] });`,
    typescript: {
      at: `'shop.example.com'`,
      words: ['shop.example.com is outside this grant (granted: brand.example.com)'],
    },
    javascript: { path: 'media/own', words: [`hostname shop.example.com is outside ${BRAND}`] },
  },
  {
    ...beyond(
      'own-certificate-for-a-wildcard-above',
      'a team with certificates of its own brings one for a wildcard around its hostname',
      { hostname: '*.example.com' },
      { words: [], missing: grantOf('hostname *.example.com', 'media') },
    ),
    code: `new TeamCertificate(mediaChart, 'own', { on: brandEdge, hostnames: ['*.example.com'] });`,
    typescript: {
      at: `'*.example.com'`,
      words: ['*.example.com is outside this grant (granted: brand.example.com)'],
    },
    javascript: { path: 'media/own', words: [`hostname *.example.com is outside ${BRAND}`] },
  },
  beyond(
    'own-listener-for-every-hostname',
    'a team with certificates of its own makes a listener without a hostname',
    {},
    { words: [`.hostname: hostname * is outside ${BRAND}`], missing: grantOf('hostname *', 'media') },
  ),
  beyond(
    'own-listener-at-another-port',
    'a team with certificates of its own opens a port of the gateway',
    { hostname: 'brand.example.com', port: 8443 },
    {
      words: ['.port: HTTPS at port 8443 is outside', '(granted: HTTPS at port 443)'],
      missing: grantOf('hostname brand.example.com with ownCertificates for HTTPS at port 8443', 'media'),
    },
  ),
  beyond(
    'own-listener-without-tls',
    'a team with certificates of its own makes a listener that has none',
    { hostname: 'brand.example.com', port: 80, protocol: 'HTTP' },
    {
      words: ['.port: HTTP at port 80 is outside', '(granted: HTTPS at port 443)'],
      missing: grantOf('hostname brand.example.com with ownCertificates for HTTP at port 80', 'media'),
    },
  ),
  beyond(
    'own-certificate-of-the-platform',
    'a team serves the certificate of the platform at a listener of its own',
    { hostname: 'brand.example.com', secret: { name: 'wildcard', namespace: 'infra' } },
    {
      words: ['.tls.certificateRefs[0]: Secret infra/wildcard is not of team media in namespace media'],
      missing: 'the right to refer to Secrets of namespace infra, which no grant gives',
    },
    {
      says: [
        'no ReferenceGrant in namespace infra lets ListenerSet objects of namespace media refer to Secret',
      ],
    },
  ),
];

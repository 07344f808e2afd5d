/** Hostnames that were not granted, by name, by wildcard, by spelling. */
import { asObjects, GATEWAY, grantOf, httpRoute, type Violation } from './violation.ts';

const GRANTED = 'granted: shop.example.com, *.apps.example.com';

/** The API server takes no such object, and neither does anything that reads one. */
const NO_HOSTNAME = {
  runtime: {
    says: ['expected a lower-case DNS name, with "*." at most in front, without port or trailing dot'],
  },
} as const;

/** One hostname that shop asks for on its grant. */
function asked(name: string, hostname: string, violates: string, more: Partial<Violation> = {}): Violation {
  return {
    name,
    by: 'shop',
    role: 'application developer',
    violates,
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['${hostname}'] }).rule().to(cart);`,
    typescript: { at: `'${hostname}'`, words: [`${hostname} is outside this grant (${GRANTED})`] },
    javascript: {
      path: 'shop/r',
      words: [`hostname ${hostname} is outside grant platform/shared-gw/shop (${GRANTED})`],
    },
    objects: [httpRoute({ hostnames: [hostname] })],
    missing: grantOf(`hostname ${hostname}`, 'shop'),
    threatens: 'http://media.example.com/',
    ...more,
  };
}

export const HOSTNAMES: readonly Violation[] = [
  asked('foreign-hostname', 'media.example.com', 'a route serves the hostname of another team'),
  asked(
    'hostname-below-foreign-wildcard',
    'a.media.example.com',
    'a route serves a hostname below the wildcard of another team',
    {
      threatens: 'http://a.media.example.com/',
    },
  ),
  asked(
    'wildcard-above',
    '*.example.com',
    'a route serves a wildcard above the granted hostname, which covers all teams',
  ),
  asked(
    'wildcard-below-exact',
    '*.shop.example.com',
    'a route serves what lies below a hostname that was granted by itself',
  ),
  asked('foreign-wildcard', '*.media.example.com', 'a route serves the wildcard of another team', {
    threatens: 'http://b.media.example.com/',
  }),
  asked(
    'name-under-wildcard',
    'apps.example.com',
    'a route serves the name under which a granted wildcard stands',
  ),
  asked(
    'name-that-ends-alike',
    'evilapps.example.com',
    'a route serves a hostname that ends like a granted wildcard, without its dot',
  ),
  asked(
    'granted-name-as-prefix',
    'shop.example.com.evil.net',
    'a route serves a hostname that begins like a granted one',
  ),
  asked('every-hostname', '*', 'a route serves every hostname', NO_HOSTNAME),
  asked(
    'hostname-in-capitals',
    'MEDIA.example.com',
    'a route serves the hostname of another team in other case',
    NO_HOSTNAME,
  ),
  asked(
    'hostname-with-trailing-dot',
    'media.example.com.',
    'a route serves the hostname of another team as its absolute name',
    NO_HOSTNAME,
  ),
  asked(
    'hostname-with-port',
    'media.example.com:80',
    'a route serves the hostname of another team with a port behind it',
    NO_HOSTNAME,
  ),
  asked(
    'hostname-in-punycode',
    'xn--shp-sna.example.com',
    'a route serves a name that looks like a granted one (shöp.example.com)',
  ),
  asked(
    'hostname-in-unicode',
    'shöp.example.com',
    'a route serves a name that looks like a granted one',
    NO_HOSTNAME,
  ),
  asked('address-as-hostname', '127.0.0.1', 'a route serves an address in place of a hostname'),
  asked(
    'one-hostname-of-several',
    'media.example.com',
    'one of several hostnames of a route is that of another team',
    {
      code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['shop.example.com', 'media.example.com'] }).rule().to(cart);`,
      objects: [httpRoute({ hostnames: ['shop.example.com', 'media.example.com'] })],
    },
  ),
  asked('no-hostname', '*', 'a route without hostnames, on what several teams share, takes those of all', {
    code: `new TeamRoute(shopChart, 'r', { on: shared, hostnames: [] }).rule().to(cart);`,
    typescript: { at: 'on', words: ['a route attaches to a grant: gateway.grant(team, { hostnames })'] },
    javascript: {
      path: 'shop/r',
      words: [
        'takes a list of at least one text as hostnames',
        'this is []: leave hostnames out for its default',
      ],
      namesNoGrant: true,
    },
    objects: [httpRoute({ parentRefs: [GATEWAY], hostnames: undefined })],
    missing: grantOf('hostname *', 'shop'),
  }),
  asked(
    'unchecked-hostname',
    'media.example.com',
    'a hostname that is known only when the program runs is that of another team',
    {
      code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: [['media', 'example', 'com'].join('.')] }).rule().to(cart);`,
      typescript: {
        at: `['media', 'example', 'com'].join('.')`,
        words: ['a hostname known only at run time goes through grant.hostname(value)'],
      },
    },
  ),
  asked(
    'hostname-checked-elsewhere',
    'media.example.com',
    'a hostname was checked against the grant of another team',
    {
      code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: [mediaEdge.hostname(['media', 'example', 'com'].join('.'))] }).rule().to(cart);`,
      typescript: {
        at: `mediaEdge.hostname(['media', 'example', 'com'].join('.'))`,
        words: [
          `this hostname was checked against another grant (granted here: shop.example.com, *.apps.example.com)`,
        ],
      },
    },
  ),
  asked(
    'hostname-by-hand',
    'media.example.com',
    'an object beside the constructs serves the hostname of another team',
    {
      code: asObjects('shopChart'),
      typescript: { stoppedBy: 'synth', why: 'to the compiler an object of any kind is one' },
      javascript: {
        path: 'shop/object-0',
        words: ['HTTPRoute/shop/r spec.hostnames[0]', 'media.example.com'],
      },
    },
  ),
];

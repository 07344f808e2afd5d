/** What the compiler says to a team that asks for what it was not granted: the words, and where they stand. */
import { describe, expect, it } from '@jest/globals';
import { hostnameMatches } from '../../gateway-runtime/match/hostname.ts';
import { type Complaint, complaints } from './compiler.ts';
import { IMPORTS, PLATFORM } from './platform-program.ts';

interface Refused extends Omit<Complaint, 'line'> {
  readonly code: string;
}

const outside = (host: string, granted: string) =>
  `Type '"${host}"' is not assignable to type '"${host} is outside this grant (granted: ${granted})"'.`;

const REFUSED: Record<string, Refused> = {
  'the hostname of another team': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['shop.example.com', 'media.example.com'] });`,
    at: `'media.example.com'`,
    message: outside('media.example.com', 'shop.example.com, *.shop.example.com'),
  },
  'a wildcard above the granted one': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['*.example.com'] });`,
    at: `'*.example.com'`,
    message: outside('*.example.com', 'shop.example.com, *.shop.example.com'),
  },
  'the name under which a wildcard stands': {
    code: `new TeamRoute(shopChart, 'r', { on: wildEdge, hostnames: ['wild.example.com'] });`,
    at: `'wild.example.com'`,
    message: outside('wild.example.com', '*.wild.example.com'),
  },
  'a name that only ends like a granted one': {
    code: `new TeamRoute(shopChart, 'r', { on: wildEdge, hostnames: ['evilwild.example.com'] });`,
    at: `'evilwild.example.com'`,
    message: outside('evilwild.example.com', '*.wild.example.com'),
  },
  'a hostname in other case': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['Shop.example.com'] });`,
    at: `'Shop.example.com'`,
    message: outside('Shop.example.com', 'shop.example.com, *.shop.example.com'),
  },
  'a hostname with a trailing dot': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['shop.example.com.'] });`,
    at: `'shop.example.com.'`,
    message: outside('shop.example.com.', 'shop.example.com, *.shop.example.com'),
  },
  'a hostname outside both of two grants': {
    code: `new TeamRoute(shopChart, 'r', { on: [shopEdge, wildEdge], hostnames: ['media.example.com'] });`,
    at: `'media.example.com'`,
    message: outside('media.example.com', 'shop.example.com, *.shop.example.com, *.wild.example.com'),
  },
  'a hostname outside a long grant': {
    code: `new TeamRoute(shopChart, 'r', { on: manyEdge, hostnames: ['h59.example.com', 'h60.example.com'] });`,
    at: `'h60.example.com'`,
    message: outside(
      'h60.example.com',
      `${Array.from({ length: 8 }, (_, index) => `h${index}.example.com`).join(', ')}, and more`,
    ),
  },
  'a hostname known only at run time': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: [process.env.HOST!] });`,
    at: 'process.env.HOST!',
    message: `Type 'string' is not assignable to type '"a hostname known only at run time goes through grant.hostname(value)"'.`,
  },
  'a hostname checked against another grant': {
    code: `new TeamRoute(shopChart, 'r', { on: wildEdge, hostnames: [shopEdge.hostname(process.env.HOST!)] });`,
    at: 'shopEdge.hostname(process.env.HOST!)',
    message: `Type 'GrantedHostname<readonly ["shop.example.com", "*.shop.example.com"]>' is not assignable to type '"this hostname was checked against another grant (granted here: *.wild.example.com)"'.`,
  },
  'the gateway of another team': {
    code: `new TeamRoute(shopChart, 'r', { on: dataEdge });`,
    at: 'on',
    message: `"this grant is for team data, this chart belongs to team shop"`,
  },
  'a host that a dedicated gateway does not serve': {
    code: `new TeamRoute(plain, 'r', { on: dataEdge, hostnames: ['shop.example.com'] });`,
    at: `'shop.example.com'`,
    message: outside('shop.example.com', 'data.example.com'),
  },
  'a kind of route that is not granted': {
    code: `new TeamRoute(shopChart, 'r', { on: grpcEdge });`,
    at: 'on',
    message: `"this grant is not for HTTPRoute (granted: GRPCRoute)"`,
  },
  'one grant of several that is not for this kind': {
    code: `new TeamRoute(shopChart, 'r', { on: [shopEdge, grpcEdge] });`,
    at: 'grpcEdge',
    message: `"this grant is not for HTTPRoute (granted: GRPCRoute)"`,
  },
  'a gateway in place of a grant': {
    code: `new TeamRoute(shopChart, 'r', { on: shared, hostnames: ['shop.example.com'] });`,
    at: 'on',
    message: `"a route attaches to a grant: gateway.grant(team, { hostnames })"`,
  },
  'more of the gateway, by way of the grant': {
    code: `shopEdge.gateway.grant(shop, { name: 'more', hostnames: ['media.example.com'] });`,
    at: 'gateway',
    message: `Property 'gateway' does not exist on type`,
  },
  'one more hostname in a grant': {
    code: `shopEdge.hostnames.push('media.example.com');`,
    at: 'push',
    message: `Property 'push' does not exist on type`,
  },
  'a listener that is not granted': {
    code: `new TeamRoute(shopChart, 'r', { on: secureEdge, listeners: ['web'] });`,
    at: `'web'`,
    message: `Type '"web"' is not assignable to type '"secure"'.`,
  },
  'an open listener, granted': {
    code: `shared.grant(shop, { name: 'x', hostnames: ['x.example.com'], listeners: ['lobby'] });`,
    at: `'lobby'`,
    message: `Type '"lobby"' is not assignable to type '"web" | "secure"'.`,
  },
  'a granted listener, taken as open': {
    code: `shared.listener('secure');`,
    at: `'secure'`,
    message: `Argument of type '"secure"' is not assignable to parameter of type '"lobby" | "anything"'.`,
  },
  'another hostname than that of an open listener': {
    code: `new TeamRoute(shopChart, 'r', { on: shared.listener('lobby'), hostnames: ['hall.example.com'] });`,
    at: `'hall.example.com'`,
    message: outside('hall.example.com', 'lobby.example.com'),
  },
  'a gateway made in the chart of a team': {
    code: `new SharedGateway(shopChart, 'g', { listeners: { web: http(80) } });`,
    at: 'shopChart',
    message: `Argument of type 'TeamChart<"shop", undefined>' is not assignable to parameter of type '"a gateway is made by the platform, and this chart belongs to team shop"'.`,
  },
  'a dedicated gateway made in the chart of a team': {
    code: `new DedicatedGateway(shopChart, 'g', { team: shop, hostnames: ['s.example.com'], listeners: { web: http(80) } });`,
    at: 'shopChart',
    message: `Argument of type 'TeamChart<"shop", undefined>' is not assignable to parameter of type '"a gateway is made by the platform, and this chart belongs to team shop"'.`,
  },
  'the grant of another team in a construct that says whose it is': {
    code: `new TeamRoute(page, 'r', { on: dataEdge });`,
    at: 'on',
    message: `"this grant is for team data, this chart belongs to team shop"`,
  },
  'a gateway in a construct of a team': {
    code: `new SharedGateway(page, 'g', { listeners: { web: http(80) } });`,
    at: 'page',
    message: `"a gateway is made by the platform, and this chart belongs to team shop"`,
  },
  'the tree, by way of the grant': {
    code: `shopEdge.node;`,
    at: 'node',
    message: `Property 'node' does not exist on type`,
  },
  'another namespace for a team': {
    code: `shop.namespace = 'infra';`,
    at: 'namespace',
    message: `Cannot assign to 'namespace' because it is a read-only property.`,
  },
  'an imitation of a grant to be nested in': {
    code: `shared.grant(shop, { name: 'x', hostnames: ['x.shop.example.com'], nestedIn: { ...shopEdge } });`,
    at: 'nestedIn',
    message: `is not assignable to type 'AnyGrant | readonly AnyGrant[]`,
  },
  'a kind of route that nobody can be granted': {
    code: `shared.grant(shop, { name: 'x', hostnames: ['x.example.com'], kinds: ['ICMPRoute'] });`,
    at: `'ICMPRoute'`,
    message: `Type '"ICMPRoute"' is not assignable to type`,
  },
  'a grant without hostnames of routes that have them': {
    code: `shared.grant(shop, { name: 'x', listeners: ['web'] });`,
    at: `{ name: 'x', listeners: ['web'] }`,
    message: `Property 'hostnames' is missing in type`,
  },
  'the same where only some have none': {
    code: `shared.grant(shop, { name: 'x', listeners: ['web'], kinds: ['HTTPRoute', 'TCPRoute'] });`,
    at: `{ name: 'x', listeners: ['web'], kinds: ['HTTPRoute', 'TCPRoute'] }`,
    message: `Property 'hostnames' is missing in type`,
  },
  'a certificate from a Secret that the grant does not name': {
    code: `new TeamCertificate(shopChart, 'c', { on: ownEdge, secret: 'c-tls' });`,
    at: 'secret',
    message: `Type '"c-tls"' is not assignable to type '"a-tls" | "b-tls"`,
  },
  'a certificate on no grant': {
    code: `new TeamCertificate(shopChart, 'c', {});`,
    at: '{}',
    message: `Property 'on' is missing in type '{}'`,
  },
  'a certificate on what a chart says, which is not for any': {
    code: `new TeamCertificate(new TeamChart(app, 'more', { team: shop, on: shopEdge }), 'c', { secret: 'a-tls' });`,
    at: 'secret',
    message: `is not assignable to type 'undefined'`,
  },
  'hostnames of a TCPRoute': {
    code: `new TeamTcpRoute(shopChart, 'r', { on: portEdge, hostnames: ['own.example.com'] });`,
    at: 'hostnames',
    message: `'hostnames' does not exist in type 'TeamTcpRouteProps<`,
  },
  'hostnames of a grant of TCPRoutes': {
    code: `shared.grant(shop, { name: 'x', hostnames: ['x.example.com'], listeners: ['web'], kinds: ['TCPRoute'] });`,
    at: 'hostnames',
    message: `is not assignable to type 'undefined'`,
  },
  'ports without a word about which': {
    code: `shared.grant(shop, { name: 'x', kinds: ['TCPRoute', 'UDPRoute'] });`,
    at: `{ name: 'x', kinds: ['TCPRoute', 'UDPRoute'] }`,
    message: `Property 'listeners' is missing in type`,
  },
  'null for every hostname': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: null });`,
    at: 'hostnames',
    message: `Type 'null' is not assignable to type`,
  },
  'a misspelt key of a gateway': {
    code: `new SharedGateway(platform, 'g', { listeners: { web: http(80) }, clas: 'x' });`,
    at: 'clas',
    message: `'clas' does not exist in type 'SharedGatewayProps<`,
  },
  'a misspelt key of a team': {
    code: `new Team(platform, 't', { groups: 'x' });`,
    at: 'groups',
    message: `'groups' does not exist in type 'TeamProps'. Did you mean to write 'group'?`,
  },
  'a misspelt key of a listener': {
    code: `https(443, secretRef('wildcard', { namepace: 'x' }));`,
    at: 'namepace',
    message: `'namepace' does not exist in type 'SecretRefOptions'. Did you mean to write 'namespace'?`,
  },
  'a misspelt key of what a listener asks of clients': {
    code: `https(443, secretRef('wildcard'), { clientCertificates: { form: configMapRef('clients') } });`,
    at: 'form',
    message: `'form' does not exist in type 'ClientCertificateProps'`,
  },
  'client certificates of a listener without TLS': {
    code: `http(80, { clientCertificates: { from: configMapRef('clients') }, routes: allNamespaces() });`,
    at: 'clientCertificates',
    message: `'clientCertificates' does not exist in type 'OpenListenerProps<`,
  },
  'a Secret in the place of certificates of authorities': {
    code: `https(443, secretRef('wildcard'), { clientCertificates: { from: secretRef('clients') } });`,
    at: 'from',
    message: `'SecretRef' is not assignable to type 'ConfigMapRef | readonly ConfigMapRef[]'`,
  },
  'a misspelt key of a backend': {
    code: `service('cart', 80, { wieght: 3 });`,
    at: 'wieght',
    message: `'wieght' does not exist in type 'BackendOptions<never, false>'. Did you mean to write 'weight'?`,
  },
  'a misspelt key of a filter': {
    code: `rewrite({ hostnam: 'a' });`,
    at: 'hostnam',
    message: `'hostnam' does not exist in type 'RewriteProps'. Did you mean to write 'hostname'?`,
  },
  'a path without its slash': {
    code: `prefix('cart');`,
    at: `'cart'`,
    message: `Argument of type '"cart"' is not assignable to parameter of type '\`/\${string}\`'.`,
  },
  'a misspelt condition': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ header: { a: 'b' } });`,
    at: 'header',
    message: `Object literal may only specify known properties, but 'header' does not exist in type 'RuleProps<readonly [], TeamChart<"shop", undefined>, PathCondition<"Exact" | "PathPrefix" | "RegularExpression", string>, "/", "">'. Did you mean to write 'headers'?`,
  },
  'a method that is none': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ method: 'get' });`,
    at: 'method',
    message: `Type '"get"' is not assignable to type`,
  },
  'a time without its unit': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ timeouts: { request: '10' } });`,
    at: 'request',
    message: `Type '"10"' is not assignable to type`,
  },
  'a number of seconds': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ retry: { backoff: 10 } });`,
    at: 'backoff',
    message: `Type 'number' is not assignable to type`,
  },
  'a misspelt limit': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ timeouts: { requests: '10s' } });`,
    at: 'requests',
    message: `'requests' does not exist in type 'Timeouts'. Did you mean to write 'request'?`,
  },
  'a session that is shown in no known way': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule({ sessionPersistence: { type: 'Query' } });`,
    at: 'type',
    message: `Type '"Query"' is not assignable to type '"Cookie" | "Header" | undefined'.`,
  },
  'a mirror to a name': {
    code: `mirror('shadow');`,
    at: `'shadow'`,
    message: `Argument of type 'string' is not assignable to parameter of type 'ServiceConstruct | Backend<never, string, false>'.`,
  },
  'authorization on a backend': {
    code: `service('a', 80, { filters: [externalAuth(service('auth', 80))] });`,
    at: `externalAuth(service('auth', 80))`,
    message: `Type 'ExternalAuth & Toward<never, "auth", false>' is not assignable to type 'Filter'.`,
  },
  'an origin without its scheme': {
    code: `cors({ origins: ['app.example.com'] });`,
    at: `'app.example.com'`,
    message: `Type '"app.example.com"' is not assignable to type`,
  },
  'a canary with three shares': {
    code: `canary({ stable: service('a', 80), canary: service('b', 80), weights: [3, 1, 1] });`,
    at: 'weights',
    message: `Source has 3 element(s) but target allows only 2.`,
  },
  'a Service that a ReferenceGrant is not about': {
    code: `new ReferenceGrant(platform, 'lent', { from: shop, to: service('rows', 80) }).service('files', 80);`,
    at: `'files'`,
    message: `Argument of type '"files"' is not assignable to parameter of type '"rows"'.`,
  },
  'a canary of another team': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(canary({ stable: service('a', 80), canary: service('rows', 80, { namespace: 'data' }), weights: [3, 1] }));`,
    at: `canary({ stable: service('a', 80), canary: service('rows', 80, { namespace: 'data' }), weights: [3, 1] })`,
    message: `is in namespace data, which is not of team shop: take it from its owner, referenceGrant.service(name, port)`,
  },
  'a route without a grant in a chart that has no default': {
    code: `new TeamRoute(shopChart, 'r', { hostnames: ['shop.example.com'] });`,
    at: `{ hostnames: ['shop.example.com'] }`,
    message: `Property 'on' is missing in type`,
  },
  'a hostname outside of the default': {
    code: `new TeamRoute(new TeamChart(app, 'd', { team: shop, on: wildEdge }), 'r', { hostnames: ['shop.example.com'] });`,
    at: `'shop.example.com'`,
    message: outside('shop.example.com', '*.wild.example.com'),
  },
  'the grant of another team as default': {
    code: `new TeamChart(app, 'd', { team: shop, on: dataEdge });`,
    at: 'on',
    message: `"this grant is for team data, this chart belongs to team shop"`,
  },
  'a path outside of a delegation': {
    code: `new TeamRoute(plain, 'r', { on: shopEdge.delegate('/checkout', data) }).rule({ path: exact('/cart') });`,
    at: 'path',
    message: `'"/cart is outside this grant (granted: /checkout and all below)"'`,
  },
  'the same in the second match of a rule': {
    code: `new TeamRoute(plain, 'r', { on: shopEdge.delegate('/checkout', data) }).rule().or({ path: prefix('/') });`,
    at: 'path',
    message: `'"/ is outside this grant (granted: /checkout and all below)"'`,
  },
  'a path that was delegated twice': {
    code: `shopEdge.delegate('/checkout', data).remainder.delegate('/checkout/a', data);`,
    at: `'/checkout/a'`,
    message: `'"/checkout/a was delegated to another team (delegated: /checkout and all below)"'`,
  },
  'a delegation of all paths': {
    code: `shopEdge.delegate('/', data);`,
    at: `'/'`,
    message: `a path that is delegated has no \\"/\\" at its end, and something before it`,
  },
  'a delegation of a foreign hostname': {
    code: `shopEdge.delegate('/checkout', data, { hostnames: ['data.example.com'] });`,
    at: `'data.example.com'`,
    message: outside('data.example.com', 'shop.example.com, *.shop.example.com'),
  },
  'a redirect beside a backend': {
    code: `new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(service('a', 80), redirect({ scheme: 'https' }));`,
    at: `redirect({ scheme: 'https' })`,
    message: `Argument of type 'Redirect' is not assignable to parameter of type '"a redirect answers by itself: leave out what is beside it"'.`,
  },
};

const TAKEN: Record<string, string> = {
  'a granted hostname, and two that its wildcard covers': `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: ['shop.example.com', 'a.shop.example.com', '*.a.shop.example.com'] });`,
  'every hostname of the grant': `new TeamRoute(shopChart, 'r', { on: shopEdge });`,
  'hostnames of two grants': `new TeamRoute(shopChart, 'r', { on: [shopEdge, wildEdge], hostnames: ['shop.example.com', 'a.wild.example.com'] });`,
  'a checked hostname': `new TeamRoute(shopChart, 'r', { on: shopEdge, hostnames: [shopEdge.hostname(process.env.HOST!)] });`,
  'any hostname, where the grant is known only at run time': `new TeamRoute(shopChart, 'r', { on: laterEdge, hostnames: ['a.example.com'] });`,
  'any hostname at an open listener without one': `new TeamRoute(shopChart, 'r', { on: shared.listener('anything'), hostnames: ['a.example.com'] });`,
  'a grant of any team in a plain chart': `new TeamRoute(plain, 'r', { on: dataEdge, hostnames: ['data.example.com'] });`,
  'a granted route in a construct that says whose it is': `new TeamRoute(page, 'r', { on: shopEdge, hostnames: ['shop.example.com'] });`,
  // The type of a construct says nothing of the chart around it, so synth alone refuses this (tests/constructs/refused.test.ts).
  'the grant of another team in a construct that does not say whose it is': `new TeamRoute(new Construct(shopChart, 'c'), 'r', { on: dataEdge });`,
  'a certificate on what the chart says': `new TeamCertificate(new TeamChart(app, 'more', { team: shop, on: ownEdge }), 'c', { hostnames: ['own.example.com'], secret: 'b-tls' });`,
  'a TCPRoute on a port': `new TeamTcpRoute(shopChart, 'r', { on: portEdge, listeners: ['db'] }).to(service('db', 5432));`,
  'a gateway in a plain chart': `new SharedGateway(plain, 'g', { listeners: { web: http(80) } });`,
  'a Service of another team, from its owner': `const lent = new ReferenceGrant(new TeamChart(app, 'data', { team: data }), 'lent', { from: shop, to: [service('rows', 80), service('files', 80)] });
    new TeamRoute(shopChart, 'r', { on: shopEdge }).rule().to(lent.service('rows', 80, { weight: 3 }), service('own', 80, { namespace: 'shop' }));`,
  'a Service of any namespace in a plain chart': `new TeamRoute(plain, 'r', { on: shopEdge }).rule({ filters: [mirror(service('rows', 80, { namespace: 'data' }))] }).to(service('rows', 80, { namespace: 'data' }));`,
  'routes of a chart with a default': `const chart = new TeamChart(app, 'd', { team: shop, on: shopEdge });
    new TeamRoute(chart, 'a', {}).rule({ path: exact('/a') }).to(service('a', 80));
    new TeamRoute(chart, 'b', { hostnames: ['a.shop.example.com'], listeners: ['web'] }).rule().to(service('a', 80));
    new TeamRoute(chart, 'c', { on: wildEdge, hostnames: ['a.wild.example.com'] }).rule().to(service('a', 80));
    new TeamRoute(new TeamChart(app, 'e', { team: shop, on: [shopEdge, wildEdge] }), 'd', { hostnames: ['a.wild.example.com', 'shop.example.com'] }).rule().to(service('a', 80));`,
  'delegated paths, narrower ones, and what is left': `const checkout = shopEdge.delegate('/checkout', data, { hostnames: ['shop.example.com'] });
    const cards = checkout.delegate('/checkout/cards', data, { name: 'cards' });
    const rest = checkout.remainder.delegate('/admin', data, { name: 'admin' }).remainder;
    new TeamRoute(plain, 'a', { on: checkout }).rule().or({ path: prefix('/checkout/a') }).to(service('a', 80));
    new TeamRoute(plain, 'b', { on: cards, hostnames: ['shop.example.com'] }).rule({ path: exact('/checkout/cards') }).to(service('a', 80));
    new TeamRoute(shopChart, 'c', { on: rest }).rule({ path: prefix('/') }).or({ path: prefix('/checkouts') }).or({ path: regex('/a') }).to(service('a', 80));
    new TeamRoute(shopChart, 'd', { on: rest }).rule({ path: prefix(process.env.PATHNAME as '/') }).to(service('a', 80));`,
  'what is any': `declare const anything: any; new TeamRoute(shopChart, 'r', { on: anything, hostnames: ['media.example.com'] });`,
  'a function over any route': `export const count = (route: TeamRoute) => route.hostnames.length; count(new TeamRoute(shopChart, 'r', { on: shopEdge }));`,
  'a rule with everything': `new TeamRoute(shopChart, 'r', { on: shopEdge, listeners: ['web'] })
      .rule({ name: 'all', path: exact('/a'), method: 'GET', headers: { 'x-tier': regex('gold|silver') }, query: { q: '1' }, filters: [setHeaders({ a: 'b' }), mirror(service('d', 80), { percent: 10 }), cors({ origins: ['https://*.example.com'], maxAge: '10m' }), externalAuth(service('auth', 80), { path: '/check' })], timeouts: { request: '1h30m', backendRequest: Duration.seconds(10) }, retry: { attempts: 2, codes: [503], backoff: '25ms' }, sessionPersistence: { type: 'Header', sessionName: 'x-cart', absoluteTimeout: '1h' } })
      .or({ path: prefix('/b') })
      .to(service('a', 80, { weight: 3 }), canary({ stable: service('b', 80), canary: service('c', 80), weights: [3, 1] }))
      .rule().to(redirect({ scheme: 'https', status: 301 }));`,
};

const HOSTS = [
  'example.com',
  '*.example.com',
  'a.example.com',
  '*.a.example.com',
  'b.a.example.com',
  'xa.example.com',
  '*.com',
  'A.example.com',
  'a.example.com.evil.net',
  'localhost',
];
/** Every hostname asked for under a grant of every other, a line each. */
const PAIRS = HOSTS.flatMap((granted) => HOSTS.map((asked) => ({ granted, asked })));
const MATRIX = PAIRS.map(
  ({ granted, asked }, index) =>
    `new TeamRoute(plain, 'r${index}', { on: shared.grant(shop, { name: 'g${index}', hostnames: ['${granted}'] }), hostnames: ['${asked}'] });`,
).join('\n');

const fileOf = (title: string) => `${title.replaceAll(' ', '-')}.ts`;
const programs = Object.fromEntries([
  ['platform.ts', PLATFORM],
  ['matrix.ts', IMPORTS + MATRIX],
  ...Object.entries(REFUSED).map(([title, { code }]) => [fileOf(title), IMPORTS + code]),
  ...Object.entries(TAKEN).map(([title, code]) => [fileOf(title), IMPORTS + code]),
]);
const found = complaints(programs);

describe('the compiler', () => {
  it('takes the platform', () => {
    expect(found.get('platform.ts')).toEqual([]);
  });

  it.each(Object.entries(REFUSED))('refuses %s', (title, { at, message }) => {
    expect(found.get(fileOf(title))).toEqual([
      { at, message: expect.stringContaining(message), line: IMPORTS.split('\n').length - 1 },
    ]);
    const [firstLine] = found.get(fileOf(title))![0]!.message.split('\n');
    expect(firstLine!.length).toBeLessThan(360);
  });

  it('agrees with synth about every hostname under every grant', () => {
    const first = IMPORTS.split('\n').length - 1;
    const refused = new Set(found.get('matrix.ts')!.map(({ line }) => line - first));
    const byCompiler = PAIRS.filter((_, index) => refused.has(index));
    expect(byCompiler).toEqual(PAIRS.filter(({ granted, asked }) => !hostnameMatches(granted, asked)));
    expect(byCompiler.length).toBeGreaterThan(70);
  });

  it.each(Object.keys(TAKEN))('takes %s', (title) => {
    expect(found.get(fileOf(title))).toEqual([]);
  });
});

/** What the compiler refuses, synth refuses where there is no compiler: each call with its construct, what it found and what it takes. */
import { describe, expect, it } from '@jest/globals';
import { App, Chart } from 'cdk8s';
import { Service, ServiceType } from 'cdk8s-plus-25';
import {
  addHeaders,
  addResponseHeaders,
  DedicatedGateway,
  exact,
  GatewayRuntime,
  http,
  https,
  namespacesWith,
  objectsOf,
  PlatformChart,
  prefix,
  ReferenceGrant,
  redirect,
  regex,
  removeHeaders,
  removeResponseHeaders,
  rewrite,
  SharedGateway,
  secretRef,
  service,
  setHeaders,
  setResponseHeaders,
  synthesize,
  Team,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { storefront } from './storefront.ts';
import { errors } from './synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: as plain JavaScript would
type Any = any;

const web = { web: http(80) };
const cart = service('cart', 8080);

describe('constructs', () => {
  const made: Record<string, [make: (platform: Any, shop: Any, app: App) => void, expected: string[]]> = {
    'a gateway with a typo in each key': [
      (platform) =>
        new SharedGateway(platform, 'gw', {
          listeners: web,
          clas: 'x',
          nmae: 'y',
          teamListener: 'gateway',
        } as Any),
      [
        '[platform/gw] SharedGateway does not know clas: did you mean class?',
        '[platform/gw] SharedGateway does not know nmae: did you mean name?',
        '[platform/gw] SharedGateway does not know teamListener: did you mean teamListeners?',
      ],
    ],
    'a gateway with values of other types': [
      (platform) =>
        new SharedGateway(platform, 'gw', {
          listeners: { ...web, other: 8080 },
          class: 7,
          name: null,
          teamListeners: 'listenerset',
        } as Any),
      [
        '[platform/gw] SharedGateway takes listeners by name, { web: http(80) }, as listeners, and listeners.other is 8080',
        '[platform/gw] SharedGateway takes a GatewayRuntime, a class of one, or a name as class, this is 7',
        '[platform/gw] SharedGateway takes a text as name, this is null: leave name out for its default',
        `[platform/gw] SharedGateway takes 'listener-set' or 'gateway' as teamListeners, this is "listenerset"`,
      ],
    ],
    'a dedicated gateway for hostnames that are no list': [
      (platform, team) =>
        new DedicatedGateway(platform, 'gw', { listeners: web, team, hostnames: null, kind: [] } as Any),
      [
        '[platform/gw] DedicatedGateway does not know kind: did you mean kinds?',
        '[platform/gw] DedicatedGateway takes a list of at least one text as hostnames, this is null',
      ],
    ],
    'a team': [
      (platform) =>
        new Team(platform, 'web', { groups: 'web', clusterRoles: 'edit', labels: { a: 1 } } as Any),
      [
        '[platform/web] Team does not know groups: did you mean group?',
        '[platform/web] Team takes a list of at least one text as clusterRoles, this is "edit"',
        '[platform/web] Team takes texts by name as labels, and labels.a is 1',
      ],
    ],
    charts: [
      (_, team, app) => {
        new TeamChart(app, 'own', { team, namespace: 'infra', lables: {} } as Any);
        new PlatformChart(app, 'other', { namespace: 3 } as Any);
      },
      [
        '[own] TeamChart does not know namespace: it takes labels, disableResourceNameHashes, team, on',
        '[own] TeamChart does not know lables: did you mean labels?',
        '[other] PlatformChart takes a text as namespace, this is 3',
      ],
    ],
    'a runtime and its classes': [
      (platform) => {
        new GatewayRuntime(platform, 'typo', {
          imag: 'a:1',
          classes: {},
          replicas: '2',
          permissions: 'all',
        } as Any);
        new GatewayRuntime(platform, 'class', {
          image: 'a:1',
          classes: {
            a: { descripton: 'x' },
            b: { parametersRef: { grup: 'x', kind: 'P', name: 'p' } },
          } as Any,
        });
      },
      [
        '[platform/typo] GatewayRuntime does not know imag: did you mean image?',
        '[platform/typo] GatewayRuntime takes a text as image, this is undefined',
        '[platform/typo] GatewayRuntime takes a number as replicas, this is "2"',
        `[platform/typo] GatewayRuntime takes 'namespaced' or 'cluster' as permissions, this is "all"`,
        '[platform/class] class a: it does not know descripton: did you mean description?',
        '[platform/class] class b: parametersRef does not know grup: did you mean group?',
        '[platform/class] class b: parametersRef takes a text as group, this is undefined',
      ],
    ],
    'a ReferenceGrant': [
      (platform, team) => {
        new ReferenceGrant(platform, 'none', { form: team, to: cart } as Any);
        new ReferenceGrant(platform, 'text', { from: team, to: 'cart' } as Any);
      },
      [
        '[platform/none] ReferenceGrant does not know form: did you mean from?',
        '[platform/none] ReferenceGrant takes teams or gateways as from, this is undefined',
        '[platform/text] ReferenceGrant takes services, secretRef(name) or configMapRef(name) as to, this is "cart"',
      ],
    ],
    listeners: [
      (platform) =>
        new SharedGateway(platform, 'gw', {
          listeners: {
            port: http('80' as Any),
            route: http(80, { route: namespacesWith({}) } as Any),
            from: http(80, { routes: namespacesWith({ a: 1 } as Any) }),
            bare: (https as Any)(443),
            text: https(443, 'wildcard' as Any),
            secret: https(443, secretRef('a', { namepace: 'b' } as Any)),
            name: https(443, secretRef(undefined as Any)),
          },
        }),
      [
        '[platform/gw] listener port: http() takes a number as port, this is "80"',
        '[platform/gw] listener route: http() does not know route: did you mean routes?',
        '[platform/gw] listener route: http() takes allNamespaces(), sameNamespace() or namespacesWith({ name: value }) as routes, this is undefined',
        '[platform/gw] listener from: http() takes allNamespaces(), sameNamespace() or namespacesWith({ name: value }) as routes, this is {"from":"Selector","labels":{"a":1}}',
        '[platform/gw] listener bare: https() takes secretRef(name) as certificates, this is undefined',
        '[platform/gw] listener text: https() takes secretRef(name) as certificates, this is "wildcard"',
        '[platform/gw] listener secret: secretRef() does not know namepace: did you mean namespace?',
        '[platform/gw] listener name: secretRef() takes a text as name, this is undefined',
      ],
    ],
  };

  it.each(Object.entries(made))('refuse %s', (_, [make, expected]) => {
    const app = new App();
    const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
    make(platform, new Team(platform, 'shop'), app);
    expect(errors(app)).toEqual(expected);
    expect(() => objectsOf(app)).not.toThrow();
  });

  it('without what they can not be made of throw at once, with their path', () => {
    const app = new App();
    expect(() => new (TeamChart as Any)(app, 'shop', { teem: 'shop' })).toThrow(
      "shop: TeamChart does not know teem: did you mean team?; TeamChart takes a team with name and namespace as team, this is undefined: new TeamChart(app, 'shop', { team })",
    );
    expect(() => new (TeamChart as Any)(app, 'bare')).toThrow('bare: TeamChart takes an object with');
    expect(() => new (DedicatedGateway as Any)(new Chart(app, 'platform'), 'gw', { listeners: web })).toThrow(
      'platform/gw: a dedicated gateway takes a team with name and namespace, this is undefined',
    );
    expect(() => (synthesize as Any)(app, { strcit: true })).toThrow(
      'synthesize() does not know strcit: did you mean strict?',
    );
  });
});

describe('routes', () => {
  const problemsOf = (write: (route: Any, chart: Chart) => void, props: object = {}) => {
    const { app, chart, shopEdge } = storefront();
    const route = new TeamRoute(chart, 'r', { on: shopEdge, ...props });
    write(route, chart);
    expect(() => objectsOf(app)).not.toThrow();
    return errors(app).map((line) => line.replace('[shop/r] ', '').replace('spec.rules[0] (prefix /): ', ''));
  };

  it.each([
    ['hostnames', null, 'this is null: leave hostnames out for its default'],
    ['hostnames', [], 'this is []: leave hostnames out for its default'],
    ['hostnames', 'shop.example.com', 'this is "shop.example.com"'],
    ['listeners', null, 'this is null: leave listeners out for its default'],
    ['listeners', [], 'this is []: leave listeners out for its default'],
  ])('do not take %s: %j for all of them', (key, value, end) => {
    expect(problemsOf((route) => route.rule().to(cart), { [key]: value })).toEqual([
      `TeamRoute takes a list of at least one text as ${key}, ${end}`,
    ]);
  });

  const REFUSED: [string, (route: Any, chart: Chart) => void, string][] = [
    [
      'a path of another type',
      (r) => r.rule({ path: exact(3 as Any) }).to(cart),
      `this is {"type":"Exact","value":3}`,
    ],
    [
      'no path',
      (r) => r.rule({ path: null }).to(cart),
      'as path, this is null: leave path out for its default',
    ],
    [
      'an expression of another type',
      (r) => r.rule({ query: { q: regex(/a/ as Any) } }).to(cart),
      'and query.q is {',
    ],
    [
      'a method that is no text',
      (r) => r.rule({ method: 1 }).to(cart),
      'rule() takes a text as method, this is 1',
    ],
    [
      'no match',
      (r) => r.rule().or(null).to(cart),
      'or() takes an object with path, headers, query, method, this is null',
    ],
    [
      'a redirect among the filters',
      (r) => r.rule({ filters: [redirect({})] }).to(cart),
      'rule() takes a list of filters, such as [setHeaders({ name: value })], as filters, and filters[0] is {"type":"RequestRedirect"',
    ],
    [
      'a typo in rewrite()',
      (r) => r.rule({ filters: [rewrite({ hostnam: 'a' } as Any)] }).to(cart),
      'rewrite() does not know hostnam: did you mean hostname?',
    ],
    [
      'a path in rewrite() that is text',
      (r) => r.rule({ filters: [rewrite({ path: '/' } as Any)] }).to(cart),
      `rewrite() takes replacePath('/...') or replacePrefix('/...') as path, this is "/"`,
    ],
    [
      'a typo in redirect()',
      (r) => r.rule().to(redirect({ scheme: 'https', statusCode: 301 } as Any)),
      'redirect() does not know statusCode: it takes scheme, hostname, path, port, status',
    ],
    [
      'a port in redirect() that is text',
      (r) => r.rule().to(redirect({ port: '443', scheme: 'ftp' } as Any)),
      `redirect() takes 'http' or 'https' as scheme, this is "ftp"`,
    ],
    [
      'no options of redirect()',
      (r) => r.rule().to((redirect as Any)()),
      'redirect() takes an object with scheme, ',
    ],
    ...Object.entries({ setHeaders, addHeaders, setResponseHeaders, addResponseHeaders }).map(
      ([name, make]): [string, (route: Any) => void, string] => [
        `a number in ${name}()`,
        (r) => r.rule({ filters: [make({ 'x-a': 1 } as Any)] }).to(cart),
        `${name}() takes texts by name as headers, and headers.x-a is 1`,
      ],
    ),
    ...Object.entries({ removeHeaders, removeResponseHeaders }).map(
      ([name, make]): [string, (route: Any) => void, string] => [
        `a list in ${name}()`,
        (r) => r.rule({ filters: [make(['x-a'] as Any)] }).to(cart),
        `${name}() takes a list of at least one text as names, and names[0] is ["x-a"]`,
      ],
    ),
    [
      'a typo in service()',
      (r) => r.rule().to(service('cart', 8080, { wieght: 3 } as Any)),
      'service cart: service() does not know wieght: did you mean weight?',
    ],
    [
      'a port in service() that is text',
      (r) => r.rule().to(service('cart', '8080' as Any)),
      'service cart: service() takes a number as port, this is "8080"',
    ],
    [
      'a name in service() that is none',
      (r) => r.rule().to(service(7 as Any, 80)),
      'service 7: service() takes a text as name, this is 7',
    ],
    [
      'a weight in service() that is text',
      (r) => r.rule().to(service('cart', 8080, { weight: '3' } as Any)),
      'service cart: service() takes a number as weight, this is "3"',
    ],
    [
      'a backend by hand',
      (r) => r.rule().to({ ...cart, wieght: 3 }),
      'service cart: service() does not know wieght: did you mean weight?',
    ],
    [
      'filters of a backend by hand',
      (r) => r.rule().to({ ...cart, filters: [null] }),
      'service cart: service() takes a list of filters that can stand on a backend, such as [setHeaders({ name: value })], as filters, and filters[0] is null',
    ],
    [
      'a split by hand',
      (r) => r.rule().to({ backends: [null] }),
      '.to() takes service(), canary(), a Service construct or redirect(), this is {"backends":[null]}',
    ],
    [
      'no options for a Service',
      (r, chart) => r.rule().to(service(new Service(chart, 's', { ports: [{ port: 1 }] }), null as Any)),
      'service() takes an object with weight, namespace, lent, filters, port, this is null',
    ],
    [
      'a filter of a backend',
      (r) => r.rule().to(service('cart', 8080, { filters: [rewrite({ pth: 1 } as Any)] })),
      'service cart: rewrite() does not know pth: did you mean path?',
    ],
    [
      'a Service without ports',
      (r, chart) =>
        r.rule().to(
          new Service(chart, 's', {
            metadata: { name: 's' },
            type: ServiceType.EXTERNAL_NAME,
            externalName: 'a.b',
          }),
        ),
      'service s: service() takes a number as port, this is undefined',
    ],
    [
      'a chart',
      (r, chart) => r.rule().to(chart),
      '.to() takes service(), canary(), a Service construct or redirect(), this is TeamChart shop',
    ],
  ];

  it.each(REFUSED)('refuse %s', (_, write, expected) => {
    const [problem, ...others] = problemsOf(write);
    expect(problem).toContain(expected);
    expect(others.length).toBeLessThan(2);
  });

  it('take everything that is undefined for what is left out', () => {
    const none = { hostnames: undefined, listeners: undefined, name: undefined };
    const write = (route: Any) =>
      route
        .rule({ path: prefix('/a'), headers: undefined, method: undefined, filters: undefined })
        .to(service('cart', 8080, { weight: undefined, namespace: undefined }));
    expect(problemsOf(write, none)).toEqual([]);
  });
});

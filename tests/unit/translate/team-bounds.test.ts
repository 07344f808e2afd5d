/** What the status of a Grant says of RoutePolicies: the loosest bounds of all places where routes of the team may be. */
import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { HttpRule } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import { generator } from '../../support/random.ts';
import { gateway, gatewayClass, http, https, listenerSet, route, statusOf, to, translated } from './build.ts';

const OWN = 'gatewright.dev/v1alpha1';
const nameOf = (path: string) => {
  const [namespace, name] = path.split('/');
  return { namespace, name };
};
const ASKING = { annotations: { 'gatewright.dev/granted-listeners': '*' } };

/** Of the listener web of a Gateway, unless said otherwise. */
const granted = (path: string, gatewayName: string, team: string, more: object = {}): RawObject => ({
  apiVersion: OWN,
  kind: 'Grant',
  metadata: nameOf(path),
  spec: {
    gatewayName,
    team,
    namespace: team,
    grants: [
      {
        name: team,
        hostnames: ['*.example.com'],
        kinds: ['HTTPRoute'],
        listeners: [{ kind: 'Gateway', name: gatewayName, sectionNames: ['web'] }],
        ...more,
      },
    ],
  },
});
const policy = (path: string, target: object, spec: object): RawObject => ({
  apiVersion: OWN,
  kind: 'GatewayPolicy',
  metadata: nameOf(path),
  spec: { targetRefs: [target], ...spec },
});
/** Forced at a Gateway, by a policy of its name. */
const forced = (path: string, overrides: object) =>
  policy(path, { kind: 'Gateway', name: path.split('/')[1] }, { overrides });
const bytes = (value: number) => ({ maxRequestBytes: value });
const by = (path: string, field: string) => `GatewayPolicy ${path} (spec.${field})`;

const edge = (path = 'infra/a', listeners = [http('web')]) => gateway(path, listeners, {}, ASKING);
const boundsIn = (objects: readonly RawObject[], grant = 'infra/a-shop') =>
  statusOf(translated(objects), 'Grant', grant).bounds;
const ONE = [edge(), granted('infra/a-shop', 'a', 'shop'), forced('infra/a', bytes(10))];
const TEN = { maxRequestBytes: { value: 10, by: by('infra/a', 'overrides.maxRequestBytes') } };

describe('the bounds of a team', () => {
  it('are those of its listeners, each thing by the policy that says it', () => {
    const all = {
      overrides: {
        httpsRedirect: { statusCode: 301 },
        ipAllow: ['10.0.0.0/9', '10.128.0.0/9'],
        responseHeaders: { set: [{ name: 'X-A', value: 'a' }], remove: ['server'] },
        minTlsVersion: 'TLSv1.3',
      },
      defaults: {
        maxRequestBytes: { default: 5, max: 10 },
        requestTimeout: { min: '1s', default: '2s', max: '1m' },
      },
    };
    expect(boundsIn([...ONE.slice(0, 2), policy('infra/p', { kind: 'Gateway', name: 'a' }, all)])).toEqual({
      maxRequestBytes: { value: 10, by: by('infra/p', 'defaults.maxRequestBytes.max') },
      minRequestTimeout: { value: '1s', by: by('infra/p', 'defaults.requestTimeout.min') },
      maxRequestTimeout: { value: '1m', by: by('infra/p', 'defaults.requestTimeout.max') },
      httpsRedirect: { values: ['301 to port 443'], by: by('infra/p', 'overrides.httpsRedirect') },
      ipAllow: { values: ['10.0.0.0/8'], by: by('infra/p', 'overrides.ipAllow') },
      responseHeaders: [
        { name: 'server', values: [], removable: true, by: by('infra/p', 'overrides.responseHeaders') },
        { name: 'x-a', values: ['a'], removable: false, by: by('infra/p', 'overrides.responseHeaders') },
      ],
    });
    // Where somebody has a default, teams may say what they like.
    const usual = {
      defaults: { httpsRedirect: {}, ipAllow: ['10.0.0.0/8'], maxRequestBytes: { default: 5 } },
    };
    expect(boundsIn([...ONE.slice(0, 2), policy('infra/p', { kind: 'Gateway', name: 'a' }, usual)])).toEqual(
      {},
    );
  });

  it('are the strictest of all that is over a listener, and the loosest of all listeners', () => {
    const two = edge('infra/a', [http('web'), https('secure', 'cert')]);
    const ofBoth = { listeners: [{ kind: 'Gateway', name: 'a', sectionNames: ['web', 'secure'] }] };
    const ofOne = (section: string, overrides: object) =>
      policy(`infra/${section}`, { kind: 'Gateway', name: 'a', sectionName: section }, { overrides });
    const objects = [two, granted('infra/a-shop', 'a', 'shop', ofBoth), forced('infra/a', bytes(10))];
    expect(boundsIn([...objects, ofOne('web', bytes(5))])).toEqual(TEN);
    expect(boundsIn([...objects, ofOne('web', bytes(5)), ofOne('secure', bytes(7))])).toEqual({
      maxRequestBytes: { value: 7, by: by('infra/secure', 'overrides.maxRequestBytes') },
    });
    expect(boundsIn([...objects, ofOne('web', { requestTimeout: '1s' })])).toEqual(TEN);
    // Redirects are those of listeners without TLS.
    const words = { values: ['308 to port 443'], by: by('infra/web', 'overrides.httpsRedirect') };
    expect(boundsIn([...objects, ofOne('web', { httpsRedirect: {} })])).toEqual({
      ...TEN,
      httpsRedirect: words,
    });
    expect(boundsIn([...objects, ofOne('secure', { httpsRedirect: {} })])).toEqual(TEN);
  });

  it('of two Gateways are what one of them takes, in the Grants of both', () => {
    const objects = [
      ...ONE,
      edge('edge/b'),
      granted('edge/b-shop', 'b', 'shop'),
      forced('edge/b', { ipAllow: ['192.0.2.0/24'], responseHeaders: { set: [{ name: 'X', value: 'b' }] } }),
    ];
    expect(boundsIn(objects)).toEqual({});
    const more = {
      maxRequestBytes: 20,
      ipAllow: ['10.0.0.0/8'],
      responseHeaders: { set: [{ name: 'x', value: 'a' }], remove: ['y'] },
    };
    const both = [...objects.toSpliced(2, 1), forced('infra/a', { ...more, maxRequestBytes: 20 })];
    const byBoth = (field: string) => `${by('edge/b', field)} and ${by('infra/a', field)}`;
    const bounds = boundsIn(both);
    expect(bounds).toEqual({
      ipAllow: { values: ['10.0.0.0/8', '192.0.2.0/24'], by: byBoth('overrides.ipAllow') },
      responseHeaders: [
        { name: 'x', values: ['b', 'a'], removable: false, by: byBoth('overrides.responseHeaders') },
      ],
    });
    expect(boundsIn(both, 'edge/b-shop')).toEqual(bounds);
  });

  it('count a listener that asks for no Grant, and one in the namespace of the team', () => {
    const same = { allowedRoutes: { namespaces: { from: 'Same' } } };
    expect(boundsIn([...ONE, gateway('other/open', [http('web')])])).toEqual({});
    expect(boundsIn([...ONE, gateway('other/open', [http('web', 80, same)])])).toEqual(TEN);
    expect(boundsIn([...ONE, gateway('shop/own', [http('web', 80, same)], {}, ASKING)])).toEqual({});
    const selecting = (name: string) => ({
      allowedRoutes: {
        namespaces: { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
      },
    });
    expect(boundsIn([...ONE, gateway('other/open', [http('web', 80, selecting('shop'))])])).toEqual({});
    expect(boundsIn([...ONE, gateway('other/open', [http('web', 80, selecting('media'))])])).toEqual(TEN);
  });

  it('count no listener that takes no HTTPRoutes, and no Gateway of another controller', () => {
    expect(boundsIn([...ONE, gateway('other/ports', [http('db', 5432, { protocol: 'TCP' })])])).toEqual(TEN);
    const translator = new Translator({ regex: re2 });
    const objects = [
      gatewayClass('ours'),
      gatewayClass('theirs', 'example.com/other'),
      ...ONE,
      gateway('other/open', [http('web')], { gatewayClassName: 'theirs' }),
    ];
    translator.apply(objects.map((set) => ({ set })));
    expect(statusOf(translator.current, 'Grant', 'infra/a-shop').bounds).toEqual(TEN);
  });

  it('count listeners that the team may bring, as far as the Gateway itself is under a policy', () => {
    const own = granted('infra/a-shop', 'a', 'shop', {
      listeners: [],
      ownListeners: [{ port: 443, protocol: 'HTTPS' }],
    });
    const objects = [edge(), own, forced('infra/a', bytes(10))];
    expect(boundsIn(objects)).toEqual(TEN);
    const set = listenerSet('shop/own', 'infra/a', [https('own', 'cert', { hostname: 'a.example.com' })]);
    const ofSet = policy('shop/own', { kind: 'ListenerSet', name: 'own' }, { overrides: bytes(5) });
    expect(boundsIn([...objects, set, ofSet])).toEqual(TEN);
  });

  it('are left out where they are more than can be listed, so that nothing is refused for them', () => {
    const headers = (length: number) => ({
      ...bytes(10),
      responseHeaders: {
        set: Array.from({ length: 16 }, (_, index) => ({ name: `x-${index}`, value: 'v'.repeat(length) })),
      },
    });
    const under = (overrides: object) => boundsIn([...ONE.slice(0, 2), forced('infra/a', overrides)]);
    expect(under(headers(3900)).responseHeaders).toHaveLength(16);
    expect(under(headers(4096))).toEqual(TEN);
    const networks = (first: number) =>
      Array.from({ length: 64 }, (_, index) => `10.${first}.${2 * index}.0/24`);
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => [
        edge(`infra/g${index}`),
        granted(`infra/g${index}-shop`, `g${index}`, 'shop'),
        forced(`infra/g${index}`, { ipAllow: networks(index) }),
      ]).flat();
    expect(boundsIn(many(4), 'infra/g0-shop').ipAllow?.values).toHaveLength(256);
    expect(boundsIn(many(5), 'infra/g0-shop')).toEqual({});
  });

  it('follow policies, Grants and Gateways, and are told of anew where they are others', () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    const objects = [...ONE, edge('edge/b'), granted('edge/b-media', 'b', 'media')];
    translator.apply(objects.map((set) => ({ set })));
    const changed = (...changes: Parameters<Translator['apply']>[0]) =>
      [...translator.apply(changes).statuses].flatMap(([, status]) =>
        status?.kind === 'Grant' ? [[status.ref.name, status.bounds.maxRequestBytes?.value]] : [],
      );
    expect(changed({ set: forced('infra/a', bytes(20)) })).toEqual([['a-shop', 20]]);
    expect(changed({ set: forced('edge/b', bytes(30)) })).toEqual([['b-media', 30]]);
    expect(changed({ set: granted('edge/b-shop', 'b', 'shop') }).sort()).toEqual([
      ['a-shop', 30],
      ['b-shop', 30],
    ]);
    expect(changed({ set: gateway('other/open', [http('web')]) }).sort()).toEqual([
      ['a-shop', undefined],
      ['b-media', undefined],
      ['b-shop', undefined],
    ]);
    const ref = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'other', name: 'open' };
    expect(changed({ remove: ref }).sort()).toEqual([
      ['a-shop', 30],
      ['b-media', 30],
      ['b-shop', 30],
    ]);
  });

  it('let be all that is in force somewhere, for random platforms', () => {
    const random = generator(11);
    const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    let [inForce, beyond] = [0, 0];
    for (let run = 0; run < 300; run++) {
      const asking = () => (random() < 0.8 ? ASKING : {});
      const from = () => ({ allowedRoutes: { namespaces: { from: one(['All', 'All', 'Same']) } } });
      const gateways = ['infra/a', 'infra/b', 'shop/c'];
      const objects = gateways.flatMap((path) => [
        gateway(path, [http('web', 80, from()), http('more', 81, from())], {}, asking()),
        ...(random() < 0.8 ? [forced(path, bytes(one([5, 10])))] : []),
        ...(random() < 0.4
          ? [
              policy(
                `${path}-web`,
                { kind: 'Gateway', name: path.split('/')[1], sectionName: one(['web', 'more']) },
                { defaults: { maxRequestBytes: { max: one([5, 20]) } } },
              ),
            ]
          : []),
      ]);
      const some = gateways.filter((path) => path === 'infra/a' || random() < 0.4);
      const grants = some.map((path) => granted(`${path}-shop`, path.split('/')[1]!, 'shop'));
      const asked = one([6, 11, 21]);
      const mine = {
        apiVersion: OWN,
        kind: 'RoutePolicy',
        metadata: nameOf('shop/r'),
        spec: { targetRefs: [{ kind: 'HTTPRoute', name: 'r' }], maxRequestBytes: asked },
      };
      const r = route('shop/r', gateways, [to('cart:80')], { hostnames: ['a.example.com'] });
      const { snapshots, statuses } = translated([...objects, ...grants, mine, r]);
      const status = statuses.get('Grant/infra/a-shop');
      const { maxRequestBytes: bound } = status?.kind === 'Grant' ? status.bounds : {};
      const rules = [...snapshots.values()].flatMap(({ resources }) =>
        resources.filter((each): each is HttpRule => each.type === 'http-rule'),
      );
      const isInForce = rules.some((each) => each.maxRequestBytes === asked);
      if (isInForce) expect(bound?.value ?? asked).toBeGreaterThanOrEqual(asked);
      // The route is at all of them, so that what is in force nowhere is beyond what is listed.
      else if (rules.length > 0) expect(bound?.value).toBeLessThan(asked);
      if (isInForce) inForce++;
      else if (rules.length > 0) beyond++;
    }
    expect(Math.min(inForce, beyond)).toBeGreaterThan(50);
  });
});

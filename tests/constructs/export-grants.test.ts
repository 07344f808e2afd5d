/** Two repositories: that of the platform writes what a team was granted, and that of the team imports it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import { type GrantData, importGrant, prefix, service, Team, TeamChart, TeamRoute } from 'gatewright';
import { complaints } from '../types/compiler.ts';
import { storefront } from './storefront.ts';
import { errors, named, warnings } from './synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'grants-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The module and the JSON of the grants of a team. */
function exported(made: Pick<ReturnType<typeof storefront>, 'platform'>, team = 'shop') {
  const file = join(folder, `${team}.ts`);
  made.platform.exportGrants(file);
  const json = readFileSync(join(folder, `${team}.json`), 'utf8');
  return { text: readFileSync(file, 'utf8'), json: JSON.parse(json) as Exported };
}

interface Exported {
  readonly team: { readonly name: string; readonly namespace: string };
  readonly grants: Readonly<Record<string, GrantData>>;
}

/** What the repository of the team has, whatever the platform does. */
const TEAM = `
import { App } from 'cdk8s';
import { prefix, service, TeamChart, TeamRoute } from 'gatewright';
import { grants, team } from './grants.ts';
const chart = new TeamChart(new App(), 'shop', { team, on: grants.shop });
new TeamRoute(chart, 'a', { hostnames: ['a.shop.example.com'] }).rule().to(service('a', 80));
new TeamRoute(chart, 'b', { listeners: ['web'] }).rule({ path: prefix('/checkout') }).to(service('a', 80));
`;
const MORE = `new TeamRoute(chart, 'c', { hostnames: ['media.example.com'] });`;

const wide = storefront();
const given = storefront();
given.shopEdge.delegate('/checkout', new Team(given.platform, 'payments'));
/** As if it were another commit of the platform's repository. */
const narrow = storefront(['shop.example.com']);
const texts = { wide: exported(wide).text, narrow: exported(narrow).text, given: exported(given).text };
const inFolder = (name: string, text: string) => text.replace('./grants.ts', `./${name}.ts`);
const found = complaints({
  'wide.ts': texts.wide,
  'team-of-wide.ts': inFolder('wide', TEAM),
  'team-that-wants-more.ts': inFolder('wide', TEAM + MORE),
  'narrow.ts': texts.narrow,
  'team-of-narrow.ts': inFolder('narrow', TEAM),
  'given.ts': texts.given,
  'team-of-given.ts': inFolder('given', TEAM),
});
const messagesOf = (file: string) => found.get(file)!.map(({ at, message }) => [at, message]);

describe('exported grants', () => {
  it('compile, for the platform and for the team, and hold the team to them', () => {
    for (const file of ['wide.ts', 'narrow.ts', 'given.ts', 'team-of-wide.ts'])
      expect(messagesOf(file)).toEqual([]);
    expect(messagesOf('team-that-wants-more.ts')).toEqual([
      [
        `'media.example.com'`,
        `Type '"media.example.com"' is not assignable to type '"media.example.com is outside this grant (granted: shop.example.com, *.shop.example.com)"'.`,
      ],
    ]);
  });

  it('break the compile of the team where they are narrower than before', () => {
    expect(messagesOf('team-of-narrow.ts')).toEqual([
      [
        `'a.shop.example.com'`,
        `Type '"a.shop.example.com"' is not assignable to type '"a.shop.example.com is outside this grant (granted: shop.example.com)"'.`,
      ],
    ]);
    expect(messagesOf('team-of-given.ts')).toEqual([
      [
        'path',
        expect.stringContaining(
          '/checkout was delegated to another team (delegated: /checkout and all below)',
        ),
      ],
    ]);
  });

  it('make the same objects as the grants themselves, without a word of what is elsewhere', () => {
    const { json } = exported(storefront());
    const app = new App();
    const chart = new TeamChart(app, 'shop', {
      team: json.team,
      on: importGrant(json.grants.shop!) as never,
    });
    const { app: whole, chart: own, shopEdge } = storefront();
    const write = (scope: TeamChart, props: object) =>
      new TeamRoute(scope as never, 'r', { hostnames: ['shop.example.com'], ...props } as never)
        .rule()
        .to(service('cart', 8080));
    write(chart as never, {});
    write(own as never, { on: shopEdge });
    expect(named(app, 'HTTPRoute', 'r')).toEqual(named(whole, 'HTTPRoute', 'r'));
    expect(warnings(app)).toEqual([expect.stringContaining('Service shop/cart does not exist')]);
  });

  it('are held to at synth, in plain JavaScript', () => {
    const made = storefront();
    made.shopEdge.delegate('/checkout', new Team(made.platform, 'payments'));
    const { json } = exported(made);
    const app = new App();
    const on = importGrant(json.grants.shop!);
    const chart = new TeamChart(app, 'shop', { team: json.team });
    new TeamRoute(chart as never, 'a', { on, hostnames: ['media.example.com'] } as never)
      .rule()
      .to(service('cart', 80));
    new TeamRoute(chart as never, 'b', { on } as never)
      .rule({ path: prefix('/checkout') })
      .to(service('a', 80));
    new TeamRoute(new TeamChart(app, 'media', { team: made.media }) as never, 'c', { on } as never)
      .rule()
      .to(service('a', 80));
    expect(errors(app)).toEqual([
      '[shop/a] hostnames[0]: hostname media.example.com is outside grant platform/shared-gw/shop (granted: shop.example.com, *.shop.example.com). Missing: a grant of hostname media.example.com at gateway infra/shared-gw to team shop',
      '[shop/b] spec.rules[0] (prefix /checkout): matches[0].path: path /checkout lies below /checkout, which was delegated to team payments',
      '[media/c] grant platform/shared-gw/shop is for team shop, this chart belongs to team media. Missing: a grant of hostnames shop.example.com, *.shop.example.com at gateway infra/shared-gw to team media',
    ]);
    expect(() => (on as unknown as typeof made.shopEdge).delegate('/x', made.media)).toThrow(
      'grant platform/shared-gw/shop was made in another repository, which has the listeners: delegate there, and export the grants anew',
    );
  });

  it('have a name each, and the delegated ones too', () => {
    const made = storefront();
    const payments = new Team(made.platform, 'payments');
    made.shopEdge.delegate('/checkout', payments);
    made.shared.grant(payments, { hostnames: ['payments.example.com'] });
    made.shared.grant(payments, { name: 'more', hostnames: ['more.example.com'] });
    const { json } = exported(made, 'payments');
    expect(json.team).toEqual({ name: 'payments', namespace: 'payments' });
    expect(
      Object.entries(json.grants).map(([name, { hostnames, paths }]) => [name, hostnames, paths]),
    ).toEqual([
      ['shared-gw/shop/payments', ['shop.example.com', '*.shop.example.com'], ['/checkout']],
      ['shared-gw/payments', ['payments.example.com'], ['/']],
      ['more', ['more.example.com'], ['/']],
    ]);
  });

  it('are written only where they changed', () => {
    const file = join(folder, 'shop.ts');
    exported(storefront());
    utimesSync(file, 1, 1);
    exported(storefront());
    expect(statSync(file).mtimeMs).toBe(1000);
    exported(storefront(['shop.example.com']));
    expect(statSync(file).mtimeMs).toBeGreaterThan(1000);
  });

  it('are refused where they are none', () => {
    const { platform, media } = storefront();
    expect(() => platform.exportGrants(join(folder, 'nobody.ts'))).toThrow(
      /^platform: exportGrants\('.*nobody\.ts'\) found no grants of team nobody: grant first, or name the team/,
    );
    expect(() => platform.exportGrants('grants/shop')).toThrow(
      "exportGrants() takes the name of a module, such as 'grants/shop.ts', this is grants/shop",
    );
    const other = join(folder, 'other.ts');
    platform.exportGrants(other, media);
    expect(readFileSync(other, 'utf8')).toContain('export const team = {"name":"media","namespace":"media"}');
    const [data] = Object.values(exported(storefront()).json.grants);
    expect(() => importGrant({ ...data!, hostname: [] } as never)).toThrow(
      'importGrant() does not know hostname: did you mean hostnames?: have the platform export its grants anew',
    );
    expect(() => importGrant({ ...data!, places: [{ kind: 'Service' }] } as never)).toThrow(
      'importGrant() takes a list of listeners as places',
    );
  });

  it('are given to no team where synth would refuse them', () => {
    const made = storefront(['shop.example.com']);
    const payments = new Team(made.platform, 'payments');
    made.shopEdge.delegate('/checkout', payments, { hostnames: ['a.shop.example.com' as never] });
    const file = join(folder, 'payments-refused.ts');
    expect(() => made.platform.exportGrants(file, payments)).toThrow(
      `exportGrants('${file}') writes nothing, since synth would refuse this: platform/shared-gw/shop/payments: hostname a.shop.example.com is outside grant platform/shared-gw/shop (granted: shop.example.com).`,
    );
    expect(existsSync(file)).toBe(false);
  });
});

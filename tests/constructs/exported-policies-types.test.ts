/** What the compiler says in the repository of a team of what its platform enforces, and that synth says it where there is no compiler. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { App } from 'cdk8s';
import {
  type DefaultPolicy,
  type EnforcedPolicy,
  type GrantData,
  importGrant,
  service,
  TeamChart,
  TeamRoute,
} from 'gatewright';
import { complaints } from '../types/compiler.ts';
import { storefront } from './storefront.ts';
import { errors } from './synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'policies-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Exported {
  readonly module: string;
  readonly data: GrantData;
}

/** What the platform writes for team shop where it says this. */
function exported({ enforce, defaults }: { enforce?: EnforcedPolicy; defaults?: DefaultPolicy }): Exported {
  const { platform, shared } = storefront();
  if (enforce) shared.enforce(enforce);
  if (defaults) shared.defaults(defaults);
  platform.exportGrants(join(folder, 'shop.ts'));
  const read = (extension: string) => readFileSync(join(folder, `shop.${extension}`), 'utf8');
  return { module: read('ts'), data: JSON.parse(read('json')).grants.shop };
}

/** The same of a grant that says something else. */
function changed({ module, data }: Exported, change: (data: GrantData) => GrantData): Exported {
  const text = JSON.stringify(data, undefined, 2).replaceAll('\n', '\n  ');
  if (!module.includes(text)) throw new Error('the module is not the JSON');
  const other = change(data);
  return { module: module.replace(text, JSON.stringify(other)), data: other };
}

/** Without what only newer exports have. */
const asBefore = ({ policies: _, places, ...data }: GrantData): GrantData => ({
  ...data,
  places: places.map(({ protocol: __, port: ___, ...place }) => place),
});

/** Of the listeners with TLS alone. */
const ofSecure = ({ places, ...data }: GrantData): GrantData => ({
  ...data,
  listeners: ['secure'],
  places: places.filter(({ listener }) => listener === 'secure'),
});

const bytes = exported({ enforce: { maxRequestBytes: 10_485_760 } });
const redirect = exported({ enforce: { httpsRedirect: true } });
const PLATFORMS = {
  bytes,
  redirect,
  other: exported({ enforce: { httpsRedirect: { statusCode: 301, port: 8443 } } }),
  plain: exported({ enforce: { httpsRedirect: false } }),
  bounds: exported({ defaults: { maxRequestBytes: { default: 5, max: 99 } } }),
  secure: changed(redirect, ofSecure),
  older: changed(bytes, asBefore),
} as const;
type Platform = keyof typeof PLATFORMS;

const more = (asked: string, most: string) =>
  `${asked} is more than gateway infra/shared-gw lets routes take (at most: ${most})`;
const forces = (forced: string) => `gateway infra/shared-gw enforces httpsRedirect: ${forced}`;

const REFUSED: readonly (readonly [Platform, string, string])[] = [
  ['bytes', '{ maxRequestBytes: 10_485_761 }', more('10485761', '10485760')],
  ['bytes', '{ maxRequestBytes: 20_485_760 }', more('20485760', '10485760')],
  ['bytes', '{ maxRequestBytes: 100_000_000 }', more('100000000', '10485760')],
  ['bounds', '{ maxRequestBytes: 100 }', more('100', '99')],
  ['redirect', '{ httpsRedirect: false }', forces('308 to port 443')],
  ['redirect', '{ httpsRedirect: 301 }', forces('308 to port 443')],
  ['redirect', '{ httpsRedirect: { port: 8443 } }', forces('308 to port 443')],
  ['other', '{ httpsRedirect: true }', forces('301 to port 8443')],
  ['plain', '{ httpsRedirect: true }', forces('no redirect')],
];

const TAKEN: readonly (readonly [Platform, string])[] = [
  ['bytes', '{ maxRequestBytes: 10_485_760 }'],
  ['bytes', '{ maxRequestBytes: 9_999_999, httpsRedirect: false }'],
  ['bytes', '{ maxRequestBytes: 10_475_761 }'],
  ['bytes', '{}'],
  ['bounds', '{ maxRequestBytes: 99 }'],
  ['bounds', '{ maxRequestBytes: 0 }'],
  ['redirect', '{ httpsRedirect: true }'],
  ['redirect', '{ httpsRedirect: 308 }'],
  ['redirect', '{ httpsRedirect: { statusCode: 308 }, maxRequestBytes: 1 }'],
  ['other', '{ httpsRedirect: { statusCode: 301, port: 8443 } }'],
  ['plain', '{ httpsRedirect: false }'],
  ['secure', '{ httpsRedirect: false }'],
  ['older', '{ maxRequestBytes: 100_000_000, httpsRedirect: false }'],
];

/** Of these the compiler sees the type and no value, so synth alone tells. */
const UNSEEN: readonly (readonly [Platform, string])[] = [
  ['bytes', '{ maxRequestBytes: 11 * 1024 * 1024 }'],
  ['bytes', '{ maxRequestBytes: Number("100000000") }'],
  ['redirect', '{ httpsRedirect: Boolean(0) }'],
];

const program = (platform: Platform, values: string) => `
import { App } from 'cdk8s';
import { TeamChart, TeamRoute } from 'gatewright';
import { grants, team } from './${platform}.ts';
const chart = new TeamChart(new App(), 'shop', { team, on: grants.shop });
new TeamRoute(chart, 'r', {}).policy(${values});`;

const all = [...REFUSED, ...TAKEN, ...UNSEEN];
const nameOf = (platform: Platform, values: string) =>
  `of-${platform}-${all.findIndex(([a, b]) => a === platform && b === values)}.ts`;
const found = complaints({
  ...Object.fromEntries(Object.entries(PLATFORMS).map(([name, { module }]) => [`${name}.ts`, module])),
  ...Object.fromEntries(
    all.map(([platform, values]) => [nameOf(platform, values), program(platform, values)]),
  ),
});
const messages = (file: string) => found.get(file)!.map(({ message }) => message);

/** What synth says of the same values in plain JavaScript. */
function synthOf(platform: Platform, values: string): string[] {
  const chart = new TeamChart(new App(), 'shop', { team: { name: 'shop', namespace: 'shop' } });
  const on = importGrant(PLATFORMS[platform].data);
  const route = new TeamRoute(chart, 'r', { on } as never).rule().to(service('cart', 8080));
  const given = new Function(`return (${values});`)();
  if (Object.keys(given).length > 0) route.policy(given);
  return errors(chart.node.root as App);
}

describe('in the repository of a team', () => {
  it('the modules that the platform writes compile', () => {
    for (const name of Object.keys(PLATFORMS)) expect(messages(`${name}.ts`)).toEqual([]);
  });

  it.each(REFUSED)('of %s, %s is an error that says what is enforced', (platform, values, sentence) => {
    const said = messages(nameOf(platform, values));
    expect(said).toEqual([expect.stringMatching(/^Type '.*' is not assignable to type '".*"'\.$/)]);
    expect(said[0]).toContain(`"${sentence}"`);
    expect(synthOf(platform, values)).toEqual([expect.stringContaining('does not let it be so')]);
  });

  it.each(TAKEN)('of %s, %s compiles, and synth takes it', (platform, values) => {
    expect(messages(nameOf(platform, values))).toEqual([]);
    expect(synthOf(platform, values)).toEqual([]);
  });

  it.each(UNSEEN)('of %s, %s is for synth alone to see', (platform, values) => {
    expect(messages(nameOf(platform, values))).toEqual([]);
    expect(synthOf(platform, values)).toEqual([expect.stringContaining('does not let it be so')]);
  });
});

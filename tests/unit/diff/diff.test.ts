/** Corners of the comparison that small random configurations do not reach. */
import { describe, expect, it } from '@jest/globals';
import { diff } from '../../../gateway-runtime/diff/diff.ts';
import { hostOf } from '../../../gateway-runtime/diff/hosts.ts';
import { textsFor } from '../../../gateway-runtime/diff/regex-texts.ts';
import { reported } from '../../../gateway-runtime/diff/report.ts';
import { diffText } from '../../../gateway-runtime/diff/text.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { Resource } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { to } from '../../support/gateway.ts';
import { listener, prefix, type RuleFields, regex, rule, snapshot } from '../match/snapshots.ts';

const mapOf = (...resources: Resource[]) => new Map([['infra/gw', snapshot(...resources)]]);
const compare = (before: Resource[], after: Resource[]) =>
  diff(mapOf(listener('web'), ...before), mapOf(listener('web'), ...after), { regex: re2 });
const sending = (backend: string, fields: RuleFields) =>
  rule({ ...fields, rest: { backends: [to(backend)], ...fields.rest } });

describe('a comparison', () => {
  it('of many rules at one path finds those of one header value, and those that ask for another header', () => {
    const tenants = Array.from({ length: 40 }, (_, i) =>
      sending('one', { route: `shop/tenant-${i}`, matches: [{ headers: { 'x-tenant': `t${i}` } }] }),
    );
    const both = sending('both', {
      route: 'shop/both',
      matches: [{ headers: { 'x-tier': 'gold', 'x-beta': 'yes' } }],
    });
    const edited = sending('two', { route: 'shop/tenant-7', matches: [{ headers: { 'x-tenant': 't7' } }] });
    const regions = compare(
      [...tenants, both],
      tenants.map((each, i) => (i === 7 ? edited : each)).concat(both),
    );
    expect(regions).toHaveLength(1);
    expect(regions[0]!.witness!.headers).toEqual([['x-tenant', 't7']]);
    // What the rule with two headers takes is not among it.
    const others = regions[0]!.extents[0]!.others;
    expect(others.map(({ headers }) => headers.map(({ name }) => name))).toEqual([['x-tier', 'x-beta']]);
  });

  it('of rules that match on Host knows that only its canonical form is ever seen', () => {
    const named = (backend: string, host: string) =>
      sending(backend, { route: 'shop/named', hostnames: ['a.example'], matches: [{ headers: { host } }] });
    const witnessOf = (host: string) => compare([named('one', host)], [named('two', host)])[0]?.witness;
    expect(witnessOf('a.example:8080')?.headers).toEqual([['host', 'a.example:8080']]);
    expect(witnessOf('A.example')).toBeUndefined();
    expect(witnessOf('a.example.')).toBeUndefined();
  });

  it('says that requests are lost for a hostname that a listener of protocol TLS takes', () => {
    const secure = listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/own'] });
    const mail = { port: 443, protocol: 'TLS', tlsMode: 'Terminate', hostname: 'mail.example' } as const;
    const web = sending('one', { on: ['secure'] });
    const regions = compare(
      [secure, web],
      [secure, web, listener('mail', { ...mail, certificates: ['infra/own'] })],
    );
    expect(diffText(regions.map((each) => reported(each)))).toEqual(
      expect.arrayContaining([
        'LOST: answered with an error now',
        '    after     no HTTP: connections to the listener mail go where TLSRoutes say',
        '    try       GET https://mail.example/',
      ]),
    );
  });

  it('says what 500 hosts fall back to in one region', () => {
    const hosts = Array.from({ length: 500 }, (_, i) =>
      sending('one', {
        route: `shop/host-${i}`,
        hostnames: [`h${i}.example`],
        matches: [{ path: prefix('/api') }],
      }),
    );
    const fallback = (backend: string) =>
      sending(backend, { route: 'shop/fallback', hostnames: ['*.example'] });
    const regions = compare([...hosts, fallback('one')], [...hosts, fallback('two')]);
    expect(regions).toHaveLength(1);
    expect(regions[0]!.extents.map((each) => each.hosts.length).sort((a, b) => a - b)).toEqual([1, 500]);
    expect(diffText(regions.map((each) => reported(each)))).toEqual([
      'MOVED: answered by another backend or redirect',
      '  *.example /*',
      '    without   /api/* at some of the hosts',
      '    before    shop/one:80',
      '              HTTPRoute shop/fallback spec.rules[0]',
      '    after     shop/two:80',
      '    try       GET http://www.example/',
    ]);
  });

  it('tells a session that begins anew, since another rule has it', () => {
    const session = { session: { type: 'Cookie', name: 'c' } } as const;
    const before = sending('one', { route: 'shop/a', rest: { backends: [to('one')], ...session } });
    const after = sending('one', { route: 'shop/b', rest: { backends: [to('one')], ...session } });
    const [region, ...more] = compare([before], [after]);
    expect(more).toEqual([]);
    expect(region!.severity).toBe('altered');
    expect(reported(region!).after.text).toMatch(/; sessions begin anew$/);
  });

  it('finds requests for expressions, also where others must not match', () => {
    const expressions = ['/v[0-9]{2}/(items|things)/\\d+', '/[^/]+/x', '.*\\.(png|jpe?g)', '/(?i:cart)/.*'];
    for (const each of expressions) {
      const before = sending('one', { matches: [{ path: regex(each) }] });
      const after = sending('two', { matches: [{ path: regex(each) }] });
      expect(compare([before], [after]).map(({ witness }) => witness?.path)).toEqual([
        expect.stringMatching(new RegExp(`^(?:${each.replace('(?i:cart)', '[cC]art')})$`)),
      ]);
    }
  });
});

describe('what a witness is made of', () => {
  it('is a host of a wildcard that no other hostname takes', () => {
    expect(hostOf('*', new Set(['*']))).toBe('any.example');
    expect(hostOf('*.a.com', new Set(['*', '*.a.com', 'www.a.com', 'www1.a.com']))).toBe('www2.a.com');
    expect(hostOf('*', new Set(['*', '*.example', 'any.example1']))).toBe('any.example2');
  });

  it('is a text of an expression, and none of what is not understood', () => {
    expect(textsFor('a{2}(b|c)?')).toEqual(expect.arrayContaining(['aa', 'aab', 'aac']));
    expect(textsFor('/[a-z]+/x', ['shop'])).toContain('/shop/x');
    for (const each of ['(', '[a', 'a**', '\\pL', '[[:alpha:]]', 'a{2000}', '(?!x)']) {
      expect(textsFor(each)).toEqual([]);
    }
    expect(textsFor(`${'(a*)*'.repeat(50)}`).length).toBeLessThanOrEqual(24);
  });
});

describe('what a rule asks before its filters', () => {
  const said = (before: RuleFields['rest'], after: RuleFields['rest']) =>
    diffText(
      compare([sending('one', { rest: before! })], [sending('one', { rest: after! })]).map((each) =>
        reported(each),
      ),
    );
  const severities = (before: RuleFields['rest'], after: RuleFields['rest']) =>
    compare([sending('one', { rest: before! })], [sending('one', { rest: after! })]).map(
      ({ severity }) => severity,
    );

  it('is part of what becomes of requests', () => {
    const lines = said({}, { allow: ['10.0.0.0/8'], maxRequestBytes: 1024 });
    expect(lines.join(' ').replace(/ +/g, ' ')).toContain(
      'after shop/one:80; clients from 10.0.0.0/8; others get 403; a body of at most 1024 bytes, or 413',
    );
  });

  it('loses requests where clients came in that do not any more', () => {
    const wide = { allow: ['10.0.0.0/8'] };
    const narrow = { allow: ['10.0.0.0/9'] };
    expect(severities({}, wide)).toEqual(['lost']);
    expect(severities(wide, narrow)).toEqual(['lost']);
    expect(severities(narrow, wide)).toEqual(['altered']);
    expect(severities(narrow, {})).toEqual(['altered']);
    expect(severities(wide, { allow: ['10.0.0.0/9', '10.128.0.0/9'] })).toEqual(['altered']);
    expect(severities(wide, { allow: [] })).toEqual(['lost']);
    expect(severities({ allow: [] }, wide)).toEqual(['new']);
    expect(severities(wide, wide)).toEqual([]);
    expect(severities({ maxRequestBytes: 1 }, { maxRequestBytes: 2 })).toEqual(['altered']);
  });

  it('of redirects counts as well', () => {
    const filters = [{ type: 'RequestRedirect', config: { status: 301, scheme: 'https' } }];
    expect(severities({ filters }, { filters, allow: ['10.0.0.0/8'] })).toEqual(['lost']);
    expect(severities({ filters }, { filters, maxRequestBytes: 1 })).toEqual(['altered']);
  });

  it('of TLS lets in less', () => {
    const secure = (fields: object) =>
      listener('secure', { port: 443, protocol: 'HTTPS', certificates: ['infra/own'], ...fields });
    const web = sending('one', { on: ['secure'] });
    const regions = compare([secure({}), web], [secure({ minTlsVersion: 'TLSv1.3' }), web]);
    expect(regions.map(({ severity }) => severity)).toEqual(['lost']);
    expect(diffText(regions.map((each) => reported(each))).join(' ')).toMatch(/and TLS +1\.3/);
    expect(compare([secure({}), web], [secure({ minTlsVersion: 'TLSv1.2' }), web])).toEqual([]);
  });
});

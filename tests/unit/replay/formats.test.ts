/** Lines of access logs, as the programs that write them do, and what is none. */
import { describe, expect, it } from '@jest/globals';
import { FORMATS, formatOf } from '../../../gateway-runtime/replay/formats/index.ts';
import type { ReadLine } from '../../../gateway-runtime/replay/logged-request.ts';

const formatNamed = (name: string) => FORMATS.find((each) => each.name === name)!;

/** With the headers that are known as an object. */
function read(format: string, line: string): unknown {
  const found: ReadLine = formatNamed(format).read(line);
  return 'headers' in found ? { ...found, headers: Object.fromEntries(found.headers) } : found;
}

const COMBINED =
  '192.0.2.1 - ada [15/Apr/2026:20:17:00 +0000] "GET /cart?a=1 HTTP/1.1" 200 612 "-" "curl/8.5"';
/** As nearly all are: of nobody that logged in. */
const ANONYMOUS = COMBINED.replace('ada', '-');
const ENVOY =
  '[2026-04-15T20:17:00.310Z] "POST /orders HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "a "b" c" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "shop.example.com:8443" "10.0.2.1:80"';
const TRAEFIK = {
  RequestMethod: 'GET',
  RequestHost: 'shop.example.com',
  RequestPath: '/cart?a=1',
  RequestScheme: 'https',
  DownstreamStatus: 200,
  'request_X-Tier': 'gold',
  'request_X-Api-Key': 'REDACTED',
};
const OWN = {
  time: '2026-04-15T20:17:00.310Z',
  gateway: 'infra/gw',
  port: 443,
  scheme: 'https',
  method: 'GET',
  host: 'shop.example.com',
  path: '/cart',
  status: 200,
  matched: { headers: { 'x-tier': null, 'x-api-key': true }, query: { page: '1' } },
  team: 'shop',
  namespace: 'shop',
  route: 'store',
  rule: 1,
  backend: 'shop/cart/8080',
};

describe('a line is read', () => {
  it('of nginx combined', () => {
    expect(read('nginx', COMBINED)).toEqual({
      method: 'GET',
      target: '/cart?a=1',
      host: undefined,
      headers: { referer: null, 'user-agent': 'curl/8.5' },
      status: 200,
    });
  });

  it.each([
    ['shop.example.com', 'shop.example.com'],
    ['shop.example.com:443', 'shop.example.com:443'],
    ['-', undefined],
  ])('of vhost_combined, with the host %s', (written, host) => {
    expect(read('nginx-vhost', `${written} ${COMBINED}`)).toMatchObject({ host, target: '/cart?a=1' });
  });

  it('with what was escaped in it, by nginx and by Apache', () => {
    const line = COMBINED.replace('curl/8.5', 'a\\x22b\\\\c\\"d\\x09');
    expect(read('nginx', line)).toMatchObject({ headers: { 'user-agent': 'a"b\\c"d\t' } });
  });

  it("of Envoy's default, also where a user agent has quotes", () => {
    expect(read('envoy', ENVOY)).toEqual({
      method: 'POST',
      target: '/orders',
      host: 'shop.example.com:8443',
      headers: { 'user-agent': 'a "b" c' },
      status: 204,
    });
    expect(read('envoy', ENVOY.replace(' 204 ', ' 0 '))).toMatchObject({ status: undefined });
  });

  it("of Traefik's JSON, with headers that it keeps", () => {
    expect(read('traefik', JSON.stringify(TRAEFIK))).toEqual({
      method: 'GET',
      host: 'shop.example.com',
      target: '/cart?a=1',
      scheme: 'https',
      headers: { 'x-tier': 'gold', 'x-api-key': true },
      status: 200,
    });
  });

  it('of our own', () => {
    expect(read('gatewright', JSON.stringify(OWN))).toEqual({
      method: 'GET',
      host: 'shop.example.com',
      target: '/cart',
      headers: { 'x-tier': null, 'x-api-key': true },
      query: new Map([['page', '1']]),
      port: 443,
      scheme: 'https',
      gateway: 'infra/gw',
      status: 200,
      served: { rule: 'shop/store 1', team: 'shop', backend: 'shop/cart:8080' },
    });
  });
});

describe('a line tells of no request', () => {
  it.each([
    ['nginx', COMBINED.replace('GET /cart?a=1 HTTP/1.1', '\\x16\\x03\\x01')],
    ['nginx', COMBINED.replace('GET /cart?a=1 HTTP/1.1', '-')],
    ['nginx', COMBINED.replace('/cart?a=1', '/a b')],
    ['envoy', ENVOY.replace('POST /orders HTTP/2', '- - -').replace(' 204 ', ' 400 ')],
    ['gatewright', JSON.stringify({ ...OWN, host: '', path: '', status: 400 })],
    [
      'gatewright',
      JSON.stringify({
        time: OWN.time,
        gateway: 'infra/gw',
        protocol: 'TLS',
        scheme: 'tls',
        host: 'a.example',
      }),
    ],
    [
      'gatewright',
      JSON.stringify({ time: OWN.time, gateway: 'infra/gw', status: 400, failure: 'malformed-request' }),
    ],
  ])('%s: %s', (format, line) => {
    expect(read(format, line)).toEqual({ noRequest: true });
  });
});

describe('a line is refused', () => {
  it.each([
    ['nginx', 'hello', /no line of the format combined/],
    ['nginx', `shop.example.com ${COMBINED}`, /no line of the format combined/],
    ['nginx', COMBINED.replace('" 200', '" 20'), /no line of the format combined/],
    ['nginx-vhost', COMBINED, /no line of the format vhost_combined/],
    ['nginx-vhost', ANONYMOUS, /no line of the format vhost_combined/],
    ['envoy', COMBINED, /no line of Envoy's/],
    ['traefik', '{"RequestMethod":"GET"', /no JSON object/],
    ['traefik', '{"RequestMethod":"GET"}', /no RequestMethod, RequestHost and RequestPath/],
    ['gatewright', '[1]', /no JSON object/],
    ['gatewright', JSON.stringify({ ...OWN, method: 'G T' }), /no method, host and path/],
    ['gatewright', JSON.stringify({ ...OWN, scheme: 'ftp' }), /found the scheme "ftp"/],
    ['gatewright', JSON.stringify({ ...OWN, path: `/${'x'.repeat(2047)}` }), /its path is cut after 2048/],
    ['gatewright', JSON.stringify({ ...OWN, matched: { headers: { 'x-tier': 1 } } }), /other values than/],
    ['gatewright', JSON.stringify({ ...OWN, matched: { query: [] } }), /other values than/],
  ])('%s: %s', (format, line, problem) => {
    expect(read(format, line)).toEqual({ problem: expect.stringMatching(problem) });
  });
});

describe('the format of a log', () => {
  it.each([
    ['nginx', COMBINED],
    ['nginx', ANONYMOUS],
    ['nginx-vhost', `shop.example.com ${COMBINED}`],
    ['nginx-vhost', `shop.example.com:443 ${ANONYMOUS}`],
    ['nginx-vhost', `- ${ANONYMOUS}`],
    ['envoy', ENVOY],
    ['traefik', JSON.stringify(TRAEFIK)],
    ['gatewright', JSON.stringify(OWN)],
  ])('%s is known by its lines', (name, line) => {
    expect(formatOf([line])?.name).toBe(name);
    expect(formatOf([line, 'torn', line])?.name).toBe(name);
  });

  it('is not known where most lines are of none', () => {
    expect(formatOf(['torn', COMBINED, 'torn'])).toBeUndefined();
  });
});

/** From whom a rule takes requests, by what a socket says of its other end; over real sockets: tests/live/allowed-clients.test.ts. */
import { expect, it } from '@jest/globals';
import type { Exchange } from '../../../gateway-runtime/proxy/exchange.ts';
import { Admission } from '../../../gateway-runtime/proxy/pipeline/admission.ts';

function statusFor(allow: readonly string[], remoteAddress: string): number | undefined {
  const exchange = { connection: { remoteAddress }, outcome: {} } as Exchange;
  return new Admission({ allow }).refuse(exchange)?.status;
}

it.each<[string, string, string, number | undefined]>([
  ['an IPv4 address', '10.0.0.0/8', '10.1.2.3', undefined],
  ['an IPv4 address that the socket says as IPv6', '10.0.0.0/8', '::ffff:10.1.2.3', undefined],
  ['one of all of IPv6, then', '::/0', '::ffff:10.1.2.3', 403],
  ['an IPv6 address', 'fd00::/8', 'fd12::1', undefined],
  ['one of a link, whose interface is said', 'fe80::/10', 'fe80::1%eth0', undefined],
  ['one of a link, from elsewhere', 'fd00::/8', 'fe80::1%eth0', 403],
  ['none, as of a connection that is gone', '0.0.0.0/0', '', 403],
])('takes or refuses %s (%s)', (_, network, address, status) => {
  expect(statusFor([network], address)).toBe(status);
});

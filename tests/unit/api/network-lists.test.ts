/** What lists of networks have in common, against the addresses that are in each. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { networkText, parseAddress, parseNetwork } from '../../../gateway-runtime/api/network.ts';
import {
  commonNetworks,
  distinctNetworks,
  isNetwork,
  joinedNetworks,
  networksBeyond,
} from '../../../gateway-runtime/api/network-lists.ts';
import { Networks } from '../../../gateway-runtime/match/networks.ts';

/** Few of them, so that they meet: some within 10.0.0.0/28, some within 2001:db8::/124. */
const network = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 4 }))
  .map(([isFour, host, length]) =>
    networkText(
      parseNetwork(
        isFour ? `10.0.0.${host}/${28 + length}` : `2001:db8::${host.toString(16)}/${124 + length}`,
      )!,
    ),
  );
const list = fc.array(network, { maxLength: 4 });
const ADDRESSES = Array.from({ length: 18 }, (_, host) => [
  parseAddress(`10.0.0.${host}`)!,
  parseAddress(`2001:db8::${host.toString(16)}`)!,
]).flat();

describe('networks', () => {
  it('of two lists are those whose clients both let in, each once', () => {
    fc.assert(
      fc.property(list, list, (some, others) => {
        const common = commonNetworks(some, others);
        expect(common).toEqual(commonNetworks(others, some));
        expect(common).toEqual(distinctNetworks(common));
        expect(common.every(isNetwork)).toBe(true);
        const [a, b, both] = [new Networks(some), new Networks(others), new Networks(common)];
        for (const address of ADDRESSES) expect(both.has(address)).toBe(a.has(address) && b.has(address));
      }),
    );
  });

  it('are beyond others where one of their addresses is', () => {
    fc.assert(
      fc.property(list, list, (some, others) => {
        const there = new Networks(others);
        const isBeyond = (text: string) => {
          const own = new Networks([text]);
          return ADDRESSES.some((address) => own.has(address) && !there.has(address));
        };
        expect(networksBeyond(some, others)).toEqual(some.filter(isBeyond));
      }),
    );
  });

  it('joined are the same addresses, of which each network is within one', () => {
    fc.assert(
      fc.property(list, list, network, (some, others, asked) => {
        const joined = joinedNetworks([...some, ...others]);
        expect(joined).toEqual(distinctNetworks(joined));
        expect(networksBeyond(joined, [...some, ...others])).toEqual([]);
        expect(networksBeyond([...some, ...others], joined)).toEqual([]);
        const isWithinOne = joined.some((each) => networksBeyond([asked], [each]).length === 0);
        expect(isWithinOne).toBe(networksBeyond([asked], [...some, ...others]).length === 0);
      }),
    );
    expect(joinedNetworks(['0.0.0.0/1', '128.0.0.0/1', '2001:db8::/32'])).toEqual([
      '0.0.0.0/0',
      '2001:db8::/32',
    ]);
  });

  it('of all of IPv4 are none of IPv6', () => {
    expect(commonNetworks(['0.0.0.0/0', '2001:db8::/32'], ['10.0.0.0/8', '::/0'])).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
    ]);
    expect(networksBeyond(['10.0.0.0/8'], ['::/0'])).toEqual(['10.0.0.0/8']);
    expect(networksBeyond(['10.0.0.0/8'], ['10.0.0.0/9', '10.128.0.0/9'])).toEqual([]);
  });
});

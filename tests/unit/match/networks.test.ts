import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { networkText, parseAddress, parseNetwork } from '../../../gateway-runtime/api/network.ts';
import { Networks } from '../../../gateway-runtime/match/networks.ts';
import { generator } from '../../support/random.ts';

const canonical = (text: string) => {
  const network = parseNetwork(text);
  return network && networkText(network);
};
const has = (cidrs: readonly string[], address: string) => new Networks(cidrs).has(parseAddress(address)!);

describe('an address', () => {
  it.each([
    ['0.0.0.0', 0],
    ['255.255.255.255', 2 ** 32 - 1],
    ['10.0.0.1', 10 * 2 ** 24 + 1],
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['2001:DB8::1', 0x20010db8000000000000000000000001n],
    ['1:2:3:4:5:6:7:8', 0x00010002000300040005000600070008n],
    ['64:ff9b::1.2.3.4', 0x0064ff9b000000000000000001020304n],
    ['::ffff:10.0.0.1', 10 * 2 ** 24 + 1],
    ['::ffff:a00:1', 10 * 2 ** 24 + 1],
    ['0:0:0:0:0:FFFF:10.0.0.1', 10 * 2 ** 24 + 1],
  ])('%s is read', (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.1.2',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1 ',
    '0x0a.0.0.1',
    '1e1.0.0.1',
    'localhost',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    ':1::',
    '1:',
    '10.0.0.1::',
    '::10.0.0.1:1',
    'fe80::1%eth0',
  ])('"%s" is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(isIPv4(text) || (isIPv6(text) && !text.includes('%'))).toBe(false);
  });
});

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['2001:0DB8:0:0::/32', '2001:db8::/32'],
    ['2001:db8::ffff/64', '2001:db8::/64'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3/128'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0/128'],
    ['::ffff:10.9.8.7/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:0:0/95', '::fffe:0:0/95'],
  ])('%s is %s', (text, written) => {
    expect(canonical(text)).toBe(written);
  });

  it.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/08',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    'any',
  ])('"%s" is none', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
    expect(() => new Networks([text])).toThrow(`"${text}" is no network; write it like 10.0.0.0/8`);
  });
});

describe('networks', () => {
  it('have their first and last address, and none beside', () => {
    const cidrs = ['10.0.0.0/8', '192.168.1.0/24', 'fd00::/8'];
    for (const inside of [
      '10.0.0.0',
      '10.255.255.255',
      '192.168.1.0',
      '192.168.1.255',
      'fd00::',
      'fdff::ffff',
    ]) {
      expect([inside, has(cidrs, inside)]).toEqual([inside, true]);
    }
    for (const outside of [
      '9.255.255.255',
      '11.0.0.0',
      '192.168.0.255',
      '192.168.2.0',
      'fc00::1',
      'fe00::',
      '::',
    ]) {
      expect([outside, has(cidrs, outside)]).toEqual([outside, false]);
    }
  });

  it('may be none, all, and within each other', () => {
    expect(has([], '10.0.0.1')).toBe(false);
    expect(has([], '::1')).toBe(false);
    expect(has(['0.0.0.0/0', '10.0.0.0/8', '10.0.0.1/32'], '255.255.255.255')).toBe(true);
    expect(has(['10.0.0.1/32', '10.0.0.0/8', '10.0.0.0/16'], '10.200.0.1')).toBe(true);
  });

  it('of one family have no address of the other, however that is written', () => {
    expect(has(['::/0'], '10.0.0.1')).toBe(false);
    expect(has(['::/0'], '::ffff:10.0.0.1')).toBe(false);
    expect(has(['0.0.0.0/0'], '::1')).toBe(false);
    expect(has(['10.0.0.0/8'], '::ffff:10.0.0.1')).toBe(true);
    expect(has(['::ffff:10.0.0.0/104'], '10.0.0.1')).toBe(true);
  });

  it.each([
    [['10.0.0.0/8'], ['10.1.0.0/16', '10.0.0.1/32'], true],
    [['10.0.0.0/8'], ['10.0.0.0/7'], false],
    [['10.0.0.0/9', '10.128.0.0/9'], ['10.0.0.0/8'], true],
    [['fd00::/9', 'fd80::/9'], ['fd00::/8', 'fdff::/16'], true],
    [['fd00::/9'], ['fd00::/8'], false],
    [['0.0.0.0/0'], ['::/0'], false],
    [['0.0.0.0/0', '::/0'], ['10.0.0.0/8', 'fd00::/8'], true],
    [[], [], true],
    [[], ['10.0.0.0/8'], false],
  ])('%j have all of %j: %j', (cidrs, others, all) => {
    expect(new Networks(cidrs).hasAll(others)).toBe(all);
  });

  it('are those of BlockList', () => {
    const random = generator(20);
    const number = (below: number) => Math.floor(random() * below);
    const ipv4 = () => `10.${number(4)}.${number(4) * 64}.${number(256)}`;
    const ipv6 = () => `fd00:${number(4).toString(16)}::${number(65_536).toString(16)}`;
    for (let round = 0; round < 200; round++) {
      const list = new BlockList();
      const cidrs = Array.from({ length: number(8) }, () => {
        const isIpv6 = random() < 0.5;
        const [address, bits] = isIpv6 ? [ipv6(), number(129)] : [ipv4(), number(33)];
        // Zero is taken for the whole of both families there.
        list.addSubnet(address, Math.max(1, bits), isIpv6 ? 'ipv6' : 'ipv4');
        return `${address}/${Math.max(1, bits)}`;
      });
      for (let i = 0; i < 20; i++) {
        const address = random() < 0.5 ? ipv4() : ipv6();
        const family = address.includes(':') ? 'ipv6' : 'ipv4';
        expect([cidrs, address, has(cidrs, address)]).toEqual([cidrs, address, list.check(address, family)]);
      }
    }
  });
});

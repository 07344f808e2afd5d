/** Lists of networks in CIDR, each in its one spelling: what they have in common, and what of one is beyond another. */
import { type Network, networkText, parseNetwork } from './network.ts';

/** Whether a text is a network in its one spelling, such as `10.0.0.0/8` or `2001:db8::/32`. */
export const isNetwork = (text: string): boolean => {
  const network = parseNetwork(text);
  return network !== undefined && networkText(network) === text;
};

/** What is in a network of each list, and nothing twice. An empty list has nothing. */
export function commonNetworks(some: readonly string[], others: readonly string[]): string[] {
  return distinctNetworks(some.flatMap((one) => others.flatMap((other) => overlap(one, other) ?? [])));
}

/** Sorted, without those that are within another. */
export function distinctNetworks(networks: readonly string[]): string[] {
  const each = [...new Set(networks)].sort();
  return each.filter((one) => !each.some((other) => other !== one && overlap(one, other) === one));
}

/** The fewest networks that have the same addresses: none within another, and no two that are one together. */
export function joinedNetworks(networks: readonly string[]): string[] {
  const found = new Map<string, Network>();
  for (const each of networks) {
    const network = parseNetwork(each);
    if (network) found.set(each, network);
  }
  const longest = [...found.values()].sort((a, b) => b.bits - a.bits);
  for (const network of longest) {
    let { bits } = network;
    let [text, other] = [networkText(network), siblingOf(network)];
    while (other !== undefined && found.has(other)) {
      const both = cutTo(network, --bits);
      found.delete(text);
      found.delete(other);
      text = networkText(both);
      if (found.has(text)) break;
      found.set(text, both);
      other = siblingOf(both);
    }
  }
  const isWithinAnother = (network: Network) => {
    for (let bits = 0; bits < network.bits; bits++) {
      if (found.has(networkText(cutTo(network, bits)))) return true;
    }
    return false;
  };
  return [...found].flatMap(([text, network]) => (isWithinAnother(network) ? [] : [text])).sort();
}

/** The other half of the network around it. */
function siblingOf({ first, bits }: Network): string | undefined {
  if (bits === 0) return undefined;
  const other =
    typeof first === 'number'
      ? first + (first % 2 ** (33 - bits) === 0 ? 1 : -1) * 2 ** (32 - bits)
      : first ^ (1n << BigInt(128 - bits));
  return networkText({ first: other, bits });
}

/** Those of `some` that are not wholly in networks of `others`. */
export function networksBeyond(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((one) => {
    const covered = commonNetworks([one], others).reduce((sum, each) => sum + sizeOf(each), 0n);
    return covered < sizeOf(one);
  });
}

/** The smaller of two, where it lies in the other: networks are nested or apart. */
function overlap(one: string, other: string): string | undefined {
  const [a, b] = [parseNetwork(one), parseNetwork(other)];
  if (!a || !b || typeof a.first !== typeof b.first) return undefined;
  const [smaller, larger] = a.bits >= b.bits ? [a, b] : [b, a];
  if (!isSame(larger, cutTo(smaller, larger.bits))) return undefined;
  return smaller === a ? one : other;
}

const cutTo = ({ first }: Network, bits: number) => parseNetwork(networkText({ first, bits }))!;

const isSame = (a: Network, b: Network) => a.first === b.first && a.bits === b.bits;

function sizeOf(text: string): bigint {
  const { first, bits } = parseNetwork(text)!;
  return 1n << BigInt((typeof first === 'number' ? 32 : 128) - bits);
}

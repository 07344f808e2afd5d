/** Whether an address is in one of some networks: what is asked of every request of a rule that says from where its clients may come. */
import { type Address, lastOf, parseNetwork } from '../api/network.ts';

interface Ranges<A> {
  readonly firsts: readonly A[];
  readonly lasts: readonly A[];
}

export class Networks {
  readonly #ipv4: Ranges<number>;
  readonly #ipv6: Ranges<bigint>;

  /** `cidrs`: such as `10.0.0.0/8` and `fd00::/8`; none is where nobody is. Throws where one is no network. */
  constructor(cidrs: readonly string[]) {
    const { ipv4, ipv6 } = rangesOfBoth(cidrs);
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
  }

  /** An IPv4 address is in networks of IPv4 only: `::/0` is all of IPv6. */
  has(address: Address): boolean {
    return typeof address === 'number' ? isIn(this.#ipv4, address) : isIn(this.#ipv6, address);
  }

  /** Every address of these networks. */
  hasAll(cidrs: readonly string[]): boolean {
    const { ipv4, ipv6 } = rangesOfBoth(cidrs);
    return (
      ipv4.firsts.every((first, index) => isIn(this.#ipv4, first, ipv4.lasts[index])) &&
      ipv6.firsts.every((first, index) => isIn(this.#ipv6, first, ipv6.lasts[index]))
    );
  }
}

function rangesOfBoth(cidrs: readonly string[]): { ipv4: Ranges<number>; ipv6: Ranges<bigint> } {
  const ipv4: [number, number][] = [];
  const ipv6: [bigint, bigint][] = [];
  for (const cidr of cidrs) {
    const network = parseNetwork(cidr);
    if (!network) throw new Error(`"${cidr}" is no network; write it like 10.0.0.0/8 or fd00::/8`);
    const { first } = network;
    if (typeof first === 'number') ipv4.push([first, lastOf(network) as number]);
    else ipv6.push([first, lastOf(network) as bigint]);
  }
  return { ipv4: rangesOf(ipv4), ipv6: rangesOf(ipv6) };
}

/** In order, with a gap between each and the next. */
function rangesOf<A extends Address>(all: [A, A][]): Ranges<A> {
  all.sort(([a, b], [c, d]) => (a !== c ? (a < c ? -1 : 1) : b > d ? -1 : 1));
  const firsts: A[] = [];
  const lasts: A[] = [];
  for (const [first, last] of all) {
    const before = lasts.at(-1);
    // Networks are within each other or have nothing in common; but one can begin where another ends.
    if (before === undefined || first > next(before)) {
      firsts.push(first);
      lasts.push(last);
    } else if (last > before) lasts[lasts.length - 1] = last;
  }
  return { firsts, lasts };
}

const next = (address: Address): Address => (typeof address === 'number' ? address + 1 : address + 1n);

/** @param last where not one address is asked for but all from the first to this one */
function isIn<A extends Address>({ firsts, lasts }: Ranges<A>, first: A, last = first): boolean {
  let low = 0;
  let high = firsts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (firsts[middle]! <= first) low = middle + 1;
    else high = middle;
  }
  return low > 0 && last <= lasts[low - 1]!;
}

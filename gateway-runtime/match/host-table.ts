/**
 * A tree over hostnames read from the right, where they share the most, so that one walk meets every hostname that matches a host, each
 * more specific than the one before, without cutting labels out. A wildcard is kept without its "*", so it ends in a dot, and
 * an exact hostname never does; any host is the empty key.
 */
import { ANY_HOST } from './hostname.ts';
import { type RadixNode, radixChild } from './radix.ts';

export function hostKey(hostname: string): string {
  const suffix = hostname === ANY_HOST ? '' : hostname.startsWith('*.') ? hostname.slice(1) : hostname;
  return [...suffix].reverse().join('');
}

/** The next node on the way of a host, of which `consumed` characters from the right agree with `node`. */
export function hostChild<V>(node: RadixNode<V>, host: string, consumed: number): RadixNode<V> | undefined {
  const rest = host.length - consumed;
  if (rest === 0) return undefined;
  const child = radixChild(node, host.charCodeAt(rest - 1));
  if (!child) return undefined;
  const { label } = child;
  if (label.length > rest) return undefined;
  for (let i = 1; i < label.length; i++) {
    if (label.charCodeAt(i) !== host.charCodeAt(rest - 1 - i)) return undefined;
  }
  return child;
}

/** Whether the value of a node on the way of a host is for it: at its end, at a wildcard's dot, or for any host. */
export function isHostEnd(host: string, consumed: number): boolean {
  return consumed === host.length || consumed === 0 || host.charCodeAt(host.length - consumed) === 46;
}

/** The value of the most specific hostname that matches. */
export function mostSpecific<V>(root: RadixNode<V>, host: string): V | undefined {
  let node: RadixNode<V> | undefined = root;
  let consumed = 0;
  let value = root.value;
  for (;;) {
    node = hostChild(node, host, consumed);
    if (!node) return value;
    consumed += node.label.length;
    if (node.value !== undefined && isHostEnd(host, consumed)) value = node.value;
  }
}

/** The values of all hostnames that match, the most specific first. */
export function allThatMatch<V>(root: RadixNode<V>, host: string): readonly V[] {
  const values: V[] = [];
  let consumed = 0;
  for (let node: RadixNode<V> | undefined = root; node; node = hostChild(node, host, consumed)) {
    consumed += node.label.length;
    if (node.value !== undefined && isHostEnd(host, consumed)) values.push(node.value);
  }
  return values.toReversed();
}

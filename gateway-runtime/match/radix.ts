/**
 * A persistent radix tree: a map from strings in which an update copies only the nodes on its way and shares the rest, so that a
 * change among thousands of entries costs no more than one among ten. Nodes are plain, so that look-ups can walk them by position
 * in the request's own string, without cutting pieces out of it (`host-table.ts`, `path-table.ts`).
 */

export interface RadixNode<V> {
  /** Characters between the parent and this node; empty at the root only. */
  readonly label: string;
  readonly value: V | undefined;
  /** First character of each child's label; same order as `children`. */
  readonly codes: readonly number[];
  readonly children: readonly RadixNode<V>[];
}

const NONE: readonly never[] = [];

export const EMPTY_RADIX: RadixNode<never> = { label: '', value: undefined, codes: NONE, children: NONE };

/** The child whose label begins with this character. */
export function radixChild<V>(node: RadixNode<V>, code: number): RadixNode<V> | undefined {
  const { codes } = node;
  for (let i = 0; i < codes.length; i++) if (codes[i] === code) return node.children[i];
  return undefined;
}

export function radixGet<V>(root: RadixNode<V>, key: string): V | undefined {
  let node: RadixNode<V> | undefined = root;
  let position = 0;
  while (position < key.length) {
    node = radixChild(node, key.charCodeAt(position));
    if (!node || !key.startsWith(node.label, position)) return undefined;
    position += node.label.length;
  }
  return node.value;
}

/** The tree in which the value at `key` is what `change` makes of it; undefined removes it. The same tree where nothing changes. */
export function radixUpdate<V>(
  root: RadixNode<V>,
  key: string,
  change: (value: V | undefined) => V | undefined,
): RadixNode<V> {
  return updateAt(root, key, 0, change);
}

/** Every value, in the order of a depth-first walk. */
export function* radixValues<V>(node: RadixNode<V>): Generator<V> {
  if (node.value !== undefined) yield node.value;
  for (const child of node.children) yield* radixValues(child);
}

function updateAt<V>(
  node: RadixNode<V>,
  key: string,
  position: number,
  change: (value: V | undefined) => V | undefined,
): RadixNode<V> {
  if (position === key.length) {
    const value = change(node.value);
    return value === node.value ? node : { ...node, value };
  }
  const index = node.codes.indexOf(key.charCodeAt(position));
  if (index < 0) {
    const value = change(undefined);
    if (value === undefined) return node;
    return {
      ...node,
      // Not with `[...]`, which leaves room for sixteen more.
      codes: node.codes.concat(key.charCodeAt(position)),
      children: node.children.concat({ ...leaf(value), label: key.slice(position) }),
    };
  }
  const child = node.children[index]!;
  const common = commonLength(child.label, key, position);
  if (common < child.label.length) {
    const branch = updateAt(split(child, common), key, position + common, change);
    // Nothing was added below the new branch: it is not needed.
    return branch.value === undefined && branch.children.length === 1 ? node : withChild(node, index, branch);
  }
  const updated = updateAt(child, key, position + common, change);
  return updated === child ? node : withChild(node, index, compact(updated));
}

function leaf<V>(value: V): RadixNode<V> {
  return { label: '', value, codes: NONE, children: NONE };
}

/** How far `label` agrees with `key` from `position` on. */
function commonLength(label: string, key: string, position: number): number {
  let common = 0;
  while (common < label.length && label.charCodeAt(common) === key.charCodeAt(position + common)) common++;
  return common;
}

/** A node for the first `length` characters of a label, with the rest below it. */
function split<V>(node: RadixNode<V>, length: number): RadixNode<V> {
  return {
    label: node.label.slice(0, length),
    value: undefined,
    codes: [node.label.charCodeAt(length)],
    children: [{ ...node, label: node.label.slice(length) }],
  };
}

/** Removes what a removal left over: a node with nothing in it, or one that only leads to another. */
function compact<V>(node: RadixNode<V>): RadixNode<V> | undefined {
  if (node.value !== undefined || node.children.length > 1) return node;
  const only = node.children[0];
  return only && { ...only, label: node.label + only.label };
}

function withChild<V>(node: RadixNode<V>, index: number, child: RadixNode<V> | undefined): RadixNode<V> {
  if (child) return { ...node, children: node.children.with(index, child) };
  return {
    ...node,
    codes: node.codes.toSpliced(index, 1),
    children: node.children.toSpliced(index, 1),
  };
}

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  EMPTY_RADIX,
  type RadixNode,
  radixGet,
  radixUpdate,
  radixValues,
} from '../../../gateway-runtime/match/radix.ts';

const put = (tree: RadixNode<number>, key: string, value: number | undefined) =>
  radixUpdate(tree, key, () => value);

/** Nodes that hold nothing and only lead to one other, or nowhere: a tree that is kept small has none below its root. */
const superfluous = (node: RadixNode<number>): number =>
  node.children.reduce(
    (sum, child) =>
      sum + superfluous(child) + (child.value === undefined && child.children.length < 2 ? 1 : 0),
    0,
  );

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 });

it('holds what a Map holds after any edits, in no more nodes than it needs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })), { maxLength: 40 }),
      (edits) => {
        const map = new Map<string, number>();
        let tree: RadixNode<number> = EMPTY_RADIX;
        for (const [each, value] of edits) {
          if (value === undefined) map.delete(each);
          else map.set(each, value);
          tree = put(tree, each, value);
        }
        for (const [each] of edits) expect(radixGet(tree, each)).toBe(map.get(each));
        expect([...radixValues(tree)].sort()).toEqual([...map.values()].sort());
        expect(superfluous(tree)).toBe(0);
        for (const each of map.keys()) tree = put(tree, each, undefined);
        expect(tree).toEqual(EMPTY_RADIX);
      },
    ),
  );
});

it('leaves the tree before as it was, and shares what did not change', () => {
  const before = ['/a/b', '/a/c', '/x'].reduce(
    (tree, each, index) => put(tree, each, index),
    EMPTY_RADIX as RadixNode<number>,
  );
  const copy = structuredClone(before);
  const after = put(before, '/x/y', 9);
  expect(before).toEqual(copy);
  const below = (tree: RadixNode<number>) => tree.children[0]!.children.find(({ label }) => label === 'a/');
  expect(below(after)).toBe(below(before));
  expect(put(before, '/nowhere', undefined)).toBe(before);
  expect(put(before, '/a', undefined)).toBe(before);
  expect(put(before, '/x', 2)).toBe(before);
});

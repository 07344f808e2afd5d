/** Watches come in pieces that end anywhere. */
import { describe, expect, it } from '@jest/globals';
import { JsonLines } from '../../../gateway-runtime/control/cluster/json-lines.ts';

const read = (pieces: readonly string[]) => {
  const values: unknown[] = [];
  const lines = new JsonLines((value) => values.push(value));
  for (const piece of pieces) lines.push(piece);
  return values;
};

describe('lines of JSON', () => {
  const text = '{"a":1}\n\n{"b":"x\\ny"}\n[2]\n';

  it('are the same however they are cut', () => {
    const expected = [{ a: 1 }, { b: 'x\ny' }, [2]];
    expect(read([text])).toEqual(expected);
    expect(read([...text])).toEqual(expected);
    for (let cut = 0; cut < text.length; cut++) {
      expect(read([text.slice(0, cut), text.slice(cut)])).toEqual(expected);
    }
  });

  it('count only where they are whole', () => {
    expect(read(['{"a":1}'])).toEqual([]);
  });

  it('that are broken or endless are refused', () => {
    expect(() => read(['{"a":\n'])).toThrow(SyntaxError);
    const piece = 'x'.repeat(1024 * 1024);
    expect(() => read(Array.from({ length: 33 }, () => piece))).toThrow('longer than any object');
  });
});

import { describe, expect, it } from '@jest/globals';
import { WholeLines } from '../../../gateway-runtime/workers/whole-lines.ts';

function linesOf(pieces: readonly (string | Buffer)[]): [string[], number] {
  const found: string[] = [];
  let counted = 0;
  const lines = new WholeLines((text, count) => {
    found.push(...text.split('\n'));
    counted += count;
  });
  for (const each of pieces) lines.push(Buffer.from(each as string));
  return [found, counted];
}

describe('lines out of a pipe', () => {
  it('are the same however they come in pieces', () => {
    const text = Buffer.from('{"path":"/ä"}\n\n{"b":2}\n{"begun":');
    const whole = [['{"path":"/ä"}', '', '{"b":2}'], 3];
    expect(linesOf([text])).toEqual(whole);
    for (let size = 1; size < text.length; size++) {
      const pieces = [];
      for (let from = 0; from < text.length; from += size) pieces.push(text.subarray(from, from + size));
      expect(linesOf(pieces)).toEqual(whole);
    }
  });

  it('leave out one that has no end, and go on with the next', () => {
    const endless = 'x'.repeat(700_000);
    expect(linesOf(['a\n', endless, endless, endless, 'end\nb\nc', '\n'])).toEqual([['a', 'b', 'c'], 3]);
  });
});

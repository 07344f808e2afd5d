import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrameError, FrameReader, frame } from '../../../gateway-runtime/distribution/frames.ts';

function read(reader: FrameReader): unknown[] {
  const values: unknown[] = [];
  for (let next = reader.next(); next; next = reader.next()) values.push(next.value);
  return values;
}

describe('frames', () => {
  it('are read as they were written, in whatever pieces they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (values, sizes) => {
          const bytes = Buffer.concat(values.map((value) => frame(JSON.stringify(value))));
          const reader = new FrameReader(1024 * 1024);
          const found: unknown[] = [];
          for (let from = 0, turn = 0; from < bytes.length; turn++) {
            const to = from + sizes[turn % sizes.length]!;
            reader.push(bytes.subarray(from, to));
            found.push(...read(reader));
            from = to;
          }
          expect(JSON.stringify(found)).toBe(JSON.stringify(values));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('that are too large are refused by their length, before they are there', () => {
    const reader = new FrameReader(100);
    reader.push(Buffer.from([0, 0, 0, 101]));
    expect(() => reader.next()).toThrow(new FrameError('found a frame of 101 bytes, expected 1 to 100'));
  });

  it('have something in them', () => {
    const reader = new FrameReader(100);
    reader.push(Buffer.alloc(4));
    expect(() => reader.next()).toThrow(FrameError);
  });

  it('that are not JSON in UTF-8 are refused without a word of what is in them', () => {
    for (const bytes of [Buffer.from('secret'), Buffer.from([0x22, 0xff, 0x22]), Buffer.from('"\ufeff')]) {
      const reader = new FrameReader(100);
      reader.push(Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]));
      expect(() => reader.next()).toThrow(`found a frame of ${bytes.length} bytes that is not JSON in UTF-8`);
    }
  });

  it('may be larger once the limit is raised', () => {
    const reader = new FrameReader(4);
    reader.push(frame('"ok"'));
    expect(read(reader)).toEqual(['ok']);
    reader.limit = 1024;
    reader.push(frame(JSON.stringify('x'.repeat(500))));
    expect(read(reader)).toEqual(['x'.repeat(500)]);
  });

  it('that come a byte at a time cost the memory of their bytes', () => {
    const reader = new FrameReader(1024 * 1024);
    const bytes = frame(JSON.stringify('x'.repeat(200_000)));
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 0; index < bytes.length - 1; index++) reader.push(bytes.subarray(index, index + 1));
    expect(reader.next()).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
    reader.push(bytes.subarray(-1));
    expect(read(reader)).toHaveLength(1);
  });
});

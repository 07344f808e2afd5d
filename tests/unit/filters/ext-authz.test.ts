/** Messages of Protocol Buffers and of ext_authz, against a writer and a reader of the tests' own. */
import { describe, expect, it } from '@jest/globals';
import { readCheckResponse } from '../../../gateway-runtime/filters/ext-authz/check-response.ts';
import { messagePrefix, onlyMessage } from '../../../gateway-runtime/filters/ext-authz/grpc-message.ts';
import { MalformedMessage, readMessage } from '../../../gateway-runtime/filters/ext-authz/protobuf-reader.ts';
import { ProtobufWriter } from '../../../gateway-runtime/filters/ext-authz/protobuf-writer.ts';
import { CHECK_RESPONSE, framed, header } from '../../support/ext-authz.ts';
import { decode, encode, type Message, type Schema } from '../../support/protobuf.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
const read = (octets: Uint8Array) => {
  const found: unknown[] = [];
  readMessage(octets, (field, value) =>
    found.push([field, typeof value === 'number' ? value : Buffer.from(value).toString('hex')]),
  );
  return found;
};

describe('a message', () => {
  it('is read field by field, those that nobody knows too', () => {
    expect(read(hex('089601'))).toEqual([[1, 150]]);
    expect(read(hex('120774657374696e67'))).toEqual([[2, '74657374696e67']]);
    expect(read(hex('09010203040506070815010203041a00'))).toEqual([
      [1, '0102030405060708'],
      [2, '01020304'],
      [3, ''],
    ]);
    expect(read(hex('f8ffffff0f01'))).toEqual([[2 ** 29 - 1, 1]]);
    expect(read(hex('08ffffffffffffffffff01'))).toEqual([[1, 2 ** 64]]);
  });

  it.each([
    ['08', 'a number that ends'],
    ['0880', 'a number that goes on'],
    ['0801ff', 'half a tag'],
    ['08ffffffffffffffffff02', 'more than 64 bits'],
    ['08ffffffffffffffffffff01', 'more than ten octets'],
    ['0001', 'the field 0'],
    ['f8ffffff1f01', 'a field that is too high'],
    ['0a0161ff', 'a rest'],
    ['0a0261', 'a length beyond the end'],
    ['0affffffffffffffff7f', 'a length beyond any end'],
    ['0d010203', 'half a fixed number'],
    ['0901020304050607', 'half a long fixed number'],
    ['0b0c', 'a group'],
    ['0e', 'a type that there is not'],
  ])('that is %s is refused: %s', (text) => {
    expect(() => read(hex(text))).toThrow(MalformedMessage);
  });

  it('is written as others read it', () => {
    const schema: Schema = {
      1: ['a', 'number'],
      2: ['b', 'text'],
      3: ['c', 'octets'],
      500: ['d', { 1: ['e', 'number'] }],
    };
    for (const number of [1, 127, 128, 300, 2 ** 31, 2 ** 40, 2 ** 53 - 1, -1]) {
      const inner = new ProtobufWriter();
      inner.integer(1, number);
      const writer = new ProtobufWriter();
      writer.integer(1, number);
      writer.integer(1, 0);
      writer.text(2, 'a\xff');
      writer.text(2, '');
      writer.octets(3, Buffer.from('x'.repeat(200)), Buffer.from([0]));
      writer.message(500, inner);
      const octets = Buffer.concat(writer.pieces);
      expect(octets).toHaveLength(writer.length);
      expect(decode(schema, octets)).toEqual({
        a: number,
        b: 'a\ufffd',
        c: Buffer.from(`${'x'.repeat(200)}\0`),
        d: { e: number },
      });
    }
  });
});

describe('the frame of gRPC', () => {
  it('holds one message', () => {
    const message = Buffer.from('abc');
    expect(Buffer.concat([messagePrefix(3), message])).toEqual(framed(message));
    expect(onlyMessage(framed(message))).toEqual(message);
    expect(onlyMessage(framed(Buffer.alloc(0)))).toHaveLength(0);
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['half a prefix', Buffer.alloc(4)],
    ['half a message', framed(Buffer.from('abc')).subarray(0, -1)],
    ['more than one', Buffer.concat([framed(Buffer.from('a')), Buffer.from([0])])],
    ['what is compressed', framed(Buffer.from('a'), true)],
  ])('and not %s', (_, body) => {
    expect(onlyMessage(body)).toBeUndefined();
  });
});

describe('a CheckResponse', () => {
  const answer = (message: Message) => readCheckResponse(encode(CHECK_RESPONSE, message));

  it('has edits as `append` and `append_action` say', () => {
    const headers = [
      header('a', '1'),
      header('b', '1', { append: {} }),
      header('c', '1', { append: { value: true } }),
      header('d', '1', { action: 1 }),
      { header: { key: 'e', rawValue: Buffer.from([0xff, 0x20]) } },
    ];
    const actions = (edits: readonly { action: string }[]) => edits.map(({ action }) => action);
    const said = answer({ ok: { headers, responseHeaders: headers } });
    if (!said.isAllowed) throw new Error('it is allowed');
    expect(actions(said.edits)).toEqual(['replace', 'replace', 'add', 'replace', 'replace']);
    expect(actions(said.responseEdits)).toEqual(['add', 'replace', 'add', 'add-if-absent', 'add']);
    expect(said.edits[4]!.field).toEqual(['e', '\xff']);
  });

  it.each<[string, Message]>([
    ['an action that there is not', { ok: { headers: [header('a', '1', { action: 4 })] } }],
    ['more headers than any message has', { ok: { headers: Array(1_001).fill(header('a', '1')) } }],
    ['more to remove than any message has', { ok: { remove: Array(1_001).fill('a') } }],
    ['a name with a space', { ok: { remove: ['a b'] } }],
    ['a NUL', { denied: { headers: [header('a', '\0')] } }],
  ])('with %s is refused', (_, message) => {
    expect(() => answer(message)).toThrow(MalformedMessage);
  });

  it('with a number where there should be a message is refused', () => {
    for (const text of ['1801', '1001', '0801', '1a021001', '1a022801', '0a020a00']) {
      expect(() => readCheckResponse(hex(text))).toThrow(MalformedMessage);
    }
  });
});

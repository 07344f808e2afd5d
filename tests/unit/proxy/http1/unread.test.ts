/** What was received and can't be used yet. */
import { expect, it } from '@jest/globals';
import { Unread } from '../../../../gateway-runtime/proxy/engine-http1/unread.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');

it('keeps what is added, in order, and gives it away once', () => {
  const unread = new Unread();
  let expected = '';
  for (let i = 0; i < 3_000; i++) {
    const text = `${i} `;
    unread.add(octets(`<${text}>`), 1, 1 + text.length);
    expected += text;
  }
  expect(unread.length).toBe(expected.length);
  expect(unread.octets.toString('latin1')).toBe(expected);
  const taken = unread.take();
  expect(unread.length).toBe(0);
  unread.add(octets('more'), 0, 4);
  expect(taken.toString('latin1')).toBe(expected);
  expect(unread.take().toString('latin1')).toBe('more');
});

it('does not follow what becomes of the octets that were added', () => {
  const unread = new Unread();
  const shared = octets('first');
  unread.add(shared, 0, 5);
  shared.fill('x');
  expect(unread.take().toString('latin1')).toBe('first');
});

it.each(['abc\r\n\r\ndef', '\r\n\r\n', 'a\r\n\r\n', '\r\r\n\r\n'])(
  'finds the empty line in %j, however it comes in pieces',
  (text) => {
    const end = text.indexOf('\r\n\r\n') + 4;
    for (let size = 1; size <= text.length; size++) {
      const unread = new Unread();
      for (let at = 0; at < text.length; at += size) {
        const until = Math.min(text.length, at + size);
        unread.add(octets(text), at, until);
        expect([size, until, unread.hasEmptyLine()]).toEqual([size, until, until >= end]);
        if (until >= end) break;
      }
    }
  },
);

it('finds none where there is none, and none of what was taken', () => {
  const unread = new Unread();
  unread.add(octets('a\r\n\rb\n\r\n\n\r'), 0, 10);
  expect(unread.hasEmptyLine()).toBe(false);
  unread.take();
  unread.add(octets('\n\r\n'), 0, 3);
  expect(unread.hasEmptyLine()).toBe(false);
});

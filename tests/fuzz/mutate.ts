/** Octets made out of others, as a seed says. */

const OCTETS = '\0\t\n\v\f\r !"#%&*+,-./:;=?@[\\]_{|}~\x7f\x80\xff09AFafgGxX';
const WORDS = [
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  ' HTTP/1.1',
  'HTTP/1.0',
  'Content-Length: ',
  'Transfer-Encoding: chunked',
  'Host: ',
  'Connection: close, ',
  'Upgrade: websocket',
  'Trailer: ',
  'Expect: 100-continue',
  'chunked',
  'chunked, ',
  '0\r\n\r\n',
  'fffffffffffff',
  '00000000000000',
  '99999999999999999999',
  '%2e',
  '%2F',
  '%5c',
  '%00',
  '/../',
  '/./',
  '..;',
  'http://',
  '[::1]',
  ':80',
];

const LONGEST = 4_096;

/** `others`: what parts are taken from as well. */
export function mutated(octets: Buffer, others: readonly Buffer[], random: () => number): Buffer {
  let result = octets;
  const below = (limit: number) => Math.floor(random() * limit);
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const at = below(result.length + 1);
    const until = Math.min(result.length, at + 1 + below(random() < 0.9 ? 8 : 64));
    const [before, piece, after] = [
      result.subarray(0, at),
      result.subarray(at, until),
      result.subarray(until),
    ];
    switch (below(6)) {
      case 0:
        result = Buffer.concat([before, after]);
        break;
      case 1:
        result = Buffer.concat([before, piece, piece, after]);
        break;
      case 2:
        result = Buffer.concat([
          before,
          Buffer.from(OCTETS[below(OCTETS.length)]!, 'latin1'),
          result.subarray(at + 1),
        ]);
        break;
      case 3:
        result = Buffer.concat([
          before,
          Buffer.from(WORDS[below(WORDS.length)]!, 'latin1'),
          result.subarray(at),
        ]);
        break;
      case 4: {
        const other = others[below(others.length)]!;
        const from = below(other.length);
        result = Buffer.concat([before, other.subarray(from, from + 1 + below(40)), after]);
        break;
      }
      default:
        if (at < result.length) {
          result = Buffer.from(result);
          result[at]! ^= 1 << below(8);
        }
    }
  }
  return result.subarray(0, LONGEST);
}

/** A smaller input for which `fails` still holds. */
export function minimized(octets: Buffer, fails: (octets: Buffer) => boolean): Buffer {
  let result = octets;
  for (let size = result.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < result.length; ) {
      const smaller = Buffer.concat([result.subarray(0, at), result.subarray(at + size)]);
      if (fails(smaller)) result = smaller;
      else at += size;
    }
  }
  return result;
}

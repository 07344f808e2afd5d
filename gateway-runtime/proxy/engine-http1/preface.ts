/** The first octets of a connection of HTTP/2 (RFC 9113 section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Whether these are the first octets of it, or all. */
export function beginsPreface(octets: Buffer, from: number, end: number): boolean {
  if (octets[from] !== PREFACE[0]) return false;
  const length = Math.min(end - from, PREFACE.length);
  return octets.compare(PREFACE, 0, length, from, from + length) === 0;
}

/** What names and values of header fields are made of (RFC 9110 section 5), for text that comes from elsewhere than a parser of heads. */

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

export function isFieldName(name: string): boolean {
  return TOKEN.test(name);
}

/** Octets, each a character. A line end or NUL in it would make another head of it. */
export function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0xff || code === 0x7f || (code < 0x20 && code !== 0x09)) return false;
  }
  return true;
}

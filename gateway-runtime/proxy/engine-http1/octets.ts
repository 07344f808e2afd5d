/** Which octets may stand where in a message of HTTP/1.1, as tables by octet: 1 is allowed. */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const ZERO = 48;
export const COLON = 58;
export const SEMICOLON = 59;

/** tchar (RFC 9110 section 5.6.2). */
export const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** field-vchar, SP and HTAB (RFC 9110 section 5.5). */
export const FIELD_VALUE = new Uint8Array(256);
for (let octet = SP; octet < 256; octet++) if (octet !== 127) FIELD_VALUE[octet] = 1;
FIELD_VALUE[HTAB] = 1;

/** Any octet of a request target; which characters of it may be in a path is for `normalizePath` to say. */
export const TARGET = new Uint8Array(256);
for (let octet = SP + 1; octet < 256; octet++) if (octet !== 127) TARGET[octet] = 1;

/** The value of a hexadecimal digit plus 1; 0 where it is none. */
export const HEX = new Uint8Array(256);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value + 1;
  HEX[digit.toUpperCase().charCodeAt(0)] = value + 1;
}

/** Whether text that is to be written as a field value is one: a line end in it would begin another field. */
export function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 255 || FIELD_VALUE[code] === 0) return false;
  }
  return true;
}

export function isToken(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 255 || TOKEN[code] === 0) return false;
  }
  return name.length > 0;
}

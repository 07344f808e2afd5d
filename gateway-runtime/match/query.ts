/** Query parameters as an HTML form writes them (application/x-www-form-urlencoded in the URL Standard), read on demand. */

const AMPERSAND = 38;
const EQUALS = 61;
const PERCENT = 37;
const PLUS = 43;

/**
 * The first value of a parameter: "+" is a space, escapes are UTF-8, and one that is broken stands for itself. Empty where the
 * name has no "="; undefined where there is no such name. Nothing is allocated before the name is found, unless names are escaped.
 */
export function queryValue(query: string, name: string): string | undefined {
  let start = 0;
  while (start < query.length) {
    let end = start;
    let equals = -1;
    let nameEncoded = false;
    let valueEncoded = false;
    for (; end < query.length; end++) {
      const code = query.charCodeAt(end);
      if (code === AMPERSAND) break;
      if (code === EQUALS && equals < 0) equals = end;
      else if (code === PERCENT || code === PLUS) {
        if (equals < 0) nameEncoded = true;
        else valueEncoded = true;
      }
    }
    const nameEnd = equals < 0 ? end : equals;
    const found = nameEncoded
      ? decode(query.slice(start, nameEnd)) === name
      : end > start && nameEnd - start === name.length && query.startsWith(name, start);
    if (found) {
      if (equals < 0) return '';
      const value = query.slice(equals + 1, end);
      return valueEncoded ? decode(value) : value;
    }
    start = end + 1;
  }
  return undefined;
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeLeniently(spaced);
  }
}

/** Keeps a byte order mark, as decodeURIComponent does ("UTF-8 decode without BOM"). */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Runs of escapes as UTF-8 with U+FFFD for what is none; a "%" without two digits stays. */
function decodeLeniently(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    utf8.decode(Uint8Array.from(run.slice(1).split('%'), (digits) => Number.parseInt(digits, 16))),
  );
}

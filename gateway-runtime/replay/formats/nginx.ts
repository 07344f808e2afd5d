/**
 * The log formats of nginx and Apache: `combined`, and `vhost_combined`, which has the host before it, perhaps with a port:
 * `shop.example.com:443 192.0.2.1 - - [15/Apr/2026:20:17:00 +0000] "GET /cart HTTP/1.1" 200 612 "-" "curl/8.5"`
 */
import {
  type KnownValues,
  type LogFormat,
  NO_REQUEST,
  type ReadLine,
  requestLine,
} from '../logged-request.ts';

/** What stands after the user agent is of formats that were added to. */
const COMBINED =
  /^\S+ \S+ [^[]*\[[^\]]{1,64}\] "((?:[^"\\]|\\.)*)" ([0-9]{3}) (?:[0-9]+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"/;
/** The second word of `combined` is the identity that nobody tells. */
const IS_COMBINED = /^\S+ - /;
/** Whom a request came from is never a dash, as both words after it are where nobody logged in. */
const HAS_HOST = /^(\S+) (?!- )(\S+ - )/;

export const NGINX: LogFormat = {
  name: 'nginx',
  read: (line) => (IS_COMBINED.test(line) ? readCombined(line, undefined) : NO_COMBINED),
};

export const NGINX_VHOST: LogFormat = {
  name: 'nginx-vhost',
  read(line) {
    const found = HAS_HOST.exec(line);
    if (!found) return NO_VHOST;
    const [, host = ''] = found;
    return readCombined(line.slice(host.length + 1), host === '-' ? undefined : host);
  },
};

function readCombined(line: string, host: string | undefined): ReadLine {
  const found = COMBINED.exec(line);
  if (!found) return host === undefined ? NO_COMBINED : NO_VHOST;
  const [, request = '', status, referer = '', agent = ''] = found;
  const parts = requestLine(unescaped(request));
  if (!parts) return NO_REQUEST;
  return { ...parts, host, headers: headersOf(referer, agent), status: Number(status) };
}

const NO_COMBINED = { problem: 'it is no line of the format combined' };
const NO_VHOST = { problem: 'it is no line of the format vhost_combined' };

const headersOf = (referer: string, agent: string): KnownValues =>
  new Map([
    ['referer', shownAs(referer)],
    ['user-agent', shownAs(agent)],
  ]);

const shownAs = (text: string) => (text === '-' ? null : unescaped(text));

const ESCAPE = /\\(?:x([0-9A-Fa-f]{2})|(.))/g;
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** `\x22` as both write it, `\"` as Apache does. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (_, digits: string | undefined, letter: string) =>
    digits === undefined ? (LETTERS.get(letter) ?? letter) : String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

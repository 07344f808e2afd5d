/**
 * Envoy's default access log:
 * `[2026-04-15T20:17:00.310Z] "POST /orders HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "curl/8.5" "<request id>" "shop.example.com" "10.0.2.1:80"`
 */
import { type LogFormat, NO_REQUEST, type ReadLine, requestLine } from '../logged-request.ts';

/** Texts are not escaped: what clients write freely, the user agent, is what stands between the others. */
const LINE =
  /^\[[^\]]{1,64}\] "([^"]*)" ([0-9]{1,3}) \S+ [0-9]+ [0-9]+ [0-9]+ \S+ "[^"]*" "(.*)" "[^"]*" "([^"]*)" "[^"]*"$/;

export const ENVOY: LogFormat = {
  name: 'envoy',
  read(line): ReadLine {
    const found = LINE.exec(line);
    if (!found) return NO_MATCH;
    const [, request = '', status, agent = '', authority = ''] = found;
    const parts = requestLine(request);
    if (!parts) return NO_REQUEST;
    return {
      ...parts,
      host: authority === '-' ? undefined : authority,
      headers: new Map([['user-agent', agent === '-' ? null : agent]]),
      status: status === '0' ? undefined : Number(status),
    };
  },
};

const NO_MATCH = { problem: "it is no line of Envoy's default format" };

/** Traefik's access log with `format: json`. Headers that it is told to keep are fields such as `request_X-Tier`. */
import { isMethod, type LogFormat, NO_VALUES, type ReadLine } from '../logged-request.ts';
import { jsonOf } from './json-line.ts';

const HEADER = 'request_';

export const TRAEFIK: LogFormat = {
  name: 'traefik',
  read(line): ReadLine {
    const json = jsonOf(line);
    if ('problem' in json) return json;
    const { fields } = json;
    const { RequestMethod: method, RequestHost: host, RequestPath: path, DownstreamStatus: status } = fields;
    if (!isMethod(method) || typeof host !== 'string' || typeof path !== 'string')
      return { problem: 'it has no RequestMethod, RequestHost and RequestPath' };
    const { RequestScheme: scheme, TLSVersion: tls } = fields;
    return {
      method,
      host: host === '' || host === '-' ? undefined : host,
      target: path,
      headers: headersOf(fields),
      ...(scheme === 'https' || typeof tls === 'string'
        ? { scheme: 'https' }
        : scheme === 'http'
          ? { scheme: 'http' }
          : {}),
      status: typeof status === 'number' ? status : undefined,
    };
  },
};

/** What is not there may have been dropped from the log, so nothing is known of it. */
function headersOf(fields: Record<string, unknown>) {
  let headers: Map<string, string | true> | undefined;
  for (const name in fields) {
    if (!name.startsWith(HEADER)) continue;
    const value = fields[name];
    if (typeof value !== 'string') continue;
    headers ??= new Map();
    // As `--accesslog.fields.headers.names.<name>=redact` writes it.
    headers.set(name.slice(HEADER.length).toLowerCase(), value === 'REDACTED' ? true : value);
  }
  return headers ?? NO_VALUES;
}

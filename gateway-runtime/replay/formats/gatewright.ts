/** The access log of this project: one JSON object a line (`proxy/telemetry/access-log.ts`). */
import {
  isMethod,
  type KnownValues,
  type LogFormat,
  NO_REQUEST,
  NO_VALUES,
  type ReadLine,
  type Served,
} from '../logged-request.ts';
import { isPort, jsonOf, textOf } from './json-line.ts';

/** Characters after which the log cuts paths. */
const CUT_AT = 2_048;

export const GATEWRIGHT: LogFormat = {
  name: 'gatewright',
  read(line): ReadLine {
    const json = jsonOf(line);
    if ('problem' in json) return json;
    const { fields } = json;
    const { method, host, path, status, scheme, gateway, port, serverName, matched } = fields;
    // A connection of a TLSRoute, of which no request is known.
    if (typeof gateway === 'string' && fields.protocol === 'TLS') return NO_REQUEST;
    if (typeof gateway !== 'string' || typeof status !== 'number')
      return { problem: 'it has no gateway and status' };
    if (method === undefined || host === '' || path === '') return NO_REQUEST;
    if (!isMethod(method) || typeof host !== 'string' || typeof path !== 'string')
      return { problem: 'it has no method, host and path' };
    if (scheme !== 'http' && scheme !== 'https')
      return { problem: `found the scheme ${JSON.stringify(scheme)}, expected http or https` };
    if (path.length >= CUT_AT) return { problem: `its path is cut after ${CUT_AT} characters` };
    if (matched !== undefined && !isRecord(matched))
      return { problem: 'found a "matched" that is no object' };
    const headers = valuesOf(matched?.headers);
    const query = valuesOf(matched?.query);
    if (!headers || !query)
      return { problem: 'found a "matched" with other values than texts, true and null' };
    return {
      method,
      host,
      target: path,
      headers,
      query,
      ...(isPort(port) ? { port } : {}),
      scheme,
      gateway,
      ...(typeof serverName === 'string' ? { serverName } : {}),
      status,
      served: servedOf(fields),
    };
  },
};

function servedOf({ namespace, route, rule, team, backend }: Record<string, unknown>): Served {
  const isRule = typeof namespace === 'string' && typeof route === 'string';
  return {
    ...(isRule ? { rule: `${namespace}/${route} ${rule}` } : {}),
    ...textOf('team', team),
    // `shop/cart/8080`
    ...(typeof backend === 'string' ? { backend: backend.replace(/\/([0-9]+)$/, ':$1') } : {}),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined where they are not as the log writes them. */
function valuesOf(found: unknown): KnownValues | undefined {
  if (found === undefined) return NO_VALUES;
  if (!isRecord(found)) return undefined;
  const values = new Map<string, string | null | true>();
  for (const [name, value] of Object.entries(found)) {
    if (typeof value !== 'string' && value !== null && value !== true) return undefined;
    values.set(name, value);
  }
  return values;
}

/**
 * The access log: one JSON object per line and one line per request, written when its response has ended, whatever the request
 * holds. Durations are in milliseconds.
 *
 * What can be a secret is not in it: no header values but Host and a request id, and no query, since tokens travel there
 * (`?access_token=`, signed URLs). Paths are, cut at 2,048 characters.
 */
import { type Endpoint, type GatewayId, gatewayKey, type Listener } from '../../snapshot/snapshot.ts';
import type { ClientConnection, Exchange, ExchangeTotals } from '../exchange.ts';

const LONGEST_PATH = 2_048;
/** Ids of tracing systems, and nothing that could be something else. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

export function accessLogLine(gateway: GatewayId, exchange: Exchange, totals: ExchangeTotals): string {
  const { connection, request, outcome } = exchange;
  const { listener, rule, endpoint } = outcome;
  const id = request.header('x-request-id');
  return JSON.stringify({
    time: new Date().toISOString(),
    gateway: gatewayKey(gateway),
    listener: listener?.source.listener,
    listenerSet: listener && listenerSetOf(listener),
    client: connection.remoteAddress,
    protocol: exchange.protocol,
    scheme: connection.tls ? 'https' : 'http',
    method: request.method,
    host: request.host,
    path: request.path.slice(0, LONGEST_PATH),
    status: totals.status,
    bytesReceived: totals.bytesReceived,
    bytesSent: totals.bytesSent,
    duration: Math.round(totals.duration * 1_000) / 1_000,
    team: rule?.source.team,
    namespace: rule?.source.namespace,
    route: rule?.source.name,
    rule: rule && (rule.source.ruleName ?? rule.source.rule),
    backend: outcome.backend?.slice('backend/'.length),
    endpoint: endpoint && addressOf(endpoint),
    attempts: outcome.tried.length > 1 ? outcome.tried.length : undefined,
    failure: outcome.failure,
    requestId: id !== undefined && REQUEST_ID.test(id) ? id : undefined,
  });
}

const listenerSetOf = ({ source: { kind, namespace, name } }: Listener) =>
  kind === 'ListenerSet' ? `${namespace}/${name}` : undefined;

const addressOf = ({ address, port }: Endpoint) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** What came was no request, so there is little to say. */
export function malformedLogLine(gateway: GatewayId, connection: ClientConnection, status: number): string {
  return JSON.stringify({
    time: new Date().toISOString(),
    gateway: gatewayKey(gateway),
    client: connection.remoteAddress,
    scheme: connection.tls ? 'https' : 'http',
    status,
    failure: 'malformed-request',
  });
}

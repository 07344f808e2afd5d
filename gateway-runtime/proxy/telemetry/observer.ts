/** What happens, written to the access log and counted. */
import type { GatewayId } from '../../snapshot/snapshot.ts';
import type { HandshakeCause } from '../exchange.ts';
import type { Observer } from '../pipeline/observer.ts';
import type { TlsObserver } from '../tls-routes/tls-connections.ts';
import { AccessLogLines } from './access-log.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { MatchedNames } from './matched-names.ts';

export interface ObserverOptions {
  /** Called with one JSON line per request, without line end. */
  readonly accessLog?: (line: string) => void;
  /** Told of defects of the data plane itself; the request or connection that showed one was ended. Default: console.error. */
  readonly onDefect?: (error: unknown) => void;
}

export function observe(
  gateway: GatewayId,
  metrics: GatewayMetrics,
  matched: MatchedNames,
  { accessLog, onDefect = console.error }: ObserverOptions,
): Observer & TlsObserver {
  const lines = new AccessLogLines(gateway, matched);
  const internalError = (error: unknown) => {
    metrics.count('internal-error');
    try {
      onDefect(error);
    } catch {
      // It is counted.
    }
  };
  /** A log that can't be written costs no request. */
  const log = (line: string) => {
    try {
      accessLog?.(line);
    } catch (error) {
      internalError(error);
    }
  };
  return {
    ended(exchange, totals) {
      const { outcome } = exchange;
      metrics.request(outcome, totals);
      if (outcome.refusal) metrics.count(outcome.refusal);
      if (accessLog) log(lines.request(exchange, totals));
    },
    tlsEnded(connection) {
      metrics.tlsConnection(connection);
      if (accessLog) log(lines.tlsConnection(connection));
    },
    malformed(connection, status) {
      metrics.count('malformed-request');
      if (accessLog) log(lines.malformed(connection, status));
    },
    connectionDropped: () => metrics.count('connection-dropped'),
    requestWaited: () => metrics.count('request-waited'),
    sessionRefused: () => metrics.count('session-refused'),
    mirrorDropped: () => metrics.count('mirror-dropped'),
    authorizationFailed: () => metrics.count('authorization-failed'),
    handshakeFailed(_connection, cause?: HandshakeCause) {
      metrics.count('tls-handshake-failed');
      if (cause) metrics.count(cause);
    },
    internalError,
  };
}

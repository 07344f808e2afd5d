/** What is told of exchanges and connections, for log and metrics: `telemetry/observer.ts` is the one that serves. */
import type { ClientConnection, Exchange, ExchangeTotals, HandshakeCause } from '../exchange.ts';

/** Called within the event that it is told of, so it may neither throw nor wait. */
export interface Observer {
  /** Once for every exchange. */
  ended(exchange: Exchange, totals: ExchangeTotals): void;
  /** What came on the connection was no request. `status`: it was answered so; 0 where it was not. */
  malformed(connection: ClientConnection, status: number): void;
  connectionDropped(): void;
  mirrorDropped(): void;
  authorizationFailed(): void;
  /** It has to: all endpoints of its backend have as many requests as they may have. */
  requestWaited(): void;
  /** What a client showed as its session is none that counts: forged, expired, or of another rule. */
  sessionRefused(): void;
  handshakeFailed(connection: ClientConnection, cause?: HandshakeCause): void;
  internalError(error: unknown): void;
}

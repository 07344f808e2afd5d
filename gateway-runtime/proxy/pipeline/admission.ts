/**
 * What a rule asks of a request before anything else is done for it, its filters included: from where the client comes, and how large the
 * body is. So who is not to come learns nothing, not even where a redirect would lead.
 *
 * The client is who made the connection, whatever X-Forwarded-For says. Octets of the body are counted as they come, in whichever coding:
 * without the framing of chunks, and for gRPC all messages of the call together. After a switch of protocols (WebSocket) there is no body.
 */
import { type Address, parseAddress } from '../../api/network.ts';
import type { LocalReply } from '../../filters/definition.ts';
import { Networks } from '../../match/networks.ts';
import type { HttpRule } from '../../snapshot/snapshot.ts';
import type { ClientConnection, Exchange } from '../exchange.ts';
import { CLIENT_NOT_ALLOWED, REQUEST_TOO_LARGE } from '../replies.ts';

/** Why a request was refused that its rule would serve otherwise. */
export type Refusal = 'client-not-allowed' | 'request-too-large';

export class Admission {
  readonly #allowed: Networks | undefined;
  readonly #mostBytes: number | undefined;

  constructor({ allow, maxRequestBytes }: Pick<HttpRule, 'allow' | 'maxRequestBytes'>) {
    this.#allowed = allow && new Networks(allow);
    this.#mostBytes = maxRequestBytes;
  }

  /** A reply where the request does not go on. */
  refuse(exchange: Exchange): LocalReply | undefined {
    if (this.#allowed && !isFrom(this.#allowed, exchange.connection)) {
      exchange.outcome.refusal = 'client-not-allowed';
      return CLIENT_NOT_ALLOWED;
    }
    if (this.#mostBytes === undefined || exchange.boundBody(this.#mostBytes)) return undefined;
    exchange.outcome.refusal = 'request-too-large';
    return REQUEST_TOO_LARGE;
  }
}

/** One for all matches of a rule. */
const ADMISSIONS = new WeakMap<HttpRule, Admission>();

/** Undefined where every request is taken that matches. Throws where a network can't be read. */
export function admissionOf(rule: HttpRule): Admission | undefined {
  if (rule.allow === undefined && rule.maxRequestBytes === undefined) return undefined;
  let admission = ADMISSIONS.get(rule);
  if (!admission) {
    admission = new Admission(rule);
    ADMISSIONS.set(rule, admission);
  }
  return admission;
}

/** Addresses of clients whose rules asked for them: read once for each connection. */
const ADDRESSES = new WeakMap<ClientConnection, Address>();

function isFrom(networks: Networks, connection: ClientConnection): boolean {
  let address = ADDRESSES.get(connection);
  if (address === undefined) {
    // Of a link-local address the interface is part (RFC 4007 section 11).
    address = parseAddress(connection.remoteAddress.split('%', 1)[0]!);
    // A connection that is gone by now has none.
    if (address === undefined) return false;
    ADDRESSES.set(connection, address);
  }
  return networks.has(address);
}

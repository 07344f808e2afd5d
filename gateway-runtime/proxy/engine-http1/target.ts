/** What a head asks for: where to, or why it is not routed, and which protocol to switch to. */
import { METHODS as KNOWN_METHODS } from 'node:http';
import {
  CODING_IN_1_0,
  CONNECT_REFUSED,
  UNKNOWN_EXPECTATION,
  UNKNOWN_METHOD,
  UPGRADE_WITH_BODY,
} from '../request-problems.ts';
import { type RequestTarget, readTarget, type TargetProblem } from '../request-target.ts';
import type { Head } from './head.ts';

/** Those that are registered, and nothing that a backend might take for something else (RFC 9110 section 16.1). */
const METHODS = new Set(KNOWN_METHODS);

/** Where what follows the head can't be trusted, the head is made to close its connection. */
export function targetOf(head: Head): RequestTarget | TargetProblem {
  if (head.method === 'CONNECT') {
    head.close = true;
    return CONNECT_REFUSED;
  }
  if (head.chunked && head.minor === 0) return CODING_IN_1_0;
  if (head.expect >= 0 && head.received('expect')!.toLowerCase() !== '100-continue')
    return UNKNOWN_EXPECTATION;
  if (!METHODS.has(head.method)) {
    head.close = true;
    return UNKNOWN_METHOD;
  }
  if (upgradeOf(head) && (head.chunked || head.length > 0)) {
    head.close = true;
    return UPGRADE_WITH_BODY;
  }
  const url = head.text.slice(head.targetStart, head.targetEnd);
  return readTarget(url, head.host < 0 ? '' : head.valueOf(head.host), head.hosts);
}

/**
 * Only WebSocket is passed on. Of other protocols, such as h2c, the tunnel would carry requests that no route was asked for; they
 * are served as if they had not asked ("A server MAY ignore a received Upgrade header field", RFC 9110 section 7.8).
 */
export function upgradeOf(head: Head): string | undefined {
  if (!head.asksUpgrade || head.upgrade < 0 || head.minor === 0 || head.method !== 'GET') return undefined;
  return head.received('upgrade')!.toLowerCase() === 'websocket' ? 'websocket' : undefined;
}

/** What makes a request one that is not routed: the answers are the same, whichever engine reads it. */
import type { TargetProblem } from './request-target.ts';

const problem = (status: number, message: string): TargetProblem => Object.freeze({ status, message });

export const TOO_MANY_FIELDS = problem(431, 'the request has too many header fields');
/** RFC 9110 section 15.6.6. What is written as 0.9 or 2.0 in a head of HTTP/1 is neither. */
export const UNKNOWN_VERSION = problem(505, 'the only versions here are HTTP/1.0 and HTTP/1.1');
export const UNKNOWN_CODING = problem(501, 'a transfer coding other than chunked is not supported');
export const CODING_IN_1_0 = problem(400, 'an HTTP/1.0 request must not have a transfer coding');
export const UNKNOWN_EXPECTATION = problem(417, 'the only expectation that can be met is 100-continue');
export const CONNECT_REFUSED = problem(405, 'CONNECT is not supported: this is no forward proxy');
export const UPGRADE_WITH_BODY = problem(400, 'a request that asks for an upgrade must not have a body');
/** RFC 9110 section 15.6.2. */
export const UNKNOWN_METHOD = problem(501, 'the method is none that is registered');

/** What a request of node:http is for. */
import type { IncomingMessage } from 'node:http';
import { type RequestTarget, readTarget, type TargetProblem } from '../request-target.ts';

export function targetOf({ url, rawHeaders }: IncomingMessage): RequestTarget | TargetProblem {
  let host = '';
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length !== 4 || rawHeaders[i]!.toLowerCase() !== 'host') continue;
    if (hosts++ === 0) host = rawHeaders[i + 1]!;
  }
  return readTarget(url ?? '', host, hosts);
}

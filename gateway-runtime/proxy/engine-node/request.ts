/** A request of node:http as the matcher and the filters see it. */
import type { IncomingMessage } from 'node:http';
import type { MatchRequest } from '../../match/request.ts';
import type { ForwardedHead } from '../exchange.ts';
import { withoutHopByHop } from '../hop-by-hop.ts';
import { type RequestTarget, readTarget, type TargetProblem } from '../request-target.ts';
import { fieldValue, HeaderFields } from './header-fields.ts';

export function targetOf({ url, rawHeaders }: IncomingMessage): RequestTarget | TargetProblem {
  let host = '';
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length !== 4 || rawHeaders[i]!.toLowerCase() !== 'host') continue;
    if (hosts++ === 0) host = rawHeaders[i + 1]!;
  }
  return readTarget(url ?? '', host, hosts);
}

/** As received. */
export class ReceivedRequest implements MatchRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly #raw: readonly string[];

  constructor(message: IncomingMessage, target: RequestTarget | undefined) {
    this.method = message.method ?? '';
    this.host = target?.host ?? '';
    this.path = target?.path ?? '';
    this.query = target?.query ?? '';
    this.#raw = message.rawHeaders;
  }

  header(name: string): string | undefined {
    return fieldValue(this.#raw, name);
  }
}

/** As it will be forwarded: a copy, without the fields of this hop. `authority` stands for Host, whatever a field says. */
export class ForwardedRequest extends HeaderFields implements ForwardedHead {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly listenerPort: number;
  readonly query: string;
  path: string;
  authority: string;

  constructor(message: IncomingMessage, target: RequestTarget, scheme: string, listenerPort: number) {
    super(withoutHopByHop(message.rawHeaders));
    this.method = message.method ?? '';
    this.scheme = scheme;
    this.host = target.host;
    this.listenerPort = listenerPort;
    this.path = target.path;
    this.query = target.query;
    this.authority = target.authority;
  }
}

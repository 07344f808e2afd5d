/** What filters do to a request: they are run on it, compiled as the proxy compiles them. */
import type { LocalReply, RequestHead } from '../filters/definition.ts';
import { compileFilters } from '../filters/index.ts';
import type { MatchRequest } from '../match/request.ts';
import type { FilterConfig, PathMatch } from '../snapshot/snapshot.ts';
import type { ExplainedReply } from './explanation.ts';

/** The head of an imagined request, over the one that was asked about. */
export class ImaginedHead implements RequestHead {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly listenerPort: number;
  readonly query: string;
  path: string;
  authority: string;
  readonly #original: MatchRequest;
  /** What was edited, by lower-case name; null where it was removed. */
  readonly #edited = new Map<string, string | null>();

  constructor(request: MatchRequest, scheme: string, listenerPort: number) {
    this.method = request.method;
    this.scheme = scheme;
    this.host = request.host;
    this.listenerPort = listenerPort;
    this.query = request.query;
    this.path = request.path;
    this.authority = request.host;
    this.#original = request;
  }

  /** For the filters of one backend among several. */
  copy(): ImaginedHead {
    const copy = new ImaginedHead(this.#original, this.scheme, this.listenerPort);
    copy.path = this.path;
    copy.authority = this.authority;
    for (const [name, value] of this.#edited) copy.#edited.set(name, value);
    return copy;
  }

  get(name: string): string | undefined {
    const key = name.toLowerCase();
    const edited = this.#edited.get(key);
    return edited === undefined ? this.#original.header(key) : (edited ?? undefined);
  }

  set(name: string, value: string): void {
    this.#edited.set(name.toLowerCase(), value);
  }

  add(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  remove(name: string): void {
    this.#edited.set(name.toLowerCase(), null);
  }
}

export interface FilterContext {
  /** The path match of the match that serves. */
  readonly path: PathMatch;
  readonly publicPort: (port: number) => number;
}

/** Edits the head as the filters do; the reply of the first that gives one. Throws where a filter is not known. */
export function applyFilters(
  filters: readonly FilterConfig[],
  head: ImaginedHead,
  context: FilterContext,
): ExplainedReply | undefined {
  for (const filter of compileFilters(filters, context)) {
    const reply = filter.request?.(head);
    if (reply) return explained(reply);
  }
  return undefined;
}

function explained({ status, headers }: LocalReply): ExplainedReply {
  const location = headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
  return { status, ...(location === undefined ? {} : { location }) };
}

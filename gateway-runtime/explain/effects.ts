/** What filters do to a request: they are run on it, compiled as the proxy compiles them. */
import type { EditableHead, LocalReply } from '../filters/definition.ts';
import { EditedRequest } from '../filters/edited-request.ts';
import { compileFilters } from '../filters/index.ts';
import type { MatchRequest } from '../match/request.ts';
import type { FilterConfig, PathMatch } from '../snapshot/snapshot.ts';
import type { ExplainedReply } from './explanation.ts';

/** Fields of an imagined request, over those of the one that was asked about. */
class ImaginedFields implements EditableHead {
  readonly #original: MatchRequest;
  /** What was edited, by lower-case name; null where it was removed. */
  readonly #edited: Map<string, string | null>;

  constructor(original: MatchRequest, edited: Iterable<[string, string | null]> = []) {
    this.#original = original;
    this.#edited = new Map(edited);
  }

  copy(): ImaginedFields {
    return new ImaginedFields(this.#original, this.#edited);
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

/** The head of an imagined request. */
export class ImaginedHead extends EditedRequest<ImaginedFields> {
  readonly #request: MatchRequest;

  constructor(
    request: MatchRequest,
    scheme: string,
    listenerPort: number,
    fields = new ImaginedFields(request),
  ) {
    super(request, request.host, scheme, listenerPort, fields);
    this.#request = request;
  }

  /** For the filters of one backend among several. */
  copy(): ImaginedHead {
    const copy = new ImaginedHead(this.#request, this.scheme, this.listenerPort, this.fields.copy());
    copy.path = this.path;
    copy.authority = this.authority;
    return copy;
  }
}

export interface FilterContext {
  /** The path match of the match that serves. */
  readonly path: PathMatch;
  readonly publicPort: (port: number) => number;
}

export interface Effects {
  /** Of the first filter that gives one. */
  readonly reply?: ExplainedReply;
  /** Services that are asked before, as the route names them; that they say yes is taken for granted. */
  readonly asked: readonly string[];
}

/** Edits the head as the filters do. Throws where a filter is not known. */
export function applyFilters(
  filters: readonly FilterConfig[],
  head: ImaginedHead,
  context: FilterContext,
): Effects {
  const asked: string[] = [];
  for (const filter of compileFilters(filters, context)) {
    if (filter.authorization) asked.push(filter.authorization.name);
    const reply = filter.request?.(head);
    if (reply) return { reply: explained(reply), asked };
  }
  return { asked };
}

function explained({ status, headers }: LocalReply): ExplainedReply {
  const location = headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
  return { status, ...(location === undefined ? {} : { location }) };
}

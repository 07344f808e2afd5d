import type { MatchRequest } from '../match/request.ts';
import type { EditableHead, RequestHead } from './definition.ts';

/** A request while filters edit it, over the fields that it has. */
export class EditedRequest<Fields extends EditableHead = EditableHead> implements RequestHead {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly listenerPort: number;
  readonly query: string;
  path: string;
  authority: string;
  readonly fields: Fields;

  /** @param received what was matched */
  constructor(
    received: MatchRequest,
    authority: string,
    scheme: string,
    listenerPort: number,
    fields: Fields,
  ) {
    this.method = received.method;
    this.scheme = scheme;
    this.host = received.host;
    this.listenerPort = listenerPort;
    this.path = received.path;
    this.query = received.query;
    this.authority = authority;
    this.fields = fields;
  }

  get(name: string): string | undefined {
    return this.fields.get(name);
  }

  set(name: string, value: string): void {
    this.fields.set(name, value);
  }

  add(name: string, value: string): void {
    this.fields.add(name, value);
  }

  remove(name: string): void {
    this.fields.remove(name);
  }
}

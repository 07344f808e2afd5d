/** A request as the matcher and the filters see it, over fields as its engine keeps them. */
import type { AuthorizedHead, EditableHead } from '../filters/definition.ts';
import { EditedRequest } from '../filters/edited-request.ts';
import type { MatchRequest } from '../match/request.ts';
import type { RequestTarget } from './request-target.ts';

export interface ReceivedFields {
  /** As received, whatever was edited since. `lower` is in lower case. */
  received(lower: string): string | undefined;
}

/** As it was matched. */
export class ReceivedRequest implements MatchRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly #authority: string | undefined;
  readonly #fields: ReceivedFields;

  /** @param target absent where it can't be read */
  constructor(method: string, target: RequestTarget | undefined, fields: ReceivedFields) {
    this.method = method;
    this.host = target ? target.host : '';
    this.path = target ? target.path : '';
    this.query = target ? target.query : '';
    this.#authority = target?.authority;
    this.#fields = fields;
  }

  header(name: string): string | undefined {
    // As it is forwarded: another Host may have been received, and was not asked for.
    return name === 'host' ? this.#authority : this.#fields.received(name);
  }
}

type ForwardedFields = EditableHead & Pick<AuthorizedHead, 'removeIf' | 'each'>;

/** As it will be forwarded. `authority` stands for Host, whatever a field says. */
export class ForwardedRequest<Fields extends ForwardedFields = ForwardedFields>
  extends EditedRequest<Fields>
  implements AuthorizedHead
{
  removeIf(initials: string, test: (name: string) => boolean): void {
    this.fields.removeIf(initials, test);
  }

  each(visit: (name: string, value: string) => void): void {
    this.fields.each(visit);
  }
}

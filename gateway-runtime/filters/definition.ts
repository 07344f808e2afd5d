/**
 * What a filter is: one object that says how its API form is checked and resolved, what it becomes in the snapshot,
 * what it does to a request and a response, and how it is explained. One file per filter; `index.ts` has the registry.
 */
import type { HttpFilter } from '../api/http-filter.ts';
import type { MatchRequest } from '../match/request.ts';
import type { BackendKey, PathMatch } from '../snapshot/snapshot.ts';

/** A part of a message head that filters may edit. Names are compared without case. */
export interface EditableHead {
  /** Values of one name joined by ", "; undefined where there is none. */
  get(name: string): string | undefined;
  /** Replaces every field of this name. */
  set(name: string, value: string): void;
  add(name: string, value: string): void;
  remove(name: string): void;
}

export interface RequestHead extends EditableHead {
  readonly method: string;
  /** `http` or `https`, as the client sees it. */
  readonly scheme: string;
  /** Canonical host of the request, as it was matched. */
  readonly host: string;
  /** Port of the Gateway's listener that the request came on. */
  readonly listenerPort: number;
  /** Normalized path as it will be forwarded; begins as the one that was matched. */
  path: string;
  /** Without "?"; empty where there is none. */
  readonly query: string;
  /** The Host to be forwarded; begins as received. */
  authority: string;
}

export interface ResponseHead extends EditableHead {
  status: number;
}

export type ReplyField = readonly [name: string, value: string];

/** A response that a filter gives itself; no backend is asked. */
export interface LocalReply {
  readonly status: number;
  readonly headers: readonly ReplyField[];
  readonly body: string | Uint8Array;
}

/** What a filter may ask while it is translated. There is no other way to another object. */
export interface TranslateContext {
  /**
   * Resolves a backend reference of the route, ReferenceGrant included; where it fails, `backend` is absent and the route's status
   * says so already. `field` is within the filter.
   */
  backend(
    ref: { group: string; kind: string; name: string; namespace?: string; port?: number },
    field: string,
  ): { readonly name: string; readonly backend?: BackendKey };
  /** The filter can't be served: its rule answers 500 and the route's status says why. */
  refuse(
    reason: 'UnsupportedValue' | 'IncompatibleFilters' | 'InvalidKind' | 'BackendNotFound',
    message: string,
  ): undefined;
}

/** What a filter knows of its rule when it is compiled, once per rule. */
export interface CompileContext {
  /** The path match of the request's match, for ReplacePrefixMatch. */
  readonly path: PathMatch;
  /** Ports as a client outside sees them: `serve` moves ports, and a redirect must point to where it is served. */
  publicPort(port: number): number;
}

export interface CompiledMirror {
  readonly backend: BackendKey;
  /** Of the requests, above 0 and up to 1. */
  readonly share: number;
}

/** The head of a request that somebody is asked about. */
export interface AuthorizedHead extends RequestHead {
  /** Removes every field whose name, in lower case, begins with one of the initials and passes the test. */
  removeIf(initials: string, test: (name: string) => boolean): void;
  each(visit: (name: string, value: string) => void): void;
}

/** A request that somebody is asked about. */
export interface AuthorizationSubject {
  readonly head: AuthorizedHead;
  /** Its body, in pieces; absent where it is not sent along. */
  readonly body?: readonly Uint8Array[] | undefined;
  /** Its X-Request-ID, or else one that it is known by here alone. */
  id(): string;
  /** When it came, in milliseconds since 1970. */
  readonly time: number;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  readonly client: {
    readonly remoteAddress: string;
    readonly remotePort: number;
    /** Of the listener. */
    readonly port: number;
  };
}

/** A request that asks whether another one may go on. What frames it is for whoever sends it. */
export interface AuthorizationRequest {
  readonly method: string;
  readonly target: string;
  /** Of Host. */
  readonly authority: string;
  readonly fields: readonly ReplyField[];
  /** Its body, in pieces. */
  readonly content: readonly Uint8Array[];
  /** In HTTP/2, whatever its backend is said to speak. */
  readonly isHttp2?: boolean;
}

/** What a Service said that was asked. */
export interface AuthorizationAnswer {
  readonly status: number;
  /** Names and values in turns, without those of one hop. */
  readonly fields: readonly string[];
  /** Absent where it is larger than `limits.authorizationBody`. */
  readonly body?: Uint8Array;
  /** Names and values in turns. */
  readonly trailers: readonly string[];
}

/** What an answer comes to. */
export type AuthorizationVerdict =
  /** `response` edits the response of the backend, before the filters of the rule do. */
  | { readonly result: 'allowed'; readonly response?: (head: EditableHead) => void }
  /** The client gets this, and none of it that could be taken for what it asked for. */
  | ({ readonly result: 'denied' } & Pick<AuthorizationAnswer, 'status' | 'fields'> & {
        readonly body: Uint8Array | undefined;
      })
  /** It is none, so the request does not go on. */
  | { readonly result: 'failed' };

export const ALLOWED: AuthorizationVerdict = Object.freeze({ result: 'allowed' });
export const UNANSWERED: AuthorizationVerdict = Object.freeze({ result: 'failed' });

/** A Service that is asked before the request goes on. */
export interface CompiledAuthorization {
  /** As the route names it. */
  readonly name: string;
  readonly backend: BackendKey;
  /** Octets of the request's body that it is sent; 0 is none of it. */
  readonly body: number;
  ask(subject: AuthorizationSubject): AuthorizationRequest;
  /** Where the Service says yes, `head` takes over what it says of the request. */
  judge(head: AuthorizedHead, answer: AuthorizationAnswer): AuthorizationVerdict;
}

/** Runs per request, so it closes over nothing but its own configuration and allocates nothing it need not. */
export interface CompiledFilter {
  /** Whom to ask before the filters after this one run; a filter that has it edits no request. */
  readonly authorization?: CompiledAuthorization;
  /** A backend that gets a copy of the request, as it is after all filters that stand where this one does. */
  readonly mirror?: CompiledMirror;
  /** Edits the request; a reply ends the exchange. */
  request?(head: RequestHead): LocalReply | undefined;
  /** Edits the response of a backend to a request, which is as it was received. */
  response?(head: ResponseHead, request: MatchRequest): void;
  /** Fields for what the gateway answers itself, in its rule's place. */
  reply?(request: MatchRequest): readonly ReplyField[];
}

export interface FilterDefinition<Type extends HttpFilter['type'] = HttpFilter['type'], Config = unknown> {
  readonly type: Type;
  /** Features of Gateway API (`supportedFeatures`) that exist because of this filter. */
  readonly features: readonly string[];
  /** Where it may stand. */
  readonly onRules: boolean;
  readonly onBackends: boolean;
  /** API form to snapshot form; undefined after `context.refuse`. */
  translate(filter: HttpFilter, context: TranslateContext): Config | undefined;
  compile(config: Config, context: CompileContext): CompiledFilter;
  /** One line for people, such as `sets x-tier to gold`. */
  explain(config: Config): string;
}

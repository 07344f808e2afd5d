/**
 * Where a request goes, and why, as plain JSON: what `gatewright explain --json` and `/explain` of the admin server give, both in
 * this form. Fields are added to it and not taken away; texts in it are for people and may change.
 */
import type { LostOn } from '../match/reference.ts';
import type { ExampleRequest } from '../snapshot/diagnostic.ts';

/** The whole answer: of the Gateway that answers the request best among those that have the port. */
export interface Explained extends Explanation {
  /** Of the other Gateways that have the port, those first that serve the request too: only its address tells which is meant. */
  readonly others: readonly Explanation[];
  /** Routes for the host that are not attached where they say; empty where a route serves the request. */
  readonly refused: readonly RefusedRoute[];
}

/** A route that might have served the request. */
export interface RefusedRoute {
  /** `HTTPRoute/<namespace>/<name>` */
  readonly route: string;
  /** A reason of Gateway API, or `ParentNotFound`, `NoParent`, `InvalidField`, `RefusedAtSynth`, `ListenerNotProgrammed`. */
  readonly reason: string;
  /** Path of the field at fault, where it is one. */
  readonly field?: string;
  /** What was found and what was expected, without a full stop. */
  readonly message: string;
  /** The next step, without a full stop. */
  readonly fix?: string;
  /** Where the route stands: a file and document, or an app and the construct path. */
  readonly origin?: string;
  /** A request that the route would serve. */
  readonly example?: ExampleRequest;
}

export interface Explanation {
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  readonly request: ExplainedRequest;
  /** What happens, in a sentence. */
  readonly summary: string;
  /**
   * What the gateway answers itself. Absent where a backend answers, at least some of the requests, and where no HTTP is spoken at
   * all because the connection fails (`summary` says which).
   */
  readonly status?: number;
  /** Those of the port; the one that serves is the first. */
  readonly listeners: readonly ExplainedListener[];
  /** Every match of every rule of these listeners: the one that serves, those it goes before, those that don't match. */
  readonly matches: readonly ExplainedMatch[];
  /** Why the rule that serves goes before the next one that matches. */
  readonly decision?: ExplainedDecision;
  /** Of the rule that serves, in the order in which they run. */
  readonly filters: readonly string[];
  /** What a filter answers instead of a backend. */
  readonly reply?: ExplainedReply;
  /** What is forwarded, where filters change it. */
  readonly forwarded?: { readonly host: string; readonly path: string };
  readonly backends: readonly ExplainedBackend[];
  /** Those in force for the rule that serves and its backends; absent where there are none. */
  readonly policies?: readonly ExplainedPolicy[];
  /** From where its clients may come, how large bodies may be, timeouts and retries of the rule that serves, in words; absent where it has none. */
  readonly limits?: readonly string[];
  /** How the rule that serves keeps a client at one endpoint, in words; absent where it does not. Shares are of new sessions then. */
  readonly session?: string;
}

export interface ExplainedRequest {
  readonly method: string;
  /** Canonical, as they are matched and forwarded. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly port: number;
  readonly tls: boolean;
  /** A TLSRoute decides, by the server name alone: the rest makes no difference. */
  readonly isConnection?: boolean;
  /** Host or path as given, where they were not canonical. */
  readonly given?: { readonly host: string; readonly path: string };
}

export interface ExplainedListener {
  /** `Gateway` or `ListenerSet`, with the namespace and name of that object, and the name of the listener in it. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly listener: string;
  readonly protocol: string;
  readonly port: number;
  readonly hostname?: string;
  /** `TLS 1.3 or newer`, where it says so. */
  readonly tls?: string;
  /** Whom it lets in, in words, where it asks clients for certificates. */
  readonly clients?: string;
  readonly serves: boolean;
  readonly reason: string;
}

export interface RuleName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Index of the rule in the route, from 0. */
  readonly rule: number;
  readonly ruleName?: string;
}

export interface ExplainedMatch extends RuleName {
  /** Index of the match in the rule, from 0. */
  readonly match: number;
  /** What the match asks for, such as `PathPrefix /cart, header x-tier: gold`. */
  readonly asks: string;
  /** The most specific hostname of the rule that matches; "*" is any. */
  readonly hostname?: string;
  readonly outcome: 'serves' | 'outranked' | 'does not match';
  /** What it lost on, unless it serves. */
  readonly lostOn?: LostOn;
  /** In words. */
  readonly reason?: string;
  /** Id of the line of precedence by which the one that serves goes before this one. */
  readonly precedence?: string;
}

export interface ExplainedDecision {
  /** Id of the line of precedence (`match/precedence.ts`). */
  readonly precedence: string;
  readonly sentence: string;
  readonly over: RuleName;
}

/** A policy in force. */
export interface ExplainedPolicy {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** What it is in force for, as the route names it: `Service shop/cart:8080`, `HTTPRoute shop/cart spec.rules[0]`, `listener https`. */
  readonly target: string;
  /** What of it, where that is one thing of several: `overrides.requestTimeout`. */
  readonly field?: string;
  /** In words. */
  readonly effect: string;
  /** Where it stands, where that is known: a file and document, or an app and the construct path. */
  readonly origin?: string;
}

export interface ExplainedReply {
  readonly status: number;
  readonly location?: string;
}

export interface ExplainedBackend {
  /** As the route names it. */
  readonly name: string;
  readonly weight: number;
  /** Of the requests that the rule serves, in percent, to a tenth. */
  readonly share: number;
  /** Why this share is answered 500, or its connections are closed. */
  readonly unresolved?: { readonly reason: string; readonly message: string };
  /** Where it is reached over TLS: as whom, and what is trusted and shown, in words. */
  readonly tls?: string;
  readonly filters: readonly string[];
  readonly reply?: ExplainedReply;
}

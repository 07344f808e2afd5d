/**
 * What the compiler says of a policy of a team, where the grant was exported with what the platform enforces: types alone. Synth says it of all
 * fields, by the translation of the objects.
 */
import type { GrantPolicy } from './granted-policies.ts';
import type { GrantData } from './import-grant.ts';
import type { HttpsRedirectProps } from './policy-values.ts';

export const enforced: unique symbol = Symbol('enforced');
/** A grant with what is enforced on its routes. The compiler alone knows of it: no object has it. */
export interface Enforcing<Enforced> {
  [enforced]?(): Enforced;
}

type IsOfGateway<Target> = Target extends { readonly kind: 'Gateway' }
  ? Target extends { readonly sectionName: string }
    ? false
    : true
  : false;

/** The first policy for all of the gateway, which is the one that counts. */
type OfGateway<Policies> = Policies extends readonly [infer First extends GrantPolicy, ...infer Others]
  ? true extends IsOfGateway<First['targetRefs'][number]>
    ? First
    : OfGateway<Others>
  : unknown;

type ProtocolOf<Place> = Place extends { readonly protocol: infer Protocol } ? Protocol : never;

/** What is enforced on routes of a grant, and the bounds of defaults, by its data; unknown where that does not say. */
export type EnforcedBy<Data extends GrantData> =
  OfGateway<Data['policies']> extends infer Policy extends GrantPolicy
    ? {
        readonly gateway: Data['gateway'];
        readonly protocols: ProtocolOf<Data['places'][number]>;
        readonly overrides: Policy extends { readonly overrides: infer Overrides } ? Overrides : unknown;
        readonly defaults: Policy extends { readonly defaults: infer Defaults } ? Defaults : unknown;
      }
    : unknown;

/** What is enforced on routes on this. */
export type EnforcedOn<On> = On extends readonly (infer Each)[]
  ? EnforcedOn<Each>
  : On extends Enforcing<infer Enforced>
    ? Enforced
    : unknown;

type Unless<Problem, Asked> = [Problem] extends [never] ? Asked : Problem;

/** What `maxRequestBytes` takes: the number, or a sentence that says why not. */
export type BytesWithin<Asked extends number, Enforced> = Unless<
  | (Enforced extends {
      readonly gateway: infer Gateway extends string;
      readonly overrides: { readonly maxRequestBytes: infer Most extends number };
    }
      ? BytesProblem<Asked, Most, Gateway>
      : never)
  | (Enforced extends {
      readonly gateway: infer Gateway extends string;
      readonly defaults: { readonly maxRequestBytes: { readonly max: infer Most extends number } };
    }
      ? BytesProblem<Asked, Most, Gateway>
      : never),
  Asked
>;

type BytesProblem<Asked extends number, Most extends number, Gateway extends string> = number extends
  | Asked
  | Most
  ? never
  : IsMore<`${Asked}`, `${Most}`> extends true
    ? `${Asked} is more than gateway ${Gateway} lets routes take (at most: ${Most})`
    : never;

/** Whether one whole number is more than another, digit by digit; `SoFar` is that of those before, where they are as many. */
type IsMore<A extends string, B extends string, SoFar = undefined> = A extends `${infer First}${infer Rest}`
  ? B extends `${infer Other}${infer Others}`
    ? IsMore<Rest, Others, SoFar extends undefined ? IsLaterDigit<First, Other> : SoFar>
    : true
  : B extends ''
    ? SoFar
    : false;

type IsLaterDigit<A extends string, B extends string> = A extends B
  ? undefined
  : '0123456789' extends `${string}${B}${string}${A}${string}`
    ? true
    : false;

/** What `httpsRedirect` takes: the redirect, or a sentence that says why not. */
export type RedirectWithin<Asked, Enforced> = Unless<
  Enforced extends {
    readonly gateway: infer Gateway extends string;
    readonly protocols: infer Protocols;
    readonly overrides: { readonly httpsRedirect: infer Forced };
  }
    ? // Where there is TLS already, none is asked for.
      ('HTTP' extends Protocols ? ForcedText<Forced> : never) extends infer Text extends string
      ? Text extends RedirectText<Asked>
        ? never
        : `gateway ${Gateway} enforces httpsRedirect: ${Text}`
      : never
    : never,
  Asked
>;

type ForcedText<Forced> = Forced extends { readonly enabled: false }
  ? 'no redirect'
  : Forced extends {
        readonly statusCode: infer Status extends number;
        readonly port: infer Port extends number;
      }
    ? `${Status} to port ${Port}`
    : never;

/** All that it may come to. */
type RedirectText<Asked> = Asked extends boolean
  ? Asked extends true
    ? '308 to port 443'
    : 'no redirect'
  : Asked extends number
    ? `${Asked} to port 443`
    : Asked extends HttpsRedirectProps
      ? `${NumberOr<Asked['statusCode'], 308>} to port ${NumberOr<Asked['port'], 443>}`
      : string;

type NumberOr<Value, Otherwise extends number> = Value extends number ? Value : Otherwise;

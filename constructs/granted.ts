/**
 * What the compiler says. A property that asks for something outside a grant gets a sentence as its expected type, so that the
 * error stands at the offending value and reads: `"media.example.com"` is not assignable to `"media.example.com is outside this
 * grant (granted: shop.example.com)"`. Types only; the same rules hold at synth time in `attachment.ts`.
 */
import type { Attachment } from './attachment.ts';
import type { Backend, Split } from './backend.ts';
import type { Redirect } from './filter.ts';
import type { RouteKind } from './route-kind.ts';
import type { TeamRef } from './team.ts';

declare const checkedAgainst: unique symbol;
/** A hostname known only at run time, after `grant.hostname(value)` found it inside the grant. */
export type GrantedHostname<Hosts extends readonly string[] = readonly string[]> = string & {
  readonly [checkedAgainst]: Hosts;
};

/** `*.shop.example.com` covers itself and all that ends in `.shop.example.com`, so not `shop.example.com`. */
type CoveredBy<Host extends string> = Host extends `*.${infer Suffix}` ? Host | `${string}.${Suffix}` : Host;

/** The first eight of some words, with commas. */
type Listed<
  Words extends readonly string[],
  Text extends string = '',
  Count extends readonly unknown[] = [],
> = Words extends readonly [infer Word extends string, ...infer Rest extends readonly string[]]
  ? Count['length'] extends 8
    ? `${Text}, and more`
    : Listed<Rest, Text extends '' ? Word : `${Text}, ${Word}`, [...Count, Word]>
  : Text;

/** One asked hostname: itself where it lies in one of `Hosts`, else a sentence. */
export type HostnameWithin<Asked, Hosts extends readonly string[]> = string extends Hosts[number]
  ? Asked
  : Asked extends GrantedHostname<infer Checked>
    ? Checked[number] extends CoveredBy<Hosts[number]>
      ? Asked
      : `this hostname was checked against another grant (granted here: ${Listed<Hosts>})`
    : string extends Asked
      ? 'a hostname known only at run time goes through grant.hostname(value)'
      : Asked extends CoveredBy<Hosts[number]>
        ? Asked
        : `${Asked & string} is outside this grant (granted: ${Listed<Hosts>})`;

/** All hostnames that one attachment, or several together, grant. */
export type HostsOf<On> =
  On extends Attachment<infer Hosts>
    ? Hosts
    : On extends readonly [infer First, ...infer Rest]
      ? readonly [...HostsOf<First>, ...HostsOf<Rest>]
      : On extends readonly []
        ? readonly []
        : readonly string[];

/** The names of listeners that an attachment opens. */
export type ListenersOf<On> = On extends readonly (infer Each)[]
  ? ListenersOf<Each>
  : On extends Attachment<readonly string[], RouteKind, infer Listeners>
    ? Listeners
    : string;

type TeamOf<Scope> = Scope extends { readonly team: TeamRef<infer Name> } ? Name : string;

type OneAttachment<On, Kind extends RouteKind, Scope> =
  On extends Attachment<readonly string[], infer Kinds, string, infer Team>
    ? Kind extends Kinds
      ? string extends TeamOf<Scope> | Team
        ? On
        : Team extends TeamOf<Scope>
          ? On
          : `this grant is for team ${Team}, this chart belongs to team ${TeamOf<Scope>}`
      : `this grant is not for ${Kind} (granted: ${Kinds})`
    : 'a route attaches to a grant: gateway.grant(team, { hostnames })';

/** What `on` takes in this scope: the attachments themselves, or a sentence that says why not. */
export type AttachmentWithin<On, Kind extends RouteKind, Scope> = On extends readonly unknown[]
  ? { [Index in keyof On]: OneAttachment<On[Index], Kind, Scope> }
  : OneAttachment<On, Kind, Scope>;

/** What routes of a scope attach to where they say nothing, which their chart says; undefined where it does not. */
type DefaultOf<Scope> = Scope extends { readonly on: infer On } ? On : undefined;

/** What a route attaches to: what it says itself, else what its chart says. */
export type OnOf<On, Scope> = unknown extends On
  ? DefaultOf<Scope> extends undefined
    ? On
    : DefaultOf<Scope>
  : On;

/** `on` of a route, which may be left out in a chart that says it for all. */
export type OnProp<On, Kind extends RouteKind, Scope> =
  DefaultOf<Scope> extends undefined
    ? {
        /** What the route attaches to: a grant, a dedicated gateway, an open listener, or several of them. */
        readonly on: AttachmentWithin<On, Kind, Scope>;
      }
    : {
        /**
         * What the route attaches to: a grant, a dedicated gateway, an open listener, or several of them.
         * @default - what the chart of the team says
         */
        readonly on?: AttachmentWithin<On, Kind, Scope>;
      };

/** What the chart of a team takes for its routes: of whatever kind, but of the team. */
export type OwnAttachment<On, Name extends string> = On extends readonly unknown[]
  ? { [Index in keyof On]: OwnAttachment<On[Index], Name> }
  : On extends Attachment<readonly string[], infer _Kinds, string, infer Team>
    ? string extends Name | Team
      ? On
      : Team extends Name
        ? On
        : `this grant is for team ${Team}, this chart belongs to team ${Name}`
    : 'a route attaches to a grant: gateway.grant(team, { hostnames })';

/** What `on` of a certificate is: a grant of this team that lets it bring its own. */
type CertifiedGrant<On, Scope> =
  On extends Attachment<readonly string[], RouteKind, string, infer Team>
    ? string extends TeamOf<Scope> | Team
      ? Certified<On>
      : Team extends TeamOf<Scope>
        ? Certified<On>
        : `this grant is for team ${Team}, this chart belongs to team ${TeamOf<Scope>}`
    : 'a certificate is for a grant: gateway.grant(team, { hostnames, ownCertificates })';

/** `on` of a certificate, which may be left out in a chart that says it for all. */
export type CertifiedOnProp<On, Scope> =
  DefaultOf<Scope> extends undefined
    ? {
        /** The grant that lets the team bring certificates, made with `ownCertificates`. */
        readonly on: CertifiedGrant<On, Scope>;
      }
    : {
        /**
         * The grant that lets the team bring certificates, made with `ownCertificates`.
         * @default - what the chart of the team says
         */
        readonly on?: CertifiedGrant<On, Scope>;
      };

type Certified<On> = [SecretsOf<On>] extends [never]
  ? 'this grant is not for certificates of the team: gateway.grant(team, { hostnames, ownCertificates })'
  : On;

/** The names of the Secrets with certificates that a grant lets its team bring. */
export type SecretsOf<On> = On extends { readonly ownCertificates: readonly (infer Secret)[] }
  ? Secret
  : never;

/** The scope of a construct that only the platform may make: not the chart of a team. */
export type PlatformScope<Scope, What extends string = 'gateway'> = Scope extends {
  readonly team: TeamRef<infer Name>;
}
  ? `a ${What} is made by the platform, and this chart belongs to team ${Name}`
  : Scope;

/** The namespace that a ReferenceGrant may be written into: any, but for a team. */
export type OwnedNamespace<Scope> =
  string extends TeamOf<Scope>
    ? string
    : `the owner of a namespace says what may be referred to in it, and this chart belongs to team ${TeamOf<Scope>}: leave namespace out`;

declare const toward: unique symbol;
/** A filter that sends to a Service. The compiler alone knows of it. */
export interface Toward<Namespace extends string, Name extends string, IsLent extends boolean> {
  readonly [toward]: Backend<Namespace, Name, IsLent>;
}

/** Undefined, or why a team may not send to a Service there; where nothing is known of the namespace, synth sees. */
type ForeignService<
  Namespace extends string,
  Name extends string,
  IsLent extends boolean,
  Team extends string,
> = [Namespace] extends [never]
  ? undefined
  : string extends Team | Namespace
    ? undefined
    : [Namespace] extends [Team]
      ? undefined
      : true extends IsLent
        ? undefined
        : `${string extends Name ? 'one of these services' : `service ${Name}`} is in namespace ${Namespace}, which is not of team ${Team}: take it from its owner, referenceGrant.service(name, port)`;

type Unless<Problem, Asked> = Problem extends string ? Problem : Asked;

/** What `.to()` takes in a route of this scope: the destination itself, or a sentence that says why not. */
export type DestinationWithin<Asked, All extends readonly unknown[], Scope> = Asked extends Redirect
  ? All extends readonly [unknown, unknown, ...unknown[]]
    ? 'a redirect answers by itself: leave out what is beside it'
    : Asked
  : Asked extends Backend<infer Namespace, infer Name, infer IsLent>
    ? Unless<ForeignService<Namespace, Name, IsLent, TeamOf<Scope>>, Asked>
    : Asked extends Split<infer Namespace, infer IsLent>
      ? Unless<ForeignService<Namespace, string, IsLent, TeamOf<Scope>>, Asked>
      : Asked;

/** The same for a filter of a rule. */
export type FilterWithin<Asked, Scope> =
  Asked extends Toward<infer Namespace, infer Name, infer IsLent>
    ? Unless<ForeignService<Namespace, Name, IsLent, TeamOf<Scope>>, Asked>
    : Asked;

/** What a violation is, and the objects that it is made of. */

import { GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';

/** Where the compiler must complain, and the words that its message must hold. */
export interface Complaint {
  /** The text that is underlined. */
  readonly at: string;
  readonly words: readonly string[];
}

/** What synth must say. */
export interface Refusal {
  /** The construct, such as `shop/r`. */
  readonly path: string;
  /** Besides what is missing, which it must always say. */
  readonly words: readonly string[];
  /** That it is no grant which is missing, but another way of writing: the words say which. */
  readonly namesNoGrant?: true;
}

/** A layer that can't see it, with the first one that does. */
export interface Unseen {
  readonly stoppedBy: 'synth' | 'admission' | 'runtime';
  readonly why: string;
}

/** What the runtime does about it where nobody stopped it before, if that is not to name in the status what is missing. */
export type AtRuntime =
  /** Other tenants' traffic is as before, and the status, or who reads the object, says so in these words. */
  | {
      readonly says: readonly string[];
      /** That it is no object of the runtime's, so that nobody gives it a status in a cluster: who reads it is told. */
      readonly withoutStatus?: true;
    }
  /** Nothing is wrong with it for all that a control plane can know: only rights keep it out. */
  | {
      readonly unseen: string;
      /** That it changes what other tenants have. */
      readonly changes?: true;
    };

export interface Violation {
  /** In kebab case. */
  readonly name: string;
  /** The team under whose credentials it is tried. */
  readonly by: 'shop' | 'media' | 'payments';
  /** The role of who does it, in the words of Gateway API. */
  readonly role: 'application developer' | 'application administrator';
  /** What is violated, in a sentence. */
  readonly violates: string;
  /**
   * The program, with the names of `fixture()`, of the package and `objects`, its own. It is plain JavaScript, so that the same text is
   * what the compiler must refuse and what synth must refuse where there was no compiler.
   */
  readonly code: string;
  readonly typescript: Complaint | Unseen;
  readonly javascript: Refusal | Unseen;
  /** What somebody of the team would apply by hand for the same, complete with what it needs. */
  readonly objects: readonly RawObject[];
  /**
   * What the API server can't see, or the resource that the team has no right to write where that is all that is said. Otherwise a policy or a field
   * rule refuses it, whoever asks, and a policy says what is missing; and what is missing is a right where `missing` says so.
   */
  readonly admission?: Unseen | { readonly lacks: string };
  /** The grant that is missing; or why no grant can allow it. */
  readonly missing: string;
  /** @default - the status of an object of it names what is missing */
  readonly runtime?: AtRuntime;
  /** A request of another tenant, or of the platform, whose answer must be the same with these objects as without. */
  readonly threatens: string;
}

interface ParentRef {
  readonly kind?: 'Gateway' | 'ListenerSet';
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
  readonly port?: number;
}

/** The ListenerSet of a grant, as synth names it: that of team shop is `shared-gw-shop`. */
export const listenersOf = (grant: string, sectionName?: string): ParentRef => ({
  kind: 'ListenerSet',
  name: `shared-gw-${grant}`,
  namespace: 'infra',
  ...(sectionName === undefined ? {} : { sectionName }),
});

export const GATEWAY: ParentRef = { kind: 'Gateway', name: 'shared-gw', namespace: 'infra' };

interface RouteProps {
  readonly namespace?: string;
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[] | undefined;
  readonly rules?: readonly Record<string, unknown>[];
}

const TO_CART = [{ backendRefs: [{ name: 'cart', port: 8080 }] }];

/** An HTTPRoute named r in namespace shop; on the grant of shop with its hostname and one rule, unless said otherwise. */
export const httpRoute = (props: RouteProps = {}): RawObject => route('HTTPRoute', props);

/** A route of another kind; TCP and UDP have no hostnames. */
export function route(
  kind: 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute' | 'UDPRoute',
  { namespace = 'shop', parentRefs = [listenersOf('shop')], rules = TO_CART, ...more }: RouteProps,
): RawObject {
  const hostnames = 'hostnames' in more ? more.hostnames : ['shop.example.com'];
  return {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind,
    metadata: { name: 'r', namespace },
    spec: {
      parentRefs: parentRefs.map((ref) => ({ group: GATEWAY_GROUP, ...ref })),
      ...(hostnames ? { hostnames } : {}),
      rules,
    },
  };
}

/** Another object of Gateway API, of version v1. */
export const gatewayApi = (
  kind: string,
  metadata: { name: string; namespace?: string },
  spec: Record<string, unknown>,
): RawObject => ({ apiVersion: `${GATEWAY_GROUP}/v1`, kind, metadata, spec });

/** How `missing` names a grant. */
export const grantOf = (what: string, team: string): string =>
  `a grant of ${what} at gateway infra/shared-gw to team ${team}`;

/** The code that puts the objects into the chart of the team as they are, where no construct says the same. */
export const asObjects = (chart: string): string =>
  `objects.forEach((object, index) => new ApiObject(${chart}, \`object-\${index}\`, object));`;

export const NO_CONSTRUCT: Unseen = {
  stoppedBy: 'synth',
  why: 'no construct makes it, and to the compiler an object of any kind is one',
};

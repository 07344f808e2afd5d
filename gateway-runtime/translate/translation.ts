/** What translate gives: snapshots, statuses, needs and diagnostics; plain data, whole or as what changed. */

import type { Bounds } from '../api/bounds.ts';
import type { GatewayParametersSpec } from '../api/gateway-parameters.ts';
import type { ObjectRef, RawObject } from '../api/object.ts';
import type { RouteKind } from '../api/route-kinds.ts';
import type { Consents } from '../grants/consents.ts';
import type { RegexEngine } from '../match/regex.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type {
  BackendEndpoints,
  BackendKey,
  CertificateBundle,
  CertificateId,
  GatewayId,
  ListenerProtocol,
  Snapshot,
  SnapshotDelta,
} from '../snapshot/snapshot.ts';

export interface TranslateOptions {
  /** Checks the expressions of routes, so that a broken one is reported and not served. */
  readonly regex: RegexEngine;
  /**
   * Which Gateways are translated: those whose class names our controller (`own`, the default: as in a cluster), or those of
   * any class, whether the class exists or not (`any`: as `serve` does), or those of the classes named.
   */
  readonly classes?: 'own' | 'any' | readonly string[];
  /** Where not given: 5,000 rules, 10,000 matches, 65,536 characters of regular expressions. */
  readonly limits?: Partial<NamespaceLimits>;
}

/**
 * What the routes of one namespace may take up together of one Gateway. From the first route beyond it, by creation time and
 * then name, the newer ones are not accepted there (LimitExceeded); other namespaces are not affected.
 */
export interface NamespaceLimits {
  readonly rules: number;
  /** A rule without matches has one. */
  readonly matches: number;
  /** Of the expressions of all matches together. */
  readonly regexCharacters: number;
}

export type Change = { readonly set: RawObject } | { readonly remove: ObjectRef };

/** There may be such an object, but it can't be read: what is said of it where something refers to it. */
export interface Withhold {
  readonly withhold: ObjectRef;
  /** Predicate of a sentence about the object. */
  readonly problem: string;
  readonly fix: string;
}

/** metav1.Condition without lastTransitionTime, which the status writer sets. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export interface RouteGroupKind {
  readonly group: string;
  readonly kind: string;
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly RouteGroupKind[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** A parentRef as its route wrote it, defaults filled in. */
export interface ParentRefStatus {
  readonly group: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface RouteParentStatus {
  readonly parentRef: ParentRefStatus;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

/** A policy as seen by one of the Gateways that it matters for. */
export interface PolicyAncestorStatus {
  readonly ancestorRef: ParentRefStatus;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

export type RouteStatus = {
  [K in RouteKind]: {
    readonly kind: K;
    readonly ref: ObjectRef;
    readonly parents: readonly RouteParentStatus[];
  };
}[RouteKind];

/** Kinds that name in `spec.targetRefs` what they are for. */
export type PolicyKind = 'BackendTLSPolicy' | 'GatewayPolicy' | 'RoutePolicy';

export type PolicyStatus = {
  [K in PolicyKind]: {
    readonly kind: K;
    readonly ref: ObjectRef;
    readonly ancestors: readonly PolicyAncestorStatus[];
  };
}[PolicyKind];

/** The part of `.status` that this implementation owns. */
export type ObjectStatus =
  | {
      readonly kind: 'GatewayClass';
      readonly ref: ObjectRef;
      readonly conditions: readonly Condition[];
      readonly supportedFeatures: readonly { readonly name: string }[];
    }
  | {
      readonly kind: 'Gateway';
      readonly ref: ObjectRef;
      readonly conditions: readonly Condition[];
      readonly listeners: readonly ListenerStatus[];
      readonly attachedListenerSets: number;
    }
  | {
      readonly kind: 'ListenerSet';
      readonly ref: ObjectRef;
      readonly conditions: readonly Condition[];
      readonly listeners: readonly ListenerStatus[];
    }
  | {
      readonly kind: 'Grant';
      readonly ref: ObjectRef;
      readonly conditions: readonly Condition[];
      readonly references: Consents;
      readonly bounds: Bounds;
    }
  | RouteStatus
  | PolicyStatus;

/** What a Gateway needs around it, for the provisioner and for `serve`. */
export interface Infrastructure {
  readonly gateway: GatewayId;
  /** Of the Gateway object; absent outside of a cluster. */
  readonly uid?: string;
  readonly className: string;
  /** The ports that valid listeners ask for. */
  readonly ports: readonly { readonly port: number; readonly protocol: ListenerProtocol }[];
  readonly addresses: readonly { readonly type: string; readonly value?: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of the class, and over it of the Gateway. */
  readonly parameters?: GatewayParametersSpec;
}

/** Everything, as of now. Keys: `namespace/name` of a Gateway, `refKey` of an object, BackendKey, CertificateId. */
export interface Translation {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  readonly statuses: ReadonlyMap<string, ObjectStatus>;
  readonly endpoints: ReadonlyMap<BackendKey, BackendEndpoints>;
  readonly certificates: ReadonlyMap<CertificateId, CertificateBundle>;
  /** Secrets that something served refers to and may refer to, whether they are there or not. */
  readonly secrets: ReadonlyMap<CertificateId, true>;
  /** The same of ConfigMaps, by `namespace/name`. */
  readonly configMaps: ReadonlyMap<string, true>;
  readonly infrastructure: ReadonlyMap<string, Infrastructure>;
  /** By object, in a stable order. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What one application of changes altered; everything else is as it was. `undefined` stands for removed. */
export interface TranslationChange {
  readonly deltas: readonly SnapshotDelta[];
  readonly removedGateways: readonly string[];
  readonly statuses: ReadonlyMap<string, ObjectStatus | undefined>;
  readonly endpoints: ReadonlyMap<BackendKey, BackendEndpoints | undefined>;
  readonly certificates: ReadonlyMap<CertificateId, CertificateBundle | undefined>;
  readonly secrets: ReadonlyMap<CertificateId, true | undefined>;
  readonly configMaps: ReadonlyMap<string, true | undefined>;
  readonly infrastructure: ReadonlyMap<string, Infrastructure | undefined>;
  /** The diagnostics of each object for which they changed. */
  readonly diagnostics: ReadonlyMap<string, readonly Diagnostic[]>;
}

/** Everything is as it was. */
export const NO_CHANGE: TranslationChange = {
  deltas: [],
  removedGateways: [],
  statuses: new Map(),
  endpoints: new Map(),
  certificates: new Map(),
  secrets: new Map(),
  configMaps: new Map(),
  infrastructure: new Map(),
  diagnostics: new Map(),
};

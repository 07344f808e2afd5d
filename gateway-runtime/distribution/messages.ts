/**
 * What the two sides say to each other. Every message is checked before it is looked at; a message that breaks a rule ends the
 * stream, since nothing after it can be trusted to mean what it seems to.
 */

import type { ObjectRef } from '../api/object.ts';
import { anything, boolean, list, oneOf, optional, type Schema, string } from '../api/schema.ts';
import type { Diagnostic, ExampleRequest } from '../snapshot/diagnostic.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import { gatewayId, hash, key, name, sessionKeys } from './content.ts';
import { checked, exactly, InvalidContentError } from './exactly.ts';
import { type Order, order } from './order.ts';

/** Named in the TLS handshake (ALPN, RFC 7301): another version of the protocol has another name. */
export const PROTOCOL = 'gatewright-distribution/1';

/** The audience of a data plane's token: one that was stolen from here is of no use at the API server, and none of there is here. */
export const TOKEN_AUDIENCE = 'distribution.gatewright.dev';

/** What a data plane has, from before. Hashes as in content.ts. */
export interface Held {
  readonly order: Order;
  /** Of the snapshot. */
  readonly version: string;
  readonly endpoints: string;
  readonly certificates: string;
}

/** The first message: who it is that dials. */
export interface Hello {
  readonly type: 'hello';
  readonly gateway: GatewayId;
  /** Name of the pod. */
  readonly replica: string;
  readonly token: string;
  readonly held?: Held;
  /** Whether it serves and will go on. */
  readonly ready: boolean;
}

/** A commit was applied, or nothing of it was. */
export interface Answer {
  readonly type: 'ack' | 'nack';
  /** Of the commit. */
  readonly order: Order;
  /** Of the snapshot that serves now; empty before the first. */
  readonly version: string;
  /** All that can't be served as asked, as of now. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Readiness {
  readonly type: 'readiness';
  readonly ready: boolean;
}

/** Nothing to say. */
export interface Beat {
  readonly type: 'beat';
}

/** The last message of a stream, and why. */
export interface Goodbye {
  readonly type: 'goodbye';
  readonly reason: GoodbyeReason;
  /** A sentence for people. */
  readonly message: string;
}

/**
 * `refused`: not who it says, or not allowed. `protocol`: what was sent is not understood. `replaced`: the same replica dialled
 * again. `behind`: it knows newer things than we do. `renew`: dial again, all is well. `stopping`: this side ends.
 */
const REASONS = ['refused', 'protocol', 'replaced', 'behind', 'renew', 'stopping', 'busy'] as const;
export type GoodbyeReason = (typeof REASONS)[number];

/** Hello is taken. */
export interface Welcome {
  readonly type: 'welcome';
  /** As in AgentUpdate; absent where the control plane has none. They change seldom, and streams end often enough to bring new ones. */
  readonly sessionKeys?: readonly string[];
}

/** Some of what the next commit brings. Contents are checked when all of them are there. */
export interface Part {
  readonly type: 'part';
  readonly section: Section;
  readonly put: readonly unknown[];
  readonly remove: readonly string[];
}

export const SECTIONS = ['resources', 'endpoints', 'certificates'] as const;
export type Section = (typeof SECTIONS)[number];

/** The parts since the last commit are complete, and to be applied all at once. */
export interface Commit {
  readonly type: 'commit';
  readonly order: Order;
  /** Where there are resources, or are none any more: from which version (everything, where it is absent) to which. */
  readonly snapshot?: { readonly from?: string; readonly to: string };
  /** Sections that hold everything, so that what is not in them is gone. */
  readonly whole: readonly ('endpoints' | 'certificates')[];
}

/** As many diagnostics as fit into an answer, shortened where they are long. */
export function boundedDiagnostics(all: readonly Diagnostic[], most: number): Diagnostic[] {
  const short = (value: string) => (value.length > 2_000 ? `${value.slice(0, 2_000)}...` : value);
  return all.slice(0, most).map(({ severity, code, object, field, message, fix }) => ({
    severity,
    code,
    object,
    message: short(message),
    ...(field === undefined ? {} : { field: short(field) }),
    ...(fix === undefined ? {} : { fix: short(fix) }),
  }));
}

export type DataPlaneMessage = Hello | Answer | Readiness | Beat | Goodbye;
export type ControlMessage = Welcome | Part | Commit | Beat | Goodbye;

const text = () => string({ max: 8 * 1024 });

const objectRef = exactly<ObjectRef>({
  group: string({ max: 253 }),
  kind: string({ max: 63 }),
  namespace: string({ max: 253 }),
  name: string({ max: 253 }),
});

const example = exactly<ExampleRequest>({
  method: text(),
  url: text(),
  headers: list(exactly<ExampleRequest['headers'][number]>({ name: text(), value: text() }), { max: 100 }),
});

export const diagnostic = exactly<Diagnostic>({
  severity: oneOf(['error', 'warning', 'info']),
  code: string({ max: 100 }),
  object: objectRef,
  field: optional(text()),
  message: text(),
  fix: optional(text()),
  related: optional(list(objectRef, { max: 100 })),
  example: optional(example),
});

const answer = exactly<Answer>({
  type: oneOf(['ack', 'nack']),
  order,
  version: string({ max: 64 }),
  diagnostics: list(diagnostic, { max: 1_000 }),
});

const beat = exactly<Beat>({ type: oneOf(['beat']) });
const goodbye = exactly<Goodbye>({
  type: oneOf(['goodbye']),
  reason: oneOf(REASONS),
  message: text(),
});

const DATA_PLANE_MESSAGES: { readonly [T in DataPlaneMessage['type']]: Schema<DataPlaneMessage> } = {
  hello: exactly<Hello>({
    type: oneOf(['hello']),
    gateway: gatewayId,
    replica: name(),
    token: string({ min: 1, max: 32 * 1024 }),
    held: optional(exactly<Held>({ order, version: hash(), endpoints: hash(), certificates: hash() })),
    ready: boolean(),
  }),
  ack: answer,
  nack: answer,
  readiness: exactly<Readiness>({ type: oneOf(['readiness']), ready: boolean() }),
  beat,
  goodbye,
};

const CONTROL_MESSAGES: { readonly [T in ControlMessage['type']]: Schema<ControlMessage> } = {
  welcome: exactly<Welcome>({ type: oneOf(['welcome']), sessionKeys: optional(sessionKeys) }),
  part: exactly<Part>({
    type: oneOf(['part']),
    section: oneOf(SECTIONS),
    put: list(anything()),
    remove: list(key()),
  }),
  commit: exactly<Commit>({
    type: oneOf(['commit']),
    order,
    snapshot: optional(exactly<NonNullable<Commit['snapshot']>>({ from: optional(hash()), to: hash() })),
    whole: list(oneOf(['endpoints', 'certificates']), { max: 2 }),
  }),
  beat,
  goodbye,
};

/** Throws InvalidContentError. */
export const checkedDataPlaneMessage = (value: unknown): DataPlaneMessage =>
  checkedMessage(DATA_PLANE_MESSAGES, value);

/** Throws InvalidContentError. */
export const checkedControlMessage = (value: unknown): ControlMessage =>
  checkedMessage(CONTROL_MESSAGES, value);

function checkedMessage<M>(schemas: Readonly<Record<string, Schema<M>>>, value: unknown): M {
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type === 'string' && Object.hasOwn(schemas, type)) return checked(schemas[type]!, value, type);
  throw new InvalidContentError(`type: expected one of ${Object.keys(schemas).join(', ')}`);
}

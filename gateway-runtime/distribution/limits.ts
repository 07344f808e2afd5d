/** Every bound of the stream, in one place. Times are in milliseconds, sizes in bytes. */

export interface DistributionLimits {
  /** A frame before its sender is known. */
  readonly helloFrame: number;
  /** A frame of a data plane: diagnostics are the largest part. */
  readonly dataPlaneFrame: number;
  /** A frame of the control plane: no object in etcd is larger than 1.5 MB, and one backend's endpoints are below that too. */
  readonly controlFrame: number;
  /** Resources are put together into frames of about this size. */
  readonly batch: number;
  /** What one commit brings, all of it. */
  readonly update: number;
  /** Diagnostics of one answer; what is above is counted. */
  readonly diagnostics: number;
  /** From the connection to the end of the TLS handshake. */
  readonly handshake: number;
  /** From there to hello and its answer. */
  readonly hello: number;
  /** Without anything else to say, each side says that it lives. */
  readonly beat: number;
  /** Without a word the other side is taken for dead. */
  readonly silence: number;
  /** From commit to its answer. */
  readonly answer: number;
  /** Until something is tried again that was refused. */
  readonly retry: number;
  /** Until a replica of the control plane that is behind its data plane sends it elsewhere. */
  readonly behind: number;
  /** After this, give or take a tenth, a data plane is asked to dial again: with the token of then, and maybe to another replica. */
  readonly age: number;
  /** Connections in all. */
  readonly connections: number;
  /** Connections that have not said who they are. */
  readonly strangers: number;
  /** Streams of one Gateway. */
  readonly streams: number;
}

export const DISTRIBUTION_LIMITS: DistributionLimits = {
  helloFrame: 64 * 1024,
  dataPlaneFrame: 1024 * 1024,
  controlFrame: 8 * 1024 * 1024,
  batch: 256 * 1024,
  update: 256 * 1024 * 1024,
  diagnostics: 100,
  handshake: 10_000,
  hello: 10_000,
  beat: 5_000,
  silence: 15_000,
  answer: 60_000,
  retry: 1_000,
  behind: 10_000,
  age: 30 * 60_000,
  connections: 10_000,
  strangers: 256,
  streams: 1_000,
};

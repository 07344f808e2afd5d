/**
 * One data plane that has said who it is: brings it from what it has to the newest state, one commit at a time. What changes
 * while a commit is not answered yet goes into the next one, so a slow data plane skips states, and costs no more memory than
 * the keys of what it lacks.
 */
import type { Connection } from '../distribution/connection.ts';
import { InvalidContentError } from '../distribution/exactly.ts';
import type { DistributionLimits } from '../distribution/limits.ts';
import type { Answer, Commit, DataPlaneMessage, Held, Section } from '../distribution/messages.ts';
import { isOlder, type Order } from '../distribution/order.ts';
import { canonicalJson } from '../snapshot/canonical.ts';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { GatewayContent, Touched } from './distribution-content.ts';

/** What is known of a data plane from its stream. */
export interface StreamState {
  readonly ready: boolean;
  /** The newest state that it said it serves. */
  readonly acked?: { readonly order: Order; readonly version: string };
  /** The snapshot that it refused and has not replaced yet. */
  readonly refused?: string;
  /** Of its last answer. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface StreamOptions {
  readonly connection: Connection;
  readonly content: GatewayContent;
  readonly limits: DistributionLimits;
  readonly held: Held | undefined;
  readonly ready: boolean;
  readonly onState: (state: StreamState) => void;
}

interface InFlight {
  readonly order: Order;
  /** Of the snapshot after it. */
  readonly version: string;
  readonly snapshot: Commit['snapshot'];
  readonly due: Due;
  readonly timeout: NodeJS.Timeout;
}

/** What the data plane lacks beside the snapshot. */
interface Due {
  /** Everything, and nothing else. */
  wholeEndpoints: boolean;
  wholeCertificates: boolean;
  readonly endpoints: Set<string>;
  readonly certificates: Set<string>;
}

const nothingDue = (): Due => ({
  wholeEndpoints: false,
  wholeCertificates: false,
  endpoints: new Set(),
  certificates: new Set(),
});

export class DistributionStream {
  readonly #options: StreamOptions;
  /** Of the snapshot that it serves; undefined where it has none, or where that is not to be built upon. */
  #version: string | undefined;
  /** The newest that it is known to have. */
  #order: Order | undefined;
  #due = nothingDue();
  #inFlight: InFlight | undefined;
  /** A push comes in this turn of the event loop, or later. */
  #scheduled: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;
  #behind: NodeJS.Timeout | undefined;
  #compared = false;
  #state: StreamState;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { held, ready } = options;
    this.#order = held?.order;
    this.#version = held?.version;
    this.#state = { ready, diagnostics: [] };
    this.#schedule();
  }

  get state(): StreamState {
    return this.#state;
  }

  /** The content changed in this. */
  touch({ endpoints, certificates }: Touched): void {
    for (const key of endpoints) this.#due.endpoints.add(key);
    for (const id of certificates) this.#due.certificates.add(id);
    this.#schedule();
  }

  receive(message: DataPlaneMessage): void {
    switch (message.type) {
      case 'ack':
      case 'nack':
        this.#onAnswer(message);
        return;
      case 'readiness':
        if (message.ready !== this.#state.ready) this.#become({ ready: message.ready });
        return;
      case 'beat':
        return;
      default:
        throw new InvalidContentError(
          `found ${message.type}, expected an answer, readiness, beat or goodbye`,
        );
    }
  }

  close(): void {
    clearImmediate(this.#scheduled);
    clearTimeout(this.#retry);
    clearTimeout(this.#behind);
    clearTimeout(this.#inFlight?.timeout);
  }

  #become(change: Partial<StreamState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onState(this.#state);
  }

  #schedule(): void {
    if (this.#inFlight || this.#retry || !this.#options.connection.isOpen) return;
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.#push().catch((error: Error) => {
        this.#options.connection.destroy(`what it is to have can't be sent: ${error.message}`);
      });
    });
  }

  /** Sends the way from what the data plane has to the state of now, if there is any. */
  async #push(): Promise<void> {
    const { connection, content, limits } = this.#options;
    const { order, version } = content;
    if (this.#inFlight || !order || !connection.isOpen) return;
    if (!this.#compared) this.#compare();
    const isRefused = this.#state.refused === version;
    const wantsSnapshot = version !== this.#version && !isRefused;
    const due = this.#due;
    if (isRefused) this.#keepUsed(due);
    else if (this.#state.refused !== undefined) {
      due.wholeEndpoints = true;
      due.wholeCertificates = true;
    }
    const isDue =
      due.wholeEndpoints || due.wholeCertificates || due.endpoints.size > 0 || due.certificates.size > 0;
    if (!wantsSnapshot && !isDue) {
      this.#isNoLongerBehind();
      if (!isRefused) this.#serves(order, version);
      return;
    }
    if (this.#isBehind(order)) return;
    const delta = wantsSnapshot ? content.deltaFrom(this.#version) : undefined;
    const snapshot = delta && { ...(delta.from === undefined ? {} : { from: delta.from }), to: version };
    this.#due = nothingDue();
    this.#inFlight = {
      order,
      version,
      snapshot,
      due,
      timeout: setTimeout(
        () => connection.destroy(`there was no answer to a commit for ${limits.answer / 1000} s`),
        limits.answer,
      ),
    };
    await connection.sendAll(this.#messages(order, delta, snapshot, due));
  }

  /** Whether the data plane knows newer things than we do; not for long, or it had better ask another replica. */
  #isBehind(order: Order): boolean {
    const { connection, limits } = this.#options;
    if (!this.#order || !isOlder(order, this.#order)) {
      this.#isNoLongerBehind();
      return false;
    }
    this.#behind ??= setTimeout(
      () => connection.end('behind', 'this replica of the control plane has older objects; ask another one'),
      limits.behind,
    );
    return true;
  }

  #isNoLongerBehind(): void {
    clearTimeout(this.#behind);
    this.#behind = undefined;
  }

  /** What it said it has, with what it is to have; once, and from then on changes are told as they come. */
  #compare(): void {
    this.#compared = true;
    const { content, held } = this.#options;
    const hashes = content.hashes();
    this.#due.wholeEndpoints = held?.endpoints !== hashes.endpoints;
    this.#due.wholeCertificates = held?.certificates !== hashes.certificates;
    if (!this.#due.wholeEndpoints) this.#due.endpoints.clear();
    if (!this.#due.wholeCertificates) this.#due.certificates.clear();
  }

  /** While an older snapshot serves, endpoints and certificates that only that one uses are not taken away from it. */
  #keepUsed(due: Due): void {
    const { content } = this.#options;
    if (due.wholeEndpoints) for (const key of content.endpointKeys()) due.endpoints.add(key);
    if (due.wholeCertificates) for (const id of content.certificateIds()) due.certificates.add(id);
    due.wholeEndpoints = false;
    due.wholeCertificates = false;
    for (const key of due.endpoints) if (!content.usesBackend(key)) due.endpoints.delete(key);
    for (const id of due.certificates) if (!content.usesCertificate(id)) due.certificates.delete(id);
  }

  *#messages(
    order: Order,
    delta: ReturnType<GatewayContent['deltaFrom']> | undefined,
    snapshot: Commit['snapshot'],
    due: Due,
  ): Generator<string> {
    const { content } = this.#options;
    // All of it as of now, however long it takes to send: a later state may have no use for what this one needs.
    const endpoints = split(due.wholeEndpoints ? content.endpointKeys() : due.endpoints, (key) =>
      content.endpoints(key),
    );
    const certificates = split(due.wholeCertificates ? content.certificateIds() : due.certificates, (id) =>
      content.certificate(id),
    );
    if (delta) yield* this.#parts('resources', delta.put, delta.remove);
    yield* this.#parts('endpoints', ...endpoints);
    yield* this.#parts('certificates', ...certificates);
    const commit: Commit = {
      type: 'commit',
      order,
      ...(snapshot ? { snapshot } : {}),
      whole: [
        ...(due.wholeEndpoints ? (['endpoints'] as const) : []),
        ...(due.wholeCertificates ? (['certificates'] as const) : []),
      ],
    };
    yield JSON.stringify(commit);
  }

  *#parts(section: Section, put: readonly unknown[], remove: readonly string[]): Generator<string> {
    const { batch } = this.#options.limits;
    const part = (items: readonly string[], keys: readonly string[]) =>
      `{"type":"part","section":"${section}","put":[${items.join(',')}],"remove":${JSON.stringify(keys)}}`;
    let items: string[] = [];
    let size = 0;
    for (const each of put) {
      const json = JSON.stringify(each);
      if (size > 0 && size + json.length > batch) {
        yield part(items, []);
        items = [];
        size = 0;
      }
      items.push(json);
      size += json.length;
    }
    if (items.length > 0) yield part(items, []);
    const most = Math.max(1, Math.floor(batch / 256));
    for (let from = 0; from < remove.length; from += most) yield part([], remove.slice(from, from + most));
  }

  #onAnswer({ type, order, version, diagnostics }: Answer): void {
    const inFlight = this.#inFlight;
    if (!inFlight || inFlight.order.epoch !== order.epoch || inFlight.order.sequence !== order.sequence) {
      throw new InvalidContentError('found an answer to a commit that is not under way');
    }
    clearTimeout(inFlight.timeout);
    this.#inFlight = undefined;
    this.#version = version || undefined;
    if (type === 'ack') {
      this.#order = order;
      if (version === inFlight.version) this.#serves(order, version, diagnostics);
      else if (inFlight.snapshot) throw new InvalidContentError('found an ack of another version');
      // Else the rest moves on beneath a snapshot that was refused; why it was is still to be told.
    } else {
      this.#onRefusal(inFlight, diagnostics);
    }
    this.#schedule();
  }

  #serves(order: Order, version: string, diagnostics = this.#state.diagnostics): void {
    const { ready, acked, refused, diagnostics: before } = this.#state;
    const isSame = canonicalJson(diagnostics) === canonicalJson(before);
    if (acked?.version === version && refused === undefined && isSame) return;
    this.#state = { ready, acked: { order, version }, diagnostics };
    this.#options.onState(this.#state);
  }

  #onRefusal({ snapshot, due, version }: InFlight, diagnostics: readonly Diagnostic[]): void {
    this.#due.wholeEndpoints ||= due.wholeEndpoints;
    this.#due.wholeCertificates ||= due.wholeCertificates;
    for (const key of due.endpoints) this.#due.endpoints.add(key);
    for (const id of due.certificates) this.#due.certificates.add(id);
    if (snapshot?.from === undefined) {
      // Neither a difference nor the whole of it: not before it is another one.
      this.#become(snapshot ? { refused: version, diagnostics } : { diagnostics });
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#schedule();
      }, this.#options.limits.retry);
      this.#retry.unref();
      return;
    }
    // Maybe it was the difference that did not fit; then everything does.
    this.#version = undefined;
    this.#become({ diagnostics });
  }
}

function split<V>(keys: Iterable<string>, get: (key: string) => V | undefined): [V[], string[]] {
  const put: V[] = [];
  const remove: string[] = [];
  for (const key of keys) {
    const value = get(key);
    if (value === undefined) remove.push(key);
    else put.push(value);
  }
  return [put, remove];
}
